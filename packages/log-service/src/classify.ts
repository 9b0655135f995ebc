import {
  type Answer,
  classifyAnswer,
  type DeliveryCode,
  DeliveryError,
  describeAnswer,
  isSuccess,
  noAnswer,
} from '@logferry/core';

/**
 * Translates a response that is not a success. `targetLabel` is for the message: `logstore "web" of project "shop"`.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/error-codes
 */
export function toDeliveryError(answer: Answer, targetLabel: string): DeliveryError {
  const { status, errorName, requestId, retryAfterMs } = answer;
  const named = CODES.get(errorName.toLowerCase()) ?? (status === 404 ? 'NOT_FOUND' : undefined);
  const { code, ambiguous } = classifyAnswer(answer, named);
  const request = requestId === undefined ? '' : ` (request ${requestId})`;
  const message = `PutWebTracking to ${targetLabel}: ${hintOf(code, answer)}${describeAnswer(answer)}${request}`;
  return new DeliveryError(code, message, { ambiguous, requestId, retryAfterMs });
}

/** Translates the error that `fetch` threw for a request without a response. */
export function toConnectionError(error: unknown, targetLabel: string, signal: AbortSignal): DeliveryError {
  const { code, ambiguous, reason } = noAnswer(error, signal);
  const hint = code === 'NETWORK' ? ' (check the endpoint, and that the network lets requests to it through)' : '';
  return new DeliveryError(code, `PutWebTracking to ${targetLabel}: ${reason}${hint}`, { cause: error, ambiguous });
}

/** Whether the service could not read a compressed body. */
export function isCompressionRefused({ errorName }: Answer): boolean {
  return COMPRESSION_REFUSED.has(errorName.toLowerCase());
}

/** Error codes, in lower case, that say more than their HTTP status. */
const CODES: ReadonlyMap<string, DeliveryCode> = new Map([
  ['exceedquota', 'THROTTLED'],
  ['writequotaexceed', 'THROTTLED'],
  ['shardwritequotaexceed', 'THROTTLED'],
  ['postbodytoolarge', 'TOO_LARGE'],
  ['projectnotexist', 'NOT_FOUND'],
  ['logstorenotexist', 'NOT_FOUND'],
  // All codes that can be about the logs themselves: for any other, halving a batch would lose all its logs.
  ['postbodyinvalid', 'INVALID'],
  ['invalidencoding', 'INVALID'],
  ['invalidkey', 'INVALID'],
  ['invalidtimestamp', 'INVALID'],
  ['invalidparameter', 'INVALID'],
  ['parameterinvalid', 'INVALID'],
]);

const COMPRESSION_REFUSED: ReadonlySet<string> = new Set(['postbodyuncompresserror', 'invalidcompresstype']);

/** The likely cause, for the operator. */
function hintOf(code: DeliveryCode, { status, errorName }: Answer): string {
  if (status === 401) return 'web tracking is off for this logstore, or a policy denies it (log:PutWebTracking): ';
  if (status === 407) return 'a proxy wants credentials: ';
  if (code === 'AUTH') return 'the project is locked, or a policy denies log:PutWebTracking: ';
  if (code === 'NOT_FOUND') return 'the project or the logstore does not exist: ';
  if (code !== 'MISCONFIGURED') return '';
  if (isSuccess(status)) return 'some other server answers, without a request id of Log Service, check the endpoint: ';
  if (status < 400 || errorName === '') return 'some other server answers, check the endpoint: ';
  return 'the service refuses the request, and not its logs, check endpoint, project and logstore: ';
}
