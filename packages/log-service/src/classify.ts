import { codeOfStatus, type DeliveryCode, DeliveryError, noAnswer, parseRetryAfter } from '@logferry/core';
import { isSuccess, type PutResponse } from './put-web-tracking.js';

/**
 * Translates a response that is not a success. `targetLabel` is for the message: `logstore "web" of project "shop"`.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/error-codes
 */
export function toDeliveryError(response: PutResponse, targetLabel: string): DeliveryError {
  const { status, errorCode, errorMessage, requestId } = response;
  const code = codeOf(response);
  const name = errorCode === '' ? '' : ` ${errorCode}`;
  const text = errorMessage === '' ? '' : `: ${errorMessage}`;
  const request = requestId === undefined ? '' : ` (request ${requestId})`;
  return new DeliveryError(
    code,
    `PutWebTracking to ${targetLabel}: ${hintOf(code, response)}HTTP ${status}${name}${text}${request}`,
    {
      // The service refuses before it stores. After 5xx and 408 the logs may be stored, and after a success of some other
      // server, too: a proxy may have passed the request on.
      ambiguous: code === 'UNAVAILABLE' || code === 'TIMEOUT' || isSuccess(status),
      requestId,
      retryAfterMs: parseRetryAfter(response.retryAfter),
    },
  );
}

/** Translates the error that `fetch` threw for a request without a response. */
export function toConnectionError(error: unknown, targetLabel: string, signal: AbortSignal): DeliveryError {
  const { code, ambiguous, reason } = noAnswer(error, signal);
  const hint = code === 'NETWORK' ? ' (check the endpoint, and that the network lets requests to it through)' : '';
  return new DeliveryError(code, `PutWebTracking to ${targetLabel}: ${reason}${hint}`, { cause: error, ambiguous });
}

/** Whether the service could not read a compressed body. */
export function isCompressionRefused({ errorCode }: PutResponse): boolean {
  return COMPRESSION_REFUSED.has(errorCode.toLowerCase());
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

/** A redirection, a page, or a success without a request id comes from some other server. */
function codeOf({ status, errorCode }: PutResponse): DeliveryCode {
  if (status < 400) return 'MISCONFIGURED';
  const code = CODES.get(errorCode.toLowerCase()) ?? codeOfStatus(status);
  return code ?? (status === 404 ? 'NOT_FOUND' : 'MISCONFIGURED');
}

/** The likely cause, for the operator. */
function hintOf(code: DeliveryCode, { status, errorCode }: PutResponse): string {
  if (status === 401) return 'web tracking is off for this logstore, or a policy denies it (log:PutWebTracking): ';
  if (status === 407) return 'a proxy wants credentials: ';
  if (code === 'AUTH') return 'the project is locked, or a policy denies log:PutWebTracking: ';
  if (code === 'NOT_FOUND') return 'the project or the logstore does not exist: ';
  if (code !== 'MISCONFIGURED') return '';
  if (isSuccess(status)) return 'some other server answers, without a request id of Log Service, check the endpoint: ';
  if (status < 400 || errorCode === '') return 'some other server answers, check the endpoint: ';
  return 'the service refuses the request, and not its logs, check endpoint, project and logstore: ';
}
