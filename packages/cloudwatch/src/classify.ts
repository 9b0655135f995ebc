import {
  type Answer,
  classifyAnswer,
  type DeliveryCode,
  DeliveryError,
  describeAnswer,
  isSuccess,
  noAnswer,
  readAnswer,
  throughProxy,
} from '@logferry/core';
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
  const answer = answerOf(fault);
  const { code, ambiguous } = classify(fault, answer);
  const { operation, target, address } = attempt;
  const where = `${operation} ${target}${address === undefined ? '' : `, at ${address}`}`;
  const remedy = remedyOf(code, fault, answer, operation);
  return new DeliveryError(code, `${where}: ${describe(answer, error)}${remedy && ` (${remedy})`}`, {
    cause: error,
    ambiguous,
    requestId: answer?.requestId,
    retryAfterMs: answer?.retryAfterMs,
  });
}

/** Whether other credentials may cure the failure. */
export function isAuthFailure(error: unknown): boolean {
  const fault = (error ?? {}) as SdkError;
  return classify(fault, answerOf(fault)).code === 'AUTH';
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
  readonly $response?: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    /** Of our own client. */
    readonly proxy?: string | undefined;
  };
  /** An error of the service has it. The SDK's own errors, for a body that is not JSON or that broke off, have none. */
  readonly $fault?: unknown;
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
  // Names that blame the events. An unknown name comes from some other server: halving the batch for it would lose all events.
  ...named('INVALID', 'InvalidParameter Serialization Validation ValidationError'),
]);

/** Error names that a wrong clock can cause. */
const TIME: ReadonlySet<string> = new Set([
  ...['InvalidSignature', 'RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed', 'SignatureDoesNotMatch'],
]);

/** Headers with the service's name for a request. The SDK takes those of other servers, too, for the error of a wrong body. */
const REQUEST_ID_HEADERS = ['x-amzn-requestid', 'x-amzn-request-id', 'x-amz-request-id'];

/** The SDK's name for an error whose body says nothing. */
const NAMELESS = 'Unknown';

function named(code: DeliveryCode, names: string): [string, DeliveryCode][] {
  return names.split(' ').map((name) => [name, code]);
}

/** What the response says; `undefined` if none came. */
function answerOf({ $metadata, $response, $fault, name = '', message = '' }: SdkError): Answer | undefined {
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return undefined;
  const { headers = {}, body, proxy } = $response ?? {};
  const isServices = $fault !== undefined && name !== NAMELESS;
  const requestIdHeader = REQUEST_ID_HEADERS.find((header) => headers[header] !== undefined);
  const answer = readAnswer(
    { status, headers, body: body instanceof Uint8Array ? body : undefined, proxy },
    { requestIdHeader, readError: () => (isServices ? { name, text: message } : undefined) },
  );
  return $response?.headers === undefined ? { ...answer, requestId: $metadata?.requestId } : answer;
}

/** `ambiguous`: the service may have carried the request out. */
function classify(
  error: SdkError,
  answer: Answer | undefined,
): { readonly code: DeliveryCode; readonly ambiguous: boolean } {
  const name = nameOf(error);
  const named = CODES.get(name);
  if (!answer) {
    if (error instanceof UnprovenError) return { code: 'MISCONFIGURED', ambiguous: true };
    return named === 'AUTH' || named === 'THROTTLED' ? { code: named, ambiguous: false } : noAnswer(error);
  }
  const { code, ambiguous } = classifyAnswer(answer, named);
  const isLearned = code === 'AUTH' && error.$metadata?.clockSkewCorrected && TIME.has(name);
  return { code: isLearned ? 'AGAIN' : code, ambiguous: ambiguous && name !== 'OperationAborted' };
}

/** Advice for the operator; empty if none is needed. */
function remedyOf(code: DeliveryCode, error: SdkError, answer: Answer | undefined, operation: string): string {
  if (code === 'AUTH') {
    if (answer?.status === 407) return 'a proxy wants credentials';
    // A signature depends on both.
    const signed = TIME.has(nameOf(error)) ? 'the clock of this machine, the region, ' : '';
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/permissions-reference-cwl.html
    const tags = operation === 'CreateLogGroup' ? ', with tags also logs:TagResource' : '';
    return `check ${signed}the credentials, and that IAM allows them logs:${operation}${tags}`;
  }
  if (code === 'NETWORK') return 'check region and endpoint, and that the network lets requests to it through';
  if (code !== 'MISCONFIGURED' || !answer) return '';
  if (nameOf(error) === 'LimitExceeded') return 'raise the quota of the account';
  return answer.requestId === undefined ? 'some other server answers: check the endpoint, and proxies before it' : '';
}

/** `HTTP 400 ThrottlingException: Rate exceeded` */
function describe(answer: Answer | undefined, thrown: unknown): string {
  // An error of the network, or of the SDK itself, can have its text in a cause.
  if (!answer) return noAnswer(thrown).reason;
  const { status, requestId, text, proxy } = answer;
  if (!isSuccess(status)) return describeAnswer(answer);
  const lack = requestId === undefined ? 'without a request id of CloudWatch Logs' : 'with a damaged body';
  return `HTTP ${status} ${lack}${text && `: ${text}`}${throughProxy(proxy)}`;
}
