import { hash } from 'node:crypto';
import type { AccessKey } from './access-key.js';
import { SECURITY_TOKEN_HEADER } from './canonical.js';
import { authorizationV1 } from './signature-v1.js';
import { authorizationV4 } from './signature-v4.js';

/** A request without the headers that {@link signRequest} adds. */
export interface UnsignedRequest {
  readonly method: 'POST' | 'GET' | 'PUT' | 'DELETE';
  /** The full URL. A name may be in its query once. */
  readonly url: string;
  /** Values by name in lower case, without `host`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they are sent: compressed, if the request is. */
  readonly body: Uint8Array | undefined;
}

/**
 * Signs a request: by version 4 if there is a region, else by version 1.
 *
 * @param options.region the region of the project, as `"cn-hangzhou"`
 * @param options.dateMs the time in epoch milliseconds; the service refuses 15 minutes of difference to its own
 * @returns the headers of the request, and those that the signature takes
 */
export function signRequest(
  request: UnsignedRequest,
  key: AccessKey,
  { region, dateMs }: { readonly region: string | undefined; readonly dateMs: number },
): Record<string, string> {
  const { method, body } = request;
  const url = new URL(request.url);
  const date = new Date(dateMs);
  const ownHeaders = { ...request.headers, ...(key.securityToken && { [SECURITY_TOKEN_HEADER]: key.securityToken }) };
  if (region === undefined) {
    const headers = {
      ...ownHeaders,
      ...(body && { 'content-md5': hash('md5', body).toUpperCase() }),
      date: date.toUTCString(),
      'x-log-signaturemethod': 'hmac-sha1',
    };
    return { ...headers, authorization: authorizationV1({ method, url, headers }, key) };
  }
  const headers = {
    ...ownHeaders,
    'x-log-content-sha256': hash('sha256', body ?? ''),
    'x-log-date': basicDate(date),
  };
  const signedHeaders = { ...headers, host: url.host };
  return { ...headers, authorization: authorizationV4({ method, url, headers: signedHeaders }, key, region) };
}

/** `20261122T204553Z` */
function basicDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '');
}
