import { codeOfStatus, type DeliveryCode, DeliveryError, noAnswer, parseRetryAfter } from '@logferry/core';
import type { PutResponse } from './put-web-tracking.js';

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
      // The service refuses before it stores. After 5xx and 408 the logs may be stored.
      ambiguous: code === 'UNAVAILABLE' || code === 'TIMEOUT',
      requestId,
      retryAfterMs: retryAfterMs(code, response.retryAfter),
    },
  );
}

/** Translates the error that `fetch` threw for a request without a response. */
export function toConnectionError(error: unknown, targetLabel: string, signal: AbortSignal): DeliveryError {
  const { code, ambiguous, reason } = noAnswer(error, signal);
  return new DeliveryError(code, `PutWebTracking to ${targetLabel}: ${reason}`, { cause: error, ambiguous });
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
]);

const COMPRESSION_REFUSED: ReadonlySet<string> = new Set(['postbodyuncompresserror', 'invalidcompresstype']);

/** Quotas count by the second or the minute. The service's own C SDK waits as long. */
const QUOTA_RETRY_MS = 3000;

function codeOf({ status, errorCode }: PutResponse): DeliveryCode {
  const code = CODES.get(errorCode.toLowerCase()) ?? codeOfStatus(status);
  if (code !== undefined) return code;
  if (status === 404) return 'NOT_FOUND';
  // A redirection, a page, or an error without a code of the service comes from some other server. Halving the batch for it
  // would lose all logs.
  return status < 400 || errorCode === '' ? 'MISCONFIGURED' : 'INVALID';
}

/** The likely cause, for the operator. */
function hintOf(code: DeliveryCode, { status }: PutResponse): string {
  if (status === 401) return 'web tracking is off for this logstore, or a policy denies it: ';
  if (code === 'NOT_FOUND') return 'the project or the logstore does not exist: ';
  if (code === 'MISCONFIGURED') return 'some other server answers, check the endpoint: ';
  return '';
}

function retryAfterMs(code: DeliveryCode, header: string | undefined): number | undefined {
  const requestedMs = parseRetryAfter(header);
  return code === 'THROTTLED' ? Math.max(QUOTA_RETRY_MS, requestedMs ?? 0) : requestedMs;
}
