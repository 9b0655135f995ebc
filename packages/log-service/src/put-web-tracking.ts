import { type Answer, type HttpClient, isSuccess, readAnswer } from '@logferry/core';
import type { Compression } from './compress.js';
import type { LogServiceFetch } from './options.js';

/** A response of the service, or of some other server at its address. */
export interface PutResponse extends Answer {
  /** The time of the service minus the time of this machine, in milliseconds; `undefined` if not known. */
  readonly clockOffsetMs: number | undefined;
  /** Whether the service proves that it stored the logs: by a success with its request id. */
  readonly stored: boolean;
}

/**
 * Makes one PutWebTracking request. Rejects with the error of `fetch` if no response came.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/api-putwebtracking
 */
export async function putWebTracking(
  { url, fetch }: { readonly url: string; readonly fetch: LogServiceFetch | ProgressFetch },
  body: { readonly bytes: Uint8Array; readonly rawSize: number; readonly compression: Compression | undefined },
  signal: AbortSignal,
  progress: (() => void) | undefined,
): Promise<PutResponse> {
  const sentMs = Date.now();
  const request: Parameters<LogServiceFetch>[1] = {
    method: 'POST',
    headers: {
      'x-log-apiversion': '0.6.0',
      'x-log-bodyrawsize': String(body.rawSize),
      ...(body.compression !== undefined && { 'x-log-compresstype': body.compression }),
      'content-type': 'application/json',
    },
    body: body.bytes as Uint8Array<ArrayBuffer>,
    signal,
    // `fetch` would follow with a GET, and return that page as the response.
    redirect: 'manual',
  };
  const response = await fetch(url, request, progress);
  const { status, headers } = response;
  const clockOffsetMs = offsetOf(headers.get('date'), sentMs);
  // The status decides. The body may break off, but reading it frees the connection for the next request.
  const text = await response.text().catch(() => '');
  const answer = readAnswer({ status, headers, body: text }, { requestIdHeader: 'x-log-requestid', readError });
  const { requestId, errorName } = answer;
  return { ...answer, clockOffsetMs, stored: isSuccess(status) && requestId !== undefined && errorName === '' };
}

/** A `fetch` function that tells the progress of sending the body. */
export type ProgressFetch = (
  ...request: [...Parameters<LogServiceFetch>, progress: (() => void) | undefined]
) => ReturnType<LogServiceFetch>;

/** Makes a `fetch` function of a client whose requests do not keep the process alive. */
export function fetchOver(http: HttpClient): ProgressFetch {
  return async (url, { method, headers, body, signal }, onProgress) => {
    const response = await http.request({ url, method, headers, body, signal, onProgress });
    return {
      status: response.status,
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
