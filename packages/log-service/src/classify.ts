import { type DeliveryCode, DeliveryError, NEVER_SENT, parseRetryAfter } from '@logferry/core';
import type { PutResponse } from './client.js';

/**
 * Translates the answer to a request that was refused. `place` is for the message: `logstore "web" of project "shop"`.
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
      // The service itself refuses before it stores; with 5xx and 408 nobody knows.
      ambiguous: code === 'UNAVAILABLE' || code === 'TIMEOUT',
      requestId,
      retryAfterMs: retryAfterMs(code, response.retryAfter),
    },
  );
}

/** Translates what `fetch` threw: no answer came. */
export function toUnansweredError(error: unknown, targetLabel: string, signal: AbortSignal): DeliveryError {
  const { code, ambiguous } = classifyUnanswered(error, signal);
  return new DeliveryError(code, `PutWebTracking to ${targetLabel}: ${describe(error)}`, { cause: error, ambiguous });
}

/** Whether the service could not read a compressed body. */
export function isCompressionRefused({ errorCode }: PutResponse): boolean {
  return COMPRESSION_REFUSED.has(errorCode.toLowerCase());
}

/** Codes that say more than their HTTP status, in lower case. */
const CODES: ReadonlyMap<string, DeliveryCode> = new Map([
  ['exceedquota', 'THROTTLED'],
  ['writequotaexceed', 'THROTTLED'],
  ['shardwritequotaexceed', 'THROTTLED'],
  ['postbodytoolarge', 'TOO_LARGE'],
  ['projectnotexist', 'NOT_FOUND'],
  ['logstorenotexist', 'NOT_FOUND'],
]);

const COMPRESSION_REFUSED: ReadonlySet<string> = new Set(['postbodyuncompresserror', 'invalidcompresstype']);

/** A quota counts by the second or the minute. The service's own C SDK waits so long, too. */
const QUOTA_RETRY_MS = 3000;

function codeOf({ status, errorCode }: PutResponse): DeliveryCode {
  const code = CODES.get(errorCode.toLowerCase());
  if (code !== undefined) return code;
  if (status >= 500) return 'UNAVAILABLE';
  // A page or a redirection: this is not Log Service.
  if (status < 400) return 'MISCONFIGURED';
  switch (status) {
    case 401:
    case 403:
    case 407:
      return 'AUTH';
    case 404:
      return 'NOT_FOUND';
    case 408:
      return 'TIMEOUT';
    case 413:
      return 'TOO_LARGE';
    case 429:
      return 'THROTTLED';
    default:
      // Without the service's own code this is some other server's answer; halving the batch would lose all of it.
      return errorCode === '' ? 'MISCONFIGURED' : 'INVALID';
  }
}

/** What the operator should know, before what the service says. */
function hintOf(code: DeliveryCode, { status }: PutResponse): string {
  if (status === 401) return 'web tracking is off for this logstore, or a policy denies it: ';
  if (code === 'NOT_FOUND') return 'the project or the logstore does not exist: ';
  if (code === 'MISCONFIGURED') return 'some other server answers, check the endpoint: ';
  return '';
}

function retryAfterMs(code: DeliveryCode, header: string | undefined): number | undefined {
  const asked = parseRetryAfter(header);
  return code === 'THROTTLED' ? Math.max(QUOTA_RETRY_MS, asked ?? 0) : asked;
}

/** undici's own limits, which are longer than ours. */
const TIMED_OUT: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function classifyUnanswered(error: unknown, signal: AbortSignal): { code: DeliveryCode; ambiguous: boolean } {
  if (signal.aborted) return { code: 'TIMEOUT', ambiguous: true };
  const code = causes(error)
    .map((each) => each.code)
    .find((each) => typeof each === 'string');
  if (code === undefined) return { code: 'UNAVAILABLE', ambiguous: true };
  if (TIMED_OUT.has(code)) return { code: 'TIMEOUT', ambiguous: true };
  return { code: 'NETWORK', ambiguous: !NEVER_SENT.has(code) };
}

/** `fetch failed: connect ECONNREFUSED 127.0.0.1:443` */
function describe(error: unknown): string {
  const texts = causes(error).map(({ message, code }) => message || code);
  return texts.filter((text) => typeof text === 'string' && text !== '').join(': ') || String(error);
}

/** `fetch` hides what happened in the cause, more than one deep at times. */
function causes(error: unknown): readonly { readonly message?: unknown; readonly code?: unknown }[] {
  const found: { readonly message?: unknown; readonly code?: unknown; readonly cause?: unknown }[] = [];
  for (let next = error; typeof next === 'object' && next !== null && found.length < MAX_CAUSES; ) {
    found.push(next);
    next = (next as { readonly cause?: unknown }).cause;
  }
  return found;
}

const MAX_CAUSES = 5;
