import type { HttpClient } from '@logferry/core';
import type { Compression } from './compress.js';
import type { LogServiceFetch } from './options.js';

/** What came back, if anything did. */
export interface PutResponse {
  readonly status: number;
  /** The service's own name for an error: `"WriteQuotaExceed"`. Empty when the answer has none. */
  readonly errorCode: string;
  /** The service's text, or the beginning of whatever else came. */
  readonly errorMessage: string;
  readonly requestId: string | undefined;
  /** The header `Retry-After`. */
  readonly retryAfter: string | undefined;
  /** The service stored the logs. */
  readonly stored: boolean;
}

/**
 * One PutWebTracking request. Throws what `fetch` throws when there is no answer.
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
    // Following would make a GET of it, and take that page for an answer.
    redirect: 'manual',
  });
  const { status, headers } = response;
  // The status has the answer. What comes after it may break off, but has to be read for the connection to be used again.
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

/** The part of `fetch` that we need, by requests that do not keep the process alive. */
export function fetchOver(http: HttpClient): LogServiceFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await http.request({ url, method, headers, body, signal });
    return {
      status: answer.status,
      headers: { get: (name) => answer.headers[name] ?? null },
      text: async () => new TextDecoder().decode(answer.body),
    };
  };
}

const MAX_EXCERPT_LENGTH = 200;

/** The service answers with JSON, but what stands before it may not. */
function readError(text: string): Pick<PutResponse, 'errorCode' | 'errorMessage'> {
  try {
    const { errorCode, errorMessage } = JSON.parse(text);
    if (typeof errorCode === 'string') return { errorCode, errorMessage: excerpt(String(errorMessage ?? '')) };
  } catch {
    // An excerpt of the text has to do.
  }
  return { errorCode: '', errorMessage: excerpt(text) };
}

function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_EXCERPT_LENGTH);
}
