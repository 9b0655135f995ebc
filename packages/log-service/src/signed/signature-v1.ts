import { createHmac } from 'node:crypto';
import type { AccessKey } from './access-key.js';
import { isServiceHeader, type SignedParts, sortedByName } from './canonical.js';

/**
 * Makes the header `authorization` of version 1. The headers have `date`, and `content-md5` if there is a body.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures
 */
export function authorizationV1({ method, url, headers }: SignedParts, key: AccessKey): string {
  const serviceHeaders = sortedByName(Object.entries(headers).filter(([name]) => isServiceHeader(name)));
  // The service reads the values of the query decoded.
  const query = sortedByName(url.searchParams).map(([name, value]) => `${name}=${value}`);
  const stringToSign = [
    method,
    headers['content-md5'] ?? '',
    headers['content-type'] ?? '',
    headers.date,
    ...serviceHeaders.map(([name, value]) => `${name}:${value.trim()}`),
    url.pathname + (query.length > 0 ? `?${query.join('&')}` : ''),
  ].join('\n');
  return `LOG ${key.accessKeyId}:${createHmac('sha1', key.accessKeySecret).update(stringToSign).digest('base64')}`;
}
