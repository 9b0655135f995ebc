import { codeOfStatus, type DeliveryCode, DeliveryError, noAnswer, parseRetryAfter } from '@logferry/core';

/**
 * Translates an error of the AWS SDK, by its HTTP status and its name, never by its text. `attempt` begins the message:
 * `PutLogEvents to "shop", stream "web/1"`.
 */
export function toDeliveryError(error: unknown, attempt: string): DeliveryError {
  if (DeliveryError.is(error)) return error;
  const fault = (typeof error === 'object' && error !== null ? error : {}) as SdkError;
  const { code, ambiguous } = classify(fault);
  const hint = code === 'AUTH' ? ' (check the credentials and their IAM permissions)' : '';
  return new DeliveryError(code, `${attempt}: ${describe(fault, error)}${hint}`, {
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

/** Whether the service could not read the request's body at all. */
export function isUnreadable(error: unknown): boolean {
  const { $metadata } = (error ?? {}) as SdkError;
  return nameOf(error) === 'Serialization' || $metadata?.httpStatusCode === 415;
}

/** The name of an SDK error, without the `Exception` that some names end in. */
export function nameOf(error: unknown): string {
  const { name } = (error ?? {}) as SdkError;
  return typeof name === 'string' ? name.replace(/Exception$/, '') : '';
}

/** The members of SDK errors that this module reads. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  /** Code of the operating system: `ECONNRESET`. */
  readonly code?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    /** The SDK learned the service's time from the response, so the next signature will be valid. */
    readonly clockSkewCorrected?: boolean;
  };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** Codes that do not follow from the HTTP status: CloudWatch Logs responds with 400 to most errors. */
const CODES: ReadonlyMap<string, DeliveryCode> = new Map([
  ...named('THROTTLED', 'BandwidthLimitExceeded PriorRequestNotComplete ProvisionedThroughputExceeded'),
  ...named('THROTTLED', 'RequestLimitExceeded RequestThrottled SlowDown Throttled Throttling TooManyRequests'),
  ...named('AUTH', 'AccessDenied AuthFailure CredentialsProviderError ExpiredToken IncompleteSignature'),
  ...named('AUTH', 'InvalidClientTokenId InvalidSignature MissingAuthenticationToken NotAuthorized OptInRequired'),
  ...named('AUTH', 'RequestExpired RequestInTheFuture RequestTimeTooSkewed SignatureDoesNotMatch TokenProviderError'),
  ...named('AUTH', 'UnrecognizedClient'),
  ...named('NOT_FOUND', 'ResourceNotFound'),
  ...named('UNAVAILABLE', 'InternalFailure OperationAborted ServiceUnavailable'),
  ...named('TIMEOUT', 'RequestTimeout'),
  ...named('MISCONFIGURED', 'LimitExceeded UnknownOperation'),
]);

/** Error names that blame the events. */
const CONTENT: ReadonlySet<string> = new Set(['InvalidParameter', 'Serialization', 'Validation', 'ValidationError']);

function named(code: DeliveryCode, names: string): [string, DeliveryCode][] {
  return names.split(' ').map((name) => [name, code]);
}

/** `ambiguous`: the service may have carried the request out. */
function classify(error: SdkError): { readonly code: DeliveryCode; readonly ambiguous: boolean } {
  const { httpStatusCode: status, clockSkewCorrected } = error.$metadata ?? {};
  const name = nameOf(error);
  const code = CODES.get(name);
  if (code === 'THROTTLED' || status === 429) return { code: 'THROTTLED', ambiguous: false };
  // A status below 400 is an error to the SDK if the body is a page of some other server.
  if (status !== undefined && (status >= 500 || status < 400)) return { code: 'UNAVAILABLE', ambiguous: true };
  // While the clock is wrong the SDK marks every error as clockSkewCorrected, so the mark counts for these names only.
  if (code === 'AUTH') return { code: clockSkewCorrected ? 'AGAIN' : 'AUTH', ambiguous: false };
  if (status === undefined) return noAnswer(error);
  // An unknown name comes from some other server. Halving the batch for it would lose all events.
  const known = code ?? codeOfStatus(status) ?? (CONTENT.has(name) ? 'INVALID' : 'MISCONFIGURED');
  return { code: known, ambiguous: (known === 'UNAVAILABLE' || known === 'TIMEOUT') && name !== 'OperationAborted' };
}

/** `HTTP 400 ThrottlingException: Rate exceeded` */
function describe({ $metadata, name, message, code }: SdkError, error: unknown): string {
  const status = $metadata?.httpStatusCode === undefined ? [] : [`HTTP ${$metadata.httpStatusCode}`];
  const label = [...status, ...(name === undefined || name === 'Error' ? [] : [name])].join(' ');
  return `${label && `${label}: `}${message || String(code ?? error)}`;
}
