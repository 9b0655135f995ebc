import type { DeliveryCode } from '../contract/errors.js';

/** A response as an HTTP client gives it: that of `createHttpClient()`, of `fetch`, or of an SDK. */
export interface ReceivedResponse {
  readonly status: number;
  /** Values by name in lower case, or an object with the method `get`. */
  readonly headers: Readonly<Record<string, string | undefined>> | { get(name: string): string | null | undefined };
  /** As much of the body as came. @default nothing */
  readonly body?: Uint8Array | string | undefined;
  /** The proxy that it came through, without user name and password. @default none */
  readonly proxy?: string | undefined;
}

/** A response of `createHttpClient()`, of any status. */
export interface HttpResponse {
  /** The HTTP status: 200, for example. */
  readonly status: number;
  /** Values by name in lower case. A header that came several times has its values joined by commas. */
  readonly headers: Record<string, string>;
  /** The part of the body that came, up to 1 MiB or the client's `maxResponseBytes`, without its `Content-Encoding` (gzip, deflate or br). */
  readonly body: Uint8Array;
  /** False if the body broke off, took longer than 4 s (from status 300 on), was larger, or has another encoding: then it is empty. */
  readonly complete: boolean;
  /** The proxy that it came through, without user name and password: `"http://proxy.example:3128"`. */
  readonly proxy?: string | undefined;
}

/** What a response says, as far as it came: a status counts although the body broke off. */
export interface Answer {
  readonly status: number;
  /** The service's name for the request. */
  readonly requestId: string | undefined;
  /** The service's name for the error; empty if the response has none. */
  readonly errorName: string;
  /** In one line, the service's text for the error, or the target of a redirection, or the beginning of the body. */
  readonly text: string;
  /** The wait that the response asks for, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;
  /** The proxy that it came through, without user name and password. */
  readonly proxy?: string | undefined;
}

/** What a service writes into its responses. */
export interface AnswerFormat {
  /** The header with the name of the request, in lower case: `'x-amzn-requestid'`. @default no name */
  readonly requestIdHeader?: string | undefined;
  /** Reads name and text of an error from a body. `undefined` if the body is not the service's. @default none is */
  readonly readError?: (body: string) => { readonly name: string; readonly text: string } | undefined;
}

/** Reads a response. Never throws. */
export function readAnswer({ status, headers, body, proxy }: ReceivedResponse, format: AnswerFormat = {}): Answer {
  const { requestIdHeader, readError } = format;
  const header = (name: string): string | undefined =>
    (typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, string>)[name]) ?? undefined;
  const content = body instanceof Uint8Array ? new TextDecoder().decode(body) : (body ?? '');
  const error = readError?.(content);
  const location = status >= 300 && status < 400 ? header('location') : undefined;
  return {
    status,
    requestId: requestIdHeader === undefined ? undefined : header(requestIdHeader),
    errorName: error?.name ?? '',
    text: excerpt(error?.text ?? (location === undefined ? content : `redirects to ${withoutQuery(location)}`)),
    retryAfterMs: parseRetryAfter(header('retry-after'), header('date')),
    ...(proxy !== undefined && { proxy }),
  };
}

/**
 * Classifies a response that is not the service's success: the code, and whether the service may have stored the batch.
 * `named` is what the service's own name for the error, or a status of its own, stands for: `INVALID`, for example. It counts
 * less than a rate limit or a status from 500 on. Without it, any status below 500 other than 401, 403, 407, 408, 413
 * and 429 is `MISCONFIGURED`: some other server may have given it.
 */
export function classifyAnswer(
  { status, requestId, errorName }: Pick<Answer, 'status' | 'requestId' | 'errorName'>,
  named?: DeliveryCode,
): { readonly code: DeliveryCode; readonly ambiguous: boolean } {
  if (status < 400) {
    // The service's own success whose body was damaged on its way. A proxy that answers instead may have passed the request on.
    const isDamaged = isSuccess(status) && requestId !== undefined && errorName === '';
    return { code: isDamaged ? 'UNAVAILABLE' : 'MISCONFIGURED', ambiguous: isSuccess(status) };
  }
  if (named === 'THROTTLED' || status === 429) return { code: 'THROTTLED', ambiguous: false };
  if (status >= 500) return { code: 'UNAVAILABLE', ambiguous: true };
  const code = named ?? CODES.get(status) ?? 'MISCONFIGURED';
  return { code, ambiguous: code === 'UNAVAILABLE' || code === 'TIMEOUT' };
}

/** States a response in a message: `HTTP 400 WriteQuotaExceed: the text`, or `HTTP 403, through the proxy http://proxy:3128`. */
export function describeAnswer({
  status,
  errorName,
  text,
  proxy,
}: Pick<Answer, 'status' | 'errorName' | 'text' | 'proxy'>): string {
  return `HTTP ${status}${errorName && ` ${errorName}`}${text && `: ${text}`}${throughProxy(proxy)}`;
}

/** States the proxy of a request in a message; empty without one. */
export function throughProxy(label: string | undefined): string {
  return label === undefined ? '' : `, through the proxy ${label}`;
}

/** Whether a status claims success. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/**
 * Reads a header `Retry-After`, in seconds or as a date. A date is compared with the response's own, since the clocks of service
 * and machine may differ.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 *
 * @returns milliseconds from now, at least 0; `undefined` if the header is absent or not valid
 */
function parseRetryAfter(header: string | undefined, date?: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const nowMs = Date.parse(date ?? '');
  const ms = /^\d+$/.test(header)
    ? Number(header) * 1000
    : Date.parse(header) - (Number.isNaN(nowMs) ? Date.now() : nowMs);
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Codes of a status that means the same with every service, and with a proxy before it. */
const CODES: ReadonlyMap<number, DeliveryCode> = new Map([
  [401, 'AUTH'],
  [403, 'AUTH'],
  [407, 'AUTH'],
  [408, 'TIMEOUT'],
  [413, 'TOO_LARGE'],
]);

const MAX_EXCERPT_LENGTH = 200;

/** The part of a page that is looked at: most of it can be markup. */
const MAX_MARKUP_LENGTH = 4096;

/** The beginning of a text, of a page without its markup. */
function excerpt(text: string): string {
  const head = text.slice(0, MAX_MARKUP_LENGTH);
  const plain = /^\s*</.test(head) ? head.replace(/<[^>]*>/g, ' ') : head;
  return plain.replace(/\s+/g, ' ').trim().slice(0, MAX_EXCERPT_LENGTH);
}

/** The query of a page to log in may be a secret. */
function withoutQuery(location: string): string {
  return location.replace(/[?#].*$/s, '');
}
