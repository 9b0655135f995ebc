import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { accessKey, type Check } from '../checks.js';
import type { HttpRequest } from '../http.js';
import {
  expiredToken,
  invalidParameter,
  invalidToken,
  missingHeader,
  ServiceError,
  type Tolerate,
  timeExpired,
  unknownAccessKey,
  wrongSignature,
} from './errors.js';
import { headerOf } from './protocol.js';
import { MAX_SKEW_MS } from './rules.js';

/** Alibaba Cloud access keys: a static pair, or temporary ones with a token. */
export interface LogServiceCredentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Requests with this access key must carry the token. @default requests must have no token */
  readonly securityToken?: string;
  /** Requests after this time, by the emulator's clock, are refused. @default never */
  readonly expiration?: Date;
}

/** The check of {@link LogServiceCredentials}. */
export const ALIBABA_ACCESS_KEY: Check = accessKey({
  id: 'accessKeyId',
  secret: 'accessKeySecret',
  token: 'securityToken',
});

/** The credentials and the region for which requests must be signed. */
export interface Signatory {
  readonly credentials: readonly LogServiceCredentials[];
  readonly region: string;
}

/**
 * Checks the signature of a request, version 1 or 4: it signs the received request and compares. Throws a ServiceError if
 * time, credentials, hashes of the body, or signature are wrong. `now` is the service's time in epoch milliseconds.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures
 */
export function checkSignature(request: HttpRequest, signatory: Signatory, now: number, tolerate: Tolerate): void {
  const authorization = headerOf(request, 'authorization');
  if (!authorization) throw missingHeader('authorization');
  const version1 = VERSION_1.exec(authorization);
  if (version1) {
    const [, accessKeyId = '', signature = ''] = version1;
    const method = checkMethod(request, tolerate);
    checkTime(readRfc822Date(request), now);
    const { accessKeySecret } = findCredentials(request, accessKeyId, signatory, now);
    checkMd5(request, signature, tolerate);
    const expected = createHmac(method, accessKeySecret).update(stringToSignV1(request)).digest('base64');
    compare(expected, signature);
    return;
  }
  const version4 = VERSION_4.exec(authorization);
  if (!version4) throw invalidParameter(`Http extend authorization : ${authorization} pair is invalid.`);
  const [, accessKeyId = '', scopeDate = '', scopeRegion = '', signature = ''] = version4;
  const time = readBasicDate(request);
  checkTime(time, now);
  const { accessKeySecret } = findCredentials(request, accessKeyId, signatory, now);
  if (scopeDate !== time.text.slice(0, 8)) throw wrongSignature(signature, `the scope's date is ${scopeDate}`);
  if (scopeRegion !== signatory.region) throw wrongSignature(signature, `the scope's region is ${scopeRegion}`);
  if (headerOf(request, 'content-md5') !== undefined) checkMd5(request, signature, tolerate);
  const bodyHash = checkSha256(request, signature);
  const scope = `${scopeDate}/${scopeRegion}/sls/aliyun_v4_request`;
  const requestHash = sha256(canonicalRequestV4(request, bodyHash));
  let key: Buffer = Buffer.from(`aliyun_v4${accessKeySecret}`);
  for (const part of [
    scopeDate,
    scopeRegion,
    'sls',
    'aliyun_v4_request',
    `SLS4-HMAC-SHA256\n${time.text}\n${scope}\n${requestHash}`,
  ]) {
    key = createHmac('sha256', key).update(part).digest();
  }
  compare(key.toString('hex'), signature);
}

const VERSION_1 = /^LOG ([^:\s]+):([A-Za-z0-9+/]+=*)$/;
const VERSION_4 =
  /^SLS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/sls\/aliyun_v4_request,\s*Signature=([0-9a-f]{64})$/;
/** RFC 1123, as the documentation writes it: the day may have one digit. */
const RFC_822_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;
const BASIC_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

interface RequestTime {
  /** As sent. */
  readonly text: string;
  readonly epochMs: number;
  /** Writes a time in the same form. */
  format(time: number): string;
}

/** The hash function of version 1. The official gateway for JavaScript uses SHA-256, which the documentation does not have. */
function checkMethod(request: HttpRequest, tolerate: Tolerate): 'sha1' | 'sha256' {
  const method = headerOf(request, 'x-log-signaturemethod');
  if (method === undefined) throw missingHeader('x-log-signaturemethod');
  if (method === 'hmac-sha1') return 'sha1';
  const error = invalidParameter(`x-log-signaturemethod: ${method} pair is invalid.`);
  if (method !== 'hmac-sha256') throw error;
  tolerate(error);
  return 'sha256';
}

function readRfc822Date(request: HttpRequest): RequestTime {
  const text = headerOf(request, 'x-log-date') ?? headerOf(request, 'date');
  if (text === undefined) throw missingHeader('x-log-date');
  const epochMs = RFC_822_DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(epochMs)) throw invalidTime(text);
  return { text, epochMs, format: (time) => new Date(time).toUTCString() };
}

function readBasicDate(request: HttpRequest): RequestTime {
  const text = headerOf(request, 'x-log-date');
  if (text === undefined) throw missingHeader('x-log-date');
  const epochMs = BASIC_DATE.test(text) ? Date.parse(text.replace(BASIC_DATE, '$1-$2-$3T$4:$5:$6Z')) : Number.NaN;
  if (Number.isNaN(epochMs)) throw invalidTime(text);
  return { text, epochMs, format: (time) => new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '') };
}

function invalidTime(text: string): ServiceError {
  return new ServiceError('InvalidRequestTime', `Request time ${text} not follow RFC822 spec.`);
}

function checkTime({ text, epochMs, format }: RequestTime, now: number): void {
  if (Math.abs(epochMs - now) > MAX_SKEW_MS) throw timeExpired(text, format(now));
}

/** The credentials of the access key and the token. The same key may have several tokens. */
function findCredentials(
  request: HttpRequest,
  accessKeyId: string,
  { credentials }: Signatory,
  now: number,
): LogServiceCredentials {
  const candidates = credentials.filter((each) => each.accessKeyId === accessKeyId);
  if (candidates.length === 0) throw unknownAccessKey(accessKeyId);
  const token = headerOf(request, 'x-acs-security-token');
  const found = candidates.find(({ securityToken }) => securityToken === token);
  if (!found) throw invalidToken();
  if (found.expiration !== undefined && now >= found.expiration.getTime()) throw expiredToken();
  return found;
}

/** Version 1 covers the body by this hash. The pages call it required in one place, and optional in another. */
function checkMd5(request: HttpRequest, signature: string, tolerate: Tolerate): void {
  const claimed = headerOf(request, 'content-md5');
  if (claimed === undefined) {
    if (request.body.length > 0) tolerate(missingHeader('content-md5'));
    return;
  }
  const hash = createHash('md5').update(request.body).digest('hex').toUpperCase();
  // The official gateway for JavaScript sends an empty header without a body.
  if (claimed === '' && request.body.length === 0) return;
  if (claimed !== hash) throw wrongSignature(signature, `Content-MD5 is ${claimed}, but the body has ${hash}`);
}

/** Checks the hash of the body, and returns it. */
function checkSha256(request: HttpRequest, signature: string): string {
  const claimed = headerOf(request, 'x-log-content-sha256');
  if (claimed === undefined) throw missingHeader('x-log-content-sha256');
  const hash = sha256(request.body);
  if (claimed !== hash) throw wrongSignature(signature, `x-log-content-sha256 is ${claimed}, but the body has ${hash}`);
  return hash;
}

/** `x-log-date` takes the place of `Date`, and is not among the other headers. */
function stringToSignV1(request: HttpRequest): string {
  const { path, query } = splitUrl(request);
  const headers = headersOf(request, (name) => /^x-(?:log|acs)-/.test(name) && name !== 'x-log-date');
  const parameters = query.map(([name, value]) => `${name}=${value}`).join('&');
  return [
    request.method,
    headerOf(request, 'content-md5') ?? '',
    headerOf(request, 'content-type') ?? '',
    headerOf(request, 'x-log-date') ?? headerOf(request, 'date'),
    ...headers.map(([name, value]) => `${name}:${value}`),
    parameters === '' ? path : `${path}?${parameters}`,
  ].join('\n');
}

function canonicalRequestV4(request: HttpRequest, bodyHash: string): string {
  const { path, query } = splitUrl(request);
  const headers = headersOf(request, (name) => /^(?:content-type|host|x-acs-.*|x-log-(?!meta-).*)$/.test(name));
  return [
    request.method,
    path,
    query.map(([name, value]) => (value === '' ? name : `${name}=${percentEncode(value)}`)).join('&'),
    headers.map(([name, value]) => `${name}:${value}\n`).join(''),
    headers.map(([name]) => name).join(';'),
    bodyHash,
  ].join('\n');
}

/** The path as sent, and the decoded parameters, sorted by name. */
function splitUrl({ url }: HttpRequest): { path: string; query: [name: string, value: string][] } {
  const [path = '', query] = url.split(/\?(.*)/s);
  return { path, query: [...new URLSearchParams(query)].toSorted(byName) };
}

/** The selected headers, sorted by name. Node.js has lower-cased the names and trimmed the values. */
function headersOf(request: HttpRequest, isSigned: (name: string) => boolean): [name: string, value: string][] {
  return Object.keys(request.headers)
    .filter(isSigned)
    .map((name): [string, string] => [name, headerOf(request, name) ?? ''])
    .toSorted(byName);
}

function byName([a]: [name: string, ...rest: string[]], [b]: [name: string, ...rest: string[]]): number {
  return a < b ? -1 : Number(a > b);
}

/** RFC 3986: everything but letters, digits, `-`, `.`, `_` and `~`. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function compare(expected: string, signature: string): void {
  const [a, b] = [Buffer.from(expected), Buffer.from(signature)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw wrongSignature(signature);
}
