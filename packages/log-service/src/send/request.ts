import { type Answer, type HttpClient, isSuccess, readAnswer } from '@logferry/core';
import type { LogServiceFetch } from '../options/options.js';
import { SECURITY_TOKEN_HEADER } from '../signed/canonical.js';

/** A request, all of it as it is sent. */
export interface LogServiceRequest {
  /** @default 'POST' */
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A response of the service, or of some other server at its address. */
export interface LogServiceResponse extends Answer {
  /** The time of the service minus the time of this machine, in milliseconds; `undefined` if not known. */
  readonly clockOffsetMs: number | undefined;
  /** Whether the service proves that it did what was asked: by a success with its request id. */
  readonly done: boolean;
}

/** Makes a request. Rejects with the error of `fetch` if no response came. */
export async function exchange(
  fetch: LogServiceFetch | ProgressFetch,
  { method = 'POST', url, headers, body: content }: LogServiceRequest,
  signal: AbortSignal,
  progress?: (() => void) | undefined,
): Promise<LogServiceResponse> {
  const sentMs = Date.now();
  const request: Parameters<LogServiceFetch>[1] = {
    // Only an inspection, which has no `fetch` of the user's, makes another request than POST.
    method: method as 'POST',
    headers: { ...headers },
    body: content as Uint8Array<ArrayBuffer>,
    signal,
    // `fetch` would follow with a GET, and return that page as the response.
    redirect: 'manual',
  };
  const response = await fetch(url, request, progress);
  const { status, proxy } = response as ProxiedResponse;
  const clockOffsetMs = offsetOf(response.headers.get('date'), sentMs);
  // The status decides. The body may break off, but reading it frees the connection for the next request.
  const text = await response.text().catch(() => '');
  const token = headers[SECURITY_TOKEN_HEADER];
  // A server may quote the request, and messages quote the response.
  const body = token === undefined ? text : text.replaceAll(token, '…');
  const received = { status, headers: response.headers, body, proxy };
  const answer = readAnswer(received, { requestIdHeader: 'x-log-requestid', readError });
  const { requestId, errorName } = answer;
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

function offsetOf(dateHeader: string | null, sentMs: number): number | undefined {
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
