import type { DeliveryCode } from '../contract/errors.js';
import { throughProxy } from './answer.js';
import { attempt } from './attempt.js';
import { PROXY_ERRORS } from './proxy.js';

/** The classification of a request that got no response. */
export interface NoAnswer {
  readonly code: DeliveryCode;
  /** False if the service cannot have received the request. */
  readonly ambiguous: boolean;
  /**
   * In one line, the messages of the error and its causes, and what to do about a certificate or a limit of this machine:
   * `fetch failed: connect ECONNREFUSED 127.0.0.1:443`. Names the proxy that the request went through.
   */
  readonly reason: string;
}

/**
 * Classifies a request that got no response, by the error that the HTTP client threw and its causes down to the fifth level.
 *
 * - `TIMEOUT`: `signal` is aborted, or the error is an `AbortError`, a `TimeoutError` or a timeout of undici.
 * - `NETWORK`: a code of the network, such as `ECONNRESET`.
 * - `AGAIN`: the same, on a connection of `createHttpClient()` that had served another request.
 * - `MISCONFIGURED`: a certificate that is refused, or a request that could not be made, for its URL or its headers.
 * - `UNAVAILABLE`: a limit of this machine, such as `EMFILE`, or any other value.
 *
 * It is ambiguous unless the request cannot have been received: `createHttpClient()` tells that, of other clients some codes do.
 */
export function noAnswer(error: unknown, signal?: AbortSignal): NoAnswer {
  const errors = causesOf(error);
  const codes = errors.map(codeOf).filter((code) => code !== undefined);
  const meaning = codes.map(meaningOf).find((found) => found !== undefined);
  const progress = errors.map((each) => each[PROGRESS]).find((found) => found !== undefined);
  const texts = errors.map(textOf).filter((text) => text !== '');
  const text = (texts.join(': ') || (attempt(() => String(error)) ?? 'an object without a text'))
    .replace(/\s+/g, ' ')
    .trim();
  const reason = text + throughProxy(progress?.proxy);
  const advice = meaning?.advice === undefined ? '' : ` (${meaning.advice})`;
  const ambiguous = progress ? progress.phase === 'waiting' : !(meaning?.isNeverSent ?? false);
  const name = errors[0]?.name;
  const timeout = { code: 'TIMEOUT', ambiguous: progress ? ambiguous : true, reason } as const;
  if (signal?.aborted || name === 'AbortError' || codes.some((code) => TIMED_OUT.has(code))) return timeout;
  if (meaning?.code === 'NETWORK' && progress?.isReused) return { code: 'AGAIN', ambiguous, reason };
  // The AWS SDK names some broken connections "TimeoutError".
  if (meaning) return { code: meaning.code, ambiguous, reason: reason + advice };
  if (name === 'TimeoutError') return timeout;
  return { code: progress?.phase === 'preparing' ? 'MISCONFIGURED' : 'UNAVAILABLE', ambiguous, reason };
}

/**
 * Marks the error of a request that could not be made, so that no byte was sent: {@link noAnswer} takes it for a wrong
 * setting, unless its code says more. A value that takes no mark stays as it is.
 */
export function markUnsent(error: unknown): void {
  markProgress(error, { phase: 'preparing', isReused: false });
}

/** How far a request came that got no response. */
export interface RequestProgress {
  /** `preparing`: not begun. `sending`: a part of it is still in this process. `waiting`: its connection has all of it, so the service may have it. */
  readonly phase: 'preparing' | 'sending' | 'waiting';
  /** Its connection had served another request: the server may have closed it before. */
  readonly isReused: boolean;
  /** The proxy that it goes through, without user name and password. @default none */
  readonly proxy?: string | undefined;
}

/** Notes on an error how far its request came, for {@link noAnswer}. */
export function markProgress(error: unknown, progress: RequestProgress): void {
  if (typeof error !== 'object' || error === null || !Object.isExtensible(error)) return;
  Object.defineProperty(error, PROGRESS, { value: progress, configurable: true });
}

/** Host and port of a URL, for messages: `"logs.us-east-1.amazonaws.com:443"`. */
export function addressOf(url: {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: string | number | undefined;
}): string {
  return `${url.hostname}:${url.port || (url.protocol === 'http:' ? 80 : 443)}`;
}

/** Code of the error for a request that was not sent completely: connecting, or sending, made no progress for too long. */
export const STALLED = 'ERR_STALLED';

/** Other copies of this package read it. */
const PROGRESS = Symbol.for('logferry.requestProgress');

/** Codes of limits that undici has of its own. */
const TIMED_OUT: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

const MAX_CAUSES = 5;

/** What the code of an error says. */
interface Meaning {
  readonly code: DeliveryCode;
  /** The service cannot have received the request. */
  readonly isNeverSent: boolean;
  readonly advice?: string;
}

const UNREACHABLE: Meaning = { code: 'NETWORK', isNeverSent: true };
const BROKEN: Meaning = { code: 'NETWORK', isNeverSent: false };
const UNTRUSTED: Meaning = {
  code: 'MISCONFIGURED',
  isNeverSent: true,
  advice: 'if the server is the right one, name the file of its certificate authority in NODE_EXTRA_CA_CERTS',
};
const WRONG_CERTIFICATE: Meaning = {
  code: 'MISCONFIGURED',
  isNeverSent: true,
  advice: 'check the endpoint, the certificate of the server, and the clock of this machine',
};
/** A limit of this machine, which may pass. */
const EXHAUSTED: Meaning = {
  code: 'UNAVAILABLE',
  isNeverSent: true,
  advice: 'this machine has no more files, ports or memory for a connection: raise its limit, as by ulimit -n',
};
const INVALID_REQUEST: Meaning = { code: 'MISCONFIGURED', isNeverSent: true };
const PROXY_LOGIN: Meaning = {
  code: 'MISCONFIGURED',
  isNeverSent: true,
  advice: 'the proxy wants a user name and a password, or other ones: they belong into its URL',
};
const PROXY_REFUSAL: Meaning = {
  code: 'MISCONFIGURED',
  isNeverSent: true,
  advice: 'the rules of the proxy have to allow the connection, or its URL is wrong',
};
const PROXY_FAILURE: Meaning = {
  code: 'UNAVAILABLE',
  isNeverSent: true,
  advice: 'the proxy does not reach the service',
};

/** Codes of the operating system, of name servers, of OpenSSL, of Node.js, its `fetch` and {@link STALLED}. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ...meaning(UNREACHABLE, 'ECONNREFUSED EHOSTDOWN EHOSTUNREACH ENETDOWN ENETUNREACH UND_ERR_CONNECT_TIMEOUT', STALLED),
  ...meaning(UNREACHABLE, 'EAI_AGAIN EAI_FAIL EAI_NODATA EAI_NONAME ENODATA ENOTFOUND EREFUSED ESERVFAIL'),
  ...meaning(BROKEN, 'ECONNABORTED ECONNRESET ENETRESET ENOTCONN EPIPE EPROTO ESHUTDOWN ESOCKETTIMEDOUT ETIMEDOUT'),
  ...meaning(BROKEN, 'ERR_SOCKET_CLOSED ERR_STREAM_PREMATURE_CLOSE UND_ERR_CLOSED UND_ERR_SOCKET'),
  ...meaning(UNTRUSTED, 'CERT_UNTRUSTED DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN'),
  ...meaning(UNTRUSTED, 'UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  ...meaning(
    WRONG_CERTIFICATE,
    'CERT_HAS_EXPIRED CERT_NOT_YET_VALID CERT_REJECTED CERT_REVOKED CERT_SIGNATURE_FAILURE',
  ),
  ...meaning(WRONG_CERTIFICATE, 'ERR_TLS_CERT_ALTNAME_INVALID HOSTNAME_MISMATCH INVALID_CA INVALID_PURPOSE'),
  ...meaning(EXHAUSTED, 'EADDRINUSE EADDRNOTAVAIL EMFILE ENFILE ENOBUFS ENOMEM'),
  ...meaning(
    INVALID_REQUEST,
    'ERR_HTTP_INVALID_HEADER_VALUE ERR_INVALID_ARG_TYPE ERR_INVALID_ARG_VALUE ERR_INVALID_CHAR',
  ),
  ...meaning(INVALID_REQUEST, 'ERR_INVALID_HTTP_TOKEN ERR_INVALID_PROTOCOL ERR_INVALID_URL ERR_SOCKET_BAD_PORT'),
  ...meaning(INVALID_REQUEST, 'ERR_SYSTEM_ERROR ERR_UNESCAPED_CHARACTERS', PROXY_ERRORS.isInvalid),
  ...meaning(PROXY_LOGIN, PROXY_ERRORS.wantsLogin),
  ...meaning(PROXY_REFUSAL, PROXY_ERRORS.refuses),
  ...meaning(PROXY_FAILURE, PROXY_ERRORS.fails),
]);

function meaning(of: Meaning, ...codes: string[]): [string, Meaning][] {
  return codes.flatMap((some) => some.split(' ').map((code): [string, Meaning] => [code, of]));
}

/** All codes of OpenSSL, and of the parser of HTTP, tell that the connection does not work. */
function meaningOf(code: string): Meaning | undefined {
  return MEANINGS.get(code) ?? (/^(ERR_SSL|HPE)_/.test(code) ? BROKEN : undefined);
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  /** Of an `AggregateError`: one for each address of a host. */
  readonly errors?: unknown;
  readonly [PROGRESS]?: RequestProgress;
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

function codeOf({ code, errors }: ErrorLike): string | undefined {
  const codes = [code, ...partsOf(errors).map((part) => part.code)];
  return codes.find((each) => typeof each === 'string');
}

function textOf({ message, code, errors }: ErrorLike): string {
  const parts = partsOf(errors).map((part) => part.message);
  const text = message || parts.filter((part) => typeof part === 'string' && part).join(', ') || code;
  return typeof text === 'string' ? text : '';
}

function partsOf(errors: unknown): readonly ErrorLike[] {
  return Array.isArray(errors) ? errors.filter((part) => typeof part === 'object' && part !== null) : [];
}
