import type { DeliveryCode } from '../contract/errors.js';
import { NEVER_SENT } from './http.js';

/**
 * The code of a request that a service, or a proxy before it, refused with this HTTP status: `AUTH` for 401, 403 and 407,
 * `TIMEOUT` for 408, `TOO_LARGE` for 413, `THROTTLED` for 429, `UNAVAILABLE` from 500 on.
 *
 * @returns `undefined` for any other status: its meaning depends on the service. A 404 may stand for a missing target or a
 *   wrong endpoint, a 400 for a bad record or a wrong setting
 */
export function codeOfStatus(status: number): DeliveryCode | undefined {
  return status >= 500 ? 'UNAVAILABLE' : CODES.get(status);
}

/** The classification of a request that got no response. */
export interface NoAnswer {
  readonly code: DeliveryCode;
  /** False if the service cannot have received the request. */
  readonly ambiguous: boolean;
  /** The messages of the error and its causes: `fetch failed: connect ECONNREFUSED 127.0.0.1:443`. */
  readonly reason: string;
}

/**
 * Classifies a request that got no response, by the error that the HTTP client threw. `TIMEOUT`: `signal` is aborted, or the
 * error is an `AbortError`, a `TimeoutError` or a timeout of undici. `NETWORK`: the error, or one of its causes down to the
 * fifth level, has a code, such as `ECONNRESET`. `UNAVAILABLE`: any other value.
 */
export function noAnswer(error: unknown, signal?: AbortSignal): NoAnswer {
  const errors = causesOf(error);
  const reason = errors.map(({ message, code }) => message || code).filter((text) => typeof text === 'string' && text);
  return { ...classify(errors, signal), reason: reason.join(': ') || String(error) };
}

/** Host and port of a URL, for messages: `"logs.us-east-1.amazonaws.com:443"`. */
export function addressOf(url: {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: string | number | undefined;
}): string {
  return `${url.hostname}:${url.port || (url.protocol === 'http:' ? 80 : 443)}`;
}

const CODES: ReadonlyMap<number, DeliveryCode> = new Map([
  [401, 'AUTH'],
  [403, 'AUTH'],
  [407, 'AUTH'],
  [408, 'TIMEOUT'],
  [413, 'TOO_LARGE'],
  [429, 'THROTTLED'],
]);

/** Codes of limits that undici has of its own. */
const TIMED_OUT: ReadonlySet<unknown> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

const MAX_CAUSES = 5;

interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
}

function classify(errors: readonly ErrorLike[], signal: AbortSignal | undefined): Omit<NoAnswer, 'reason'> {
  const name = errors[0]?.name;
  const code = errors.map((each) => each.code).find((each) => typeof each === 'string');
  if (signal?.aborted || name === 'AbortError' || TIMED_OUT.has(code)) return { code: 'TIMEOUT', ambiguous: true };
  // The AWS SDK names some broken connections "TimeoutError".
  if (code !== undefined) return { code: 'NETWORK', ambiguous: !NEVER_SENT.has(code) };
  return { code: name === 'TimeoutError' ? 'TIMEOUT' : 'UNAVAILABLE', ambiguous: true };
}

/** The error and its causes. `fetch` hides the error of the connection in a cause. */
function causesOf(error: unknown): readonly ErrorLike[] {
  const found: ErrorLike[] = [];
  for (let next = error; typeof next === 'object' && next !== null && found.length < MAX_CAUSES; ) {
    found.push(next);
    next = (next as ErrorLike).cause;
  }
  return found;
}
