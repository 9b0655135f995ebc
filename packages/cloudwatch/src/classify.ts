import { codeOfStatus, type DeliveryCode, DeliveryError, noAnswer, parseRetryAfter } from '@logferry/core';
import { UnprovenError } from './proof.js';

/** A request, for messages. */
export interface Attempt {
  /** `PutLogEvents`. The IAM action has the same name. */
  readonly operation: string;
  /** `to "shop", stream "web/1"` */
  readonly target: string;
  /** Host and port, once they are known. */
  readonly address: string | undefined;
}

/** Translates an error of the AWS SDK, by its HTTP status and its name, never by its text. */
export function toDeliveryError(error: unknown, attempt: Attempt): DeliveryError {
  if (DeliveryError.is(error)) return error;
  const fault = (typeof error === 'object' && error !== null ? error : {}) as SdkError;
  const { code, ambiguous } = classify(fault);
  const { operation, target, address } = attempt;
  const where = `${operation} ${target}${address === undefined ? '' : `, at ${address}`}`;
  const remedy = remedyOf(code, fault, operation);
  return new DeliveryError(code, `${where}: ${describe(fault, error)}${remedy && ` (${remedy})`}`, {
    cause: error,
    ambiguous,
    requestId: fault.$metadata?.requestId,
    retryAfterMs: parseRetryAfter(fault.$response?.headers?.['retry-after']),
  });
}

/** Whether other credentials may cure the failure. */
export function isAuthFailure(error: unknown): boolean {
  return classify((error ?? {}) as SdkError).code === 'AUTH';
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
    /** The SDK learned the service's time from the response, so the time of the next signature will be valid. */
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

/** Error names that a wrong clock can cause. */
const TIME: ReadonlySet<string> = new Set([
  ...['InvalidSignature', 'RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed', 'SignatureDoesNotMatch'],
]);

/** Error names that blame the events. */
const CONTENT: ReadonlySet<string> = new Set(['InvalidParameter', 'Serialization', 'Validation', 'ValidationError']);

function named(code: DeliveryCode, names: string): [string, DeliveryCode][] {
  return names.split(' ').map((name) => [name, code]);
}

/** `ambiguous`: the service may have carried the request out. */
function classify(error: SdkError): { readonly code: DeliveryCode; readonly ambiguous: boolean } {
  if (error instanceof UnprovenError) return { code: 'MISCONFIGURED', ambiguous: true };
  const { httpStatusCode: status, clockSkewCorrected, requestId } = error.$metadata ?? {};
  const name = nameOf(error);
  const code = CODES.get(name);
  if (code === 'THROTTLED' || status === 429) return { code: 'THROTTLED', ambiguous: false };
  if (status !== undefined && status >= 500) return { code: 'UNAVAILABLE', ambiguous: true };
  // A status below 400 is an error to the SDK if the body is not JSON: a page of some other server, or of the service a body
  // that was damaged on its way. A proxy may have passed the request on.
  if (status !== undefined && status < 400) {
    const isService = status < 300 && requestId !== undefined;
    return { code: isService ? 'UNAVAILABLE' : 'MISCONFIGURED', ambiguous: status < 300 };
  }
  if (code === 'AUTH') return { code: clockSkewCorrected && TIME.has(name) ? 'AGAIN' : 'AUTH', ambiguous: false };
  if (status === undefined) return noAnswer(error);
  // An unknown name comes from some other server. Halving the batch for it would lose all events.
  const known = code ?? codeOfStatus(status) ?? (CONTENT.has(name) ? 'INVALID' : 'MISCONFIGURED');
  return { code: known, ambiguous: (known === 'UNAVAILABLE' || known === 'TIMEOUT') && name !== 'OperationAborted' };
}

/** Advice for the operator; empty if none is needed. */
function remedyOf(code: DeliveryCode, error: SdkError, operation: string): string {
  const { httpStatusCode: status, requestId } = error.$metadata ?? {};
  if (code === 'AUTH') {
    if (status === 407) return 'a proxy wants credentials';
    const clock = TIME.has(nameOf(error)) ? 'the clock of this machine, ' : '';
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/permissions-reference-cwl.html
    const tags = operation === 'CreateLogGroup' ? ', with tags also logs:TagResource' : '';
    return `check ${clock}the credentials, and that IAM allows them logs:${operation}${tags}`;
  }
  if (code === 'NETWORK') return 'check region and endpoint, and that the network lets requests to it through';
  if (code !== 'MISCONFIGURED') return '';
  if (nameOf(error) === 'LimitExceeded') return 'raise the quota of the account';
  return requestId === undefined ? 'some other server answers: check the endpoint, and proxies before it' : '';
}

/** `HTTP 400 ThrottlingException: Rate exceeded` */
function describe(error: SdkError, thrown: unknown): string {
  const { $metadata, name } = error;
  if (error instanceof UnprovenError) return error.message;
  const status = $metadata?.httpStatusCode;
  // An error of the network, or of the SDK itself, can have its text in a cause.
  if (status === undefined) return noAnswer(thrown).reason;
  const label = name === undefined || name === 'Error' ? '' : ` ${name}`;
  // The SDK adds a line to its own errors.
  return `HTTP ${status}${label}: ${String(error.message).replace(/\s+/g, ' ')}`;
}
