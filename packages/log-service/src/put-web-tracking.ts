import type { HttpClient } from '@logferry/core';
import type { Compression } from './compress.js';
import type { LogServiceFetch } from './options.js';

/** A response of the service, or of some other server at its address. */
export interface PutResponse {
  readonly status: number;
  /** The service's name for an error: `"WriteQuotaExceed"`. Empty if the response has none. */
  readonly errorCode: string;
  /** The service's text for an error, or the beginning of a body that is not the service's. */
  readonly errorMessage: string;
  readonly requestId: string | undefined;
  /** Value of the header `Retry-After`. */
  readonly retryAfter: string | undefined;
  /** Whether the service stored the logs. */
  readonly stored: boolean;
}

/**
 * Makes one PutWebTracking request. Rejects with the error of `fetch` if no response came.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/api-putwebtracking
 */
export async function putWebTracking(
  { url, fetch }: { readonly url: string; readonly fetch: LogServiceFetch },
  body: { readonly bytes: Uint8Array; readonly rawSize: number; readonly compression: Compression | undefined },
  signal: AbortSignal,
): Promise<PutResponse> {
  const response = await fetch(url, {
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
  });
  const { status, headers } = response;
  // The status decides. The body may break off, but reading it frees the connection for the next request.
  const text = await response.text().catch(() => '');
  const requestId = headers.get('x-log-requestid') ?? undefined;
  const isPage = /html/i.test(headers.get('content-type') ?? '') && requestId === undefined;
  return {
    status,
    ...readError(text),
    requestId,
    retryAfter: headers.get('retry-after') ?? undefined,
    stored: status >= 200 && status < 300 && !isPage,
  };
}

/** Makes a `fetch` function of a client whose requests do not keep the process alive. */
export function fetchOver(http: HttpClient): LogServiceFetch {
  return async (url, { method, headers, body, signal }) => {
    const response = await http.request({ url, method, headers, body, signal });
    return {
      status: response.status,
      headers: { get: (name) => response.headers[name] ?? null },
      text: async () => new TextDecoder().decode(response.body),
    };
  };
}

const MAX_EXCERPT_LENGTH = 200;

/** The service responds with JSON, a proxy before it may not. */
function readError(text: string): Pick<PutResponse, 'errorCode' | 'errorMessage'> {
  try {
    const { errorCode, errorMessage } = JSON.parse(text);
    if (typeof errorCode === 'string') return { errorCode, errorMessage: excerpt(String(errorMessage ?? '')) };
  } catch {
    // The excerpt below is all that can be said.
  }
  return { errorCode: '', errorMessage: excerpt(text) };
}

function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_EXCERPT_LENGTH);
}
