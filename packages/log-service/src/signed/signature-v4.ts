import { createHmac, hash } from 'node:crypto';
import type { AccessKey } from './access-key.js';
import { isServiceHeader, percentEncoded, type SignedParts, sortedByName } from './canonical.js';

/**
 * Makes the header `authorization` of version 4. The headers have `x-log-date` and `x-log-content-sha256`.
 * https://github.com/aliyun/aliyun-log-go-sdk/blob/master/signature_v4.go
 */
export function authorizationV4({ method, url, headers }: SignedParts, key: AccessKey, region: string): string {
  const { 'x-log-date': dateTime = '', 'x-log-content-sha256': bodyHash } = headers;
  const signedHeaders = sortedByName(Object.entries(headers).filter(([name]) => isSigned(name)));
  const canonicalRequest = [
    method,
    url.pathname,
    sortedByName(url.searchParams).map(canonicalParameter).join('&'),
    ...signedHeaders.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    signedHeaders.map(([name]) => name).join(';'),
    bodyHash,
  ].join('\n');
  const date = dateTime.slice(0, 8);
  const scope = `${date}/${region}/${SERVICE}/${TERMINATOR}`;
  const stringToSign = [ALGORITHM, dateTime, scope, hash('sha256', canonicalRequest)].join('\n');
  const signingKey = signingKeyOf(key.accessKeySecret, date, region);
  return `${ALGORITHM} Credential=${key.accessKeyId}/${scope},Signature=${hmac(signingKey, stringToSign).toString('hex')}`;
}

const ALGORITHM = 'SLS4-HMAC-SHA256';
const SERVICE = 'sls';
const TERMINATOR = 'aliyun_v4_request';

function isSigned(name: string): boolean {
  return isServiceHeader(name) || name === 'host' || name === 'content-type';
}

/** The name stays as it is, and one without a value has no `=`. */
function canonicalParameter([name, value]: readonly [string, string]): string {
  return value === '' ? name : `${name}=${percentEncoded(value)}`;
}

/** A key for a day, which all requests of the day take. */
function signingKeyOf(secret: string, date: string, region: string): Buffer {
  const scope = [date, region, secret].join('\n');
  let signingKey = signingKeys.get(scope);
  if (!signingKey) {
    signingKey = [date, region, SERVICE, TERMINATOR].reduce(hmac, Buffer.from(`aliyun_v4${secret}`));
    if (signingKeys.size === MAX_SIGNING_KEYS) signingKeys.clear();
    signingKeys.set(scope, signingKey);
  }
  return signingKey;
}

const signingKeys = new Map<string, Buffer>();

/** Enough for the keys of several destinations around midnight. */
const MAX_SIGNING_KEYS = 16;

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
