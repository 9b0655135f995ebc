import type { DeliveryCode } from '../contract/errors.js';
import { NEVER_SENT } from './http.js';

/**
 * The code of a request that a service, or a proxy before it, refused with this HTTP status: `AUTH` for 401, 403 and 407,
 * `TIMEOUT` for 408, `TOO_LARGE` for 413, `THROTTLED` for 429, `UNAVAILABLE` from 500 on.
 *
 * @returns `undefined` for any other status: its meaning depends on the service. A 404 is a missing target or a wrong
 *   endpoint, a 400 is a bad record or a bad request, a 302 no answer of the service at all
 */
export function codeOfStatus(status: number): DeliveryCode | undefined {
  return status >= 500 ? 'UNAVAILABLE' : CODES.get(status);
}

/** What is known of a request that got no response. */
export interface NoAnswer {
  readonly code: DeliveryCode;
  /** False if the service cannot have received the request. */
  readonly ambiguous: boolean;
  /** The messages of the error and its causes: `fetch failed: connect ECONNREFUSED 127.0.0.1:443`. */
  readonly reason: string;
}

/**
 * Classifies a request that got no response, by what the HTTP client threw: `TIMEOUT` for an aborted `signal`, an
 * `AbortError` or a `TimeoutError`, `NETWORK` for an error with a code of the operating system, of Node.js or of undici,
 * `UNAVAILABLE` for any other value. Looks for the code in the error and in its causes, up to five levels deep.
 */
export function noAnswer(error: unknown, signal?: AbortSignal): NoAnswer {
  const errors = causesOf(error);
  const reason = errors.map(({ message, code }) => message || code).filter((text) => typeof text === 'string' && text);
  return { ...classify(errors, signal), reason: reason.join(': ') || String(error) };
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

/** The error and its causes: `fetch` puts the error of the connection there. */
function causesOf(error: unknown): readonly ErrorLike[] {
  const found: ErrorLike[] = [];
  for (let next = error; typeof next === 'object' && next !== null && found.length < MAX_CAUSES; ) {
    found.push(next);
    next = (next as ErrorLike).cause;
  }
  return found;
}
