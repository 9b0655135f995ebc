import { type DeliveryCode, DeliveryError, NEVER_SENT, parseRetryAfter } from '@logferry/core';

/**
 * Translates what the AWS SDK threw: by HTTP status and by name, never by text. `what` was tried, for the message:
 * `PutLogEvents to "shop", stream "web/1"`.
 */
export function toDeliveryError(error: unknown, what: string): DeliveryError {
  if (DeliveryError.is(error)) return error;
  const fault = (typeof error === 'object' && error !== null ? error : {}) as SdkError;
  const { code, ambiguous } = classify(fault);
  const hint = code === 'AUTH' ? ' (check the credentials and their IAM permissions)' : '';
  return new DeliveryError(code, `${what}: ${describe(fault, error)}${hint}`, {
    cause: error,
    ambiguous,
    requestId: fault.$metadata?.requestId,
    retryAfterMs: parseRetryAfter(fault.$response?.headers?.['retry-after']),
  });
}

/** Whether the service says that a log group or log stream does not exist. */
export function isNotFound(error: unknown): boolean {
  return nameOf(error) === 'ResourceNotFound';
}

/** Whether the request could not be read at all. */
export function isUnreadable(error: unknown): boolean {
  const { $metadata } = (error ?? {}) as SdkError;
  return nameOf(error) === 'Serialization' || $metadata?.httpStatusCode === 415;
}

/** The name of the SDK's error, without the `Exception` that some have at the end. */
export function nameOf(error: unknown): string {
  const { name } = (error ?? {}) as SdkError;
  return typeof name === 'string' ? name.replace(/Exception$/, '') : '';
}

/** Errors of the AWS SDK, as far as they are read. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  /** Of the operating system: `ECONNRESET`. */
  readonly code?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    /** The service's time was learned from the answer: if it refused the signature, the next one will be good. */
    readonly clockSkewCorrected?: boolean;
  };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

interface Classification {
  readonly code: DeliveryCode;
  /** The request may have been carried out. */
  readonly ambiguous: boolean;
}

/** CloudWatch Logs throttles with HTTP 400. */
const THROTTLING: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'RequestThrottled',
  'SlowDown',
  'Throttled',
  'Throttling',
  'TooManyRequests',
]);

const AUTH: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AuthFailure',
  'CredentialsProviderError',
  'ExpiredToken',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignature',
  'MissingAuthenticationToken',
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnrecognizedClient',
]);

function classify(error: SdkError): Classification {
  const { httpStatusCode: status, clockSkewCorrected } = error.$metadata ?? {};
  const name = nameOf(error);
  if (THROTTLING.has(name) || status === 429) return refused('THROTTLED');
  if (status !== undefined && (status >= 500 || status < 400)) return unclear('UNAVAILABLE');
  // With a wrong clock the SDK says of whatever is answered that it learned the time.
  if (AUTH.has(name)) return refused(clockSkewCorrected ? 'AGAIN' : 'AUTH');
  if (status === undefined) return classifyUnanswered(error);
  switch (name) {
    case 'ResourceNotFound':
      return refused('NOT_FOUND');
    case 'OperationAborted':
      return refused('UNAVAILABLE');
    case 'InternalFailure':
    case 'ServiceUnavailable':
      return unclear('UNAVAILABLE');
    case 'RequestTimeout':
      return unclear('TIMEOUT');
    case 'LimitExceeded':
    case 'UnknownOperation':
      return refused('MISCONFIGURED');
  }
  switch (status) {
    case 401:
    case 403:
    case 407:
      return refused('AUTH');
    case 408:
      return unclear('TIMEOUT');
    case 413:
      return refused('TOO_LARGE');
    default:
      // Anything else is not about the events: some other server's answer, say. Halving the batch would lose all of it.
      return refused(CONTENT.has(name) ? 'INVALID' : 'MISCONFIGURED');
  }
}

/** What the service calls events that it does not take. */
const CONTENT: ReadonlySet<string> = new Set(['InvalidParameter', 'Serialization', 'Validation', 'ValidationError']);

/** No answer at all. The SDK names some broken connections "TimeoutError", so the system's code comes before that. */
function classifyUnanswered({ name, code }: SdkError): Classification {
  if (name === 'AbortError') return unclear('TIMEOUT');
  if (NEVER_SENT.has(code)) return refused('NETWORK');
  if (typeof code === 'string') return unclear('NETWORK');
  if (name === 'TimeoutError') return unclear('TIMEOUT');
  return unclear('UNAVAILABLE');
}

function refused(code: DeliveryCode): Classification {
  return { code, ambiguous: false };
}

function unclear(code: DeliveryCode): Classification {
  return { code, ambiguous: true };
}

/** `HTTP 400 ThrottlingException: Rate exceeded` */
function describe({ $metadata, name, message, code }: SdkError, error: unknown): string {
  const status = $metadata?.httpStatusCode === undefined ? [] : [`HTTP ${$metadata.httpStatusCode}`];
  const label = [...status, ...(name === undefined || name === 'Error' ? [] : [name])].join(' ');
  return `${label && `${label}: `}${message || String(code ?? error)}`;
}
