import { type Answer, type HttpClient, isSuccess, type ReceivedResponse, readAnswer } from '@logferry/core';
import type { LogServiceFetch } from '../options/options.js';
import { SECURITY_TOKEN_HEADER } from '../signed/canonical.js';

/** A request, all of it as it is sent. */
export interface LogServiceRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A request that reads. */
export interface LogServiceGet {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: 'GET';
  readonly body: undefined;
}

/** A response of the service, or of some other server at its address. */
export interface LogServiceResponse extends Answer {
  /** The time of the service minus the time of this machine, in milliseconds; `undefined` if not known. */
  readonly clockOffsetMs: number | undefined;
  /** Whether the service proves that it did what was asked: by a success with its request id. */
  readonly done: boolean;
}

/** Posts a request. Rejects with the error of `fetch` if no response came. */
export async function post(
  fetch: LogServiceFetch | ProgressFetch,
  { url, headers, body: content }: LogServiceRequest,
  signal: AbortSignal,
  progress?: (() => void) | undefined,
): Promise<LogServiceResponse> {
  const sentMs = Date.now();
  const request: Parameters<LogServiceFetch>[1] = {
    method: 'POST',
    headers: { ...headers },
    body: content as Uint8Array & { readonly buffer: ArrayBuffer },
    signal,
    // `fetch` would follow with a GET, and return that page as the response.
    redirect: 'manual',
  };
  const response = await fetch(url, request, progress);
  const { status, proxy } = response as ProxiedResponse;
  const clockOffsetMs = offsetOf(response.headers.get('date'), sentMs);
  // The status decides. The body may break off, but reading it frees the connection for the next request.
  const body = await response.text().catch(() => '');
  return readResponse({ status, headers: response.headers, body, proxy }, headers, clockOffsetMs);
}

/** A response with what was asked for. */
export interface LogServicePage extends LogServiceResponse {
  /** As it came; not to be quoted in messages. */
  readonly content: string;
  /** The value of the header `x-log-progress`. */
  readonly progress: string | undefined;
}

/** Makes a request that reads. Rejects with the error of the client if no response came. It is not `done` if the body broke off. */
export async function get(
  http: HttpClient,
  { url, headers, method }: LogServiceGet,
  signal: AbortSignal,
): Promise<LogServicePage> {
  const sentMs = Date.now();
  const response = await http.request({ url, method, headers, body: '', signal });
  const content = new TextDecoder().decode(response.body);
  const clockOffsetMs = offsetOf(response.headers.date, sentMs);
  const answer = readResponse({ ...response, body: content }, headers, clockOffsetMs);
  const progress = response.headers['x-log-progress'];
  return { ...answer, done: answer.done && response.complete, content, progress };
}

function readResponse(
  { body, ...received }: ReceivedResponse & { readonly body: string },
  requestHeaders: Readonly<Record<string, string>>,
  clockOffsetMs: number | undefined,
): LogServiceResponse {
  const token = requestHeaders[SECURITY_TOKEN_HEADER];
  // A server may quote the request, and messages quote the response.
  const quotable = token === undefined ? body : body.replaceAll(token, '…');
  const answer = readAnswer({ ...received, body: quotable }, { requestIdHeader: 'x-log-requestid', readError });
  const { status, requestId, errorName } = answer;
  return { ...answer, clockOffsetMs, done: isSuccess(status) && requestId !== undefined && errorName === '' };
}

/** A `fetch` function that tells the progress of sending the body. */
export type ProgressFetch = (
  ...request: [...Parameters<LogServiceFetch>, progress: (() => void) | undefined]
) => Promise<ProxiedResponse>;

/** A response of our own client tells its proxy. */
type ProxiedResponse = Awaited<ReturnType<LogServiceFetch>> & { readonly proxy?: string | undefined };

/** Makes a `fetch` function of a client whose requests do not keep the process alive. */
export function fetchOver(http: HttpClient): ProgressFetch {
  return async (url, { method, headers, body, signal }, onProgress) => {
    const response = await http.request({ url, method, headers, body, signal, onProgress });
    return {
      status: response.status,
      proxy: response.proxy,
      headers: { get: (name) => response.headers[name] ?? null },
      text: async () => new TextDecoder().decode(response.body),
    };
  };
}

/** After a longer wait the process, or the machine, may have slept while the response lay there. */
const MAX_WAIT_MS = 60_000;

function offsetOf(dateHeader: string | null | undefined, sentMs: number): number | undefined {
  const nowMs = Date.now();
  const offsetMs = Date.parse(dateHeader ?? '') - nowMs;
  return Number.isNaN(offsetMs) || Math.abs(nowMs - sentMs) > MAX_WAIT_MS ? undefined : offsetMs;
}

/** The service responds with JSON, a proxy before it may not. */
function readError(body: string): { readonly name: string; readonly text: string } | undefined {
  try {
    const { errorCode, errorMessage } = JSON.parse(body);
    return typeof errorCode === 'string' ? { name: errorCode, text: String(errorMessage ?? '') } : undefined;
  } catch {
    return undefined;
  }
}
