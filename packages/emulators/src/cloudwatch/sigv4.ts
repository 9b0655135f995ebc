import { createHash, createHmac, type Hash, type Hmac, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { accessKey, type Check } from '../checks.js';
import type { HttpRequest } from '../http.js';
import { ServiceError, type Tolerate } from './errors.js';

/** A pair of AWS access keys. Temporary ones have a token, and an end. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** @default none: a request may have any */
  readonly sessionToken?: string | undefined;
  /** Requests that come later are refused. @default never */
  readonly expiration?: Date | undefined;
}

/** The check of {@link Credentials}. */
export const AWS_ACCESS_KEY: Check = accessKey({ id: 'accessKeyId', secret: 'secretAccessKey', token: 'sessionToken' });

/** Checks the signature of a request. */
export type Verifier = (request: HttpRequest, tolerate: Tolerate) => Promise<void>;

/** Options of {@link createVerifier}. */
export interface VerifierOptions {
  /** The pairs that are accepted at the time of a request. */
  readonly credentials: () => readonly Credentials[];
  readonly region: string;
  /** Name of the service in signatures. @default 'logs' */
  readonly service?: 'logs' | 'sts';
  /** The service's time, in epoch milliseconds. */
  readonly clock: () => number;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const MAX_SKEW_MINUTES = 5;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;
const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Makes a function that checks the Signature Version 4 of a request: it signs the received request and compares. It
 * rejects with the service's error if credentials, scope, time, signed headers or signature are wrong. The signature
 * covers the hash of the received body, so a body that changed after signing is refused.
 */
export function createVerifier({ credentials, region, service: own = 'logs', clock }: VerifierOptions): Verifier {
  return async (request, tolerate) => {
    const { authorization } = request.headers;
    if (!authorization) throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
    const parts = AUTHORIZATION.exec(authorization);
    if (!parts) {
      throw new ServiceError('IncompleteSignatureException', `Authorization header is not valid: '${authorization}'`);
    }
    const [, accessKeyId, scopeDate = '', scopeRegion, service, signedList = '', signature = ''] = parts;
    const pair = credentials().find((each) => each.accessKeyId === accessKeyId);
    const isForeign = pair?.sessionToken !== undefined && headerOf(request, TOKEN_HEADER) !== pair.sessionToken;
    if (!pair || isForeign) {
      throw new ServiceError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    if (pair.expiration && pair.expiration.getTime() <= clock()) {
      throw new ServiceError('ExpiredTokenException', 'The security token included in the request is expired');
    }
    if (scopeRegion !== region) throw invalidSignature('Credential should be scoped to a valid region.');
    if (service !== own) throw invalidSignature(`Credential should be scoped to correct service: '${own}'.`);

    const signedAt = checkDate(request, scopeDate, clock());
    const signedHeaders = new Set(signedList.split(';'));
    checkSignedHeaders(request, signedHeaders, tolerate);
    const bodyHash = checkBodyHash(request);

    const headers: Record<string, string> = { [BODY_HASH_HEADER]: bodyHash };
    for (const name of signedHeaders) headers[name] = headerOf(request, name) ?? '';
    const { accessKeyId: id, secretAccessKey } = pair;
    const signer = new SignatureV4({
      credentials: { accessKeyId: id, secretAccessKey },
      region,
      service: own,
      sha256: NodeSha256,
      uriEscapePath: true,
      applyChecksum: false,
    });
    const expected = await signer.sign(
      { method: request.method, protocol: 'http:', hostname: '', path: '/', headers, body: request.body },
      {
        signingDate: new Date(signedAt),
        signableHeaders: signedHeaders,
        // The signer reads the body's hash from this header, so the header is set even if the client did not sign it.
        ...(signedHeaders.has(BODY_HASH_HEADER) ? {} : { unsignableHeaders: new Set([BODY_HASH_HEADER]) }),
      },
    );
    const expectedSignature = (expected.headers.authorization ?? '').slice(-signature.length);
    if (!timingSafeEqual(Buffer.from(expectedSignature), Buffer.from(signature))) {
      throw invalidSignature(
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access ' +
          'Key and signing method. Consult the service documentation for details.',
      );
    }
  };
}

const TOKEN_HEADER = 'x-amz-security-token';
const BODY_HASH_HEADER = 'x-amz-content-sha256';

/** Checks the signing time, and returns it in epoch milliseconds. */
function checkDate(request: HttpRequest, scopeDate: string, now: number): number {
  const date = headerOf(request, 'x-amz-date') ?? '';
  const signedAt = AMZ_DATE.test(date) ? Date.parse(date.replace(AMZ_DATE, '$1-$2-$3T$4:$5:$6Z')) : Number.NaN;
  if (Number.isNaN(signedAt)) {
    throw new ServiceError('IncompleteSignatureException', `Date must be in ISO-8601 'basic format'. Got '${date}'.`);
  }
  if (scopeDate !== date.slice(0, 8)) {
    throw invalidSignature(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scopeDate}' != ` +
        `'${date.slice(0, 8)}', from '${date}'.`,
    );
  }
  const skewMs = MAX_SKEW_MINUTES * 60_000;
  if (signedAt < now - skewMs) {
    throw invalidSignature(
      `Signature expired: ${date} is now earlier than ${basicDate(now - skewMs)} (${basicDate(now)} - ${MAX_SKEW_MINUTES} min.)`,
    );
  }
  if (signedAt > now + skewMs) {
    throw invalidSignature(
      `Signature not yet current: ${date} is still later than ${basicDate(now + skewMs)} (${basicDate(now)} + ${MAX_SKEW_MINUTES} min.)`,
    );
  }
  return signedAt;
}

/**
 * Host and x-amz-* headers must be signed. The documentation also asks for the others, but the AWS SDKs for PHP, and version 2
 * for JavaScript, never sign Content-Type.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function checkSignedHeaders(request: HttpRequest, signedHeaders: ReadonlySet<string>, tolerate: Tolerate): void {
  for (const name of ['host', 'x-amz-date', ...Object.keys(request.headers)]) {
    if (signedHeaders.has(name) || name === BODY_HASH_HEADER) continue;
    const error = invalidSignature(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
    if (name === 'host' || name.startsWith('x-amz-')) throw error;
    if (name === 'content-type' || name === 'content-encoding') tolerate(error);
  }
}

/** Checks the hash header, and returns the hash of the received body, so that it is computed only once. */
function checkBodyHash(request: HttpRequest): string {
  const hash = createHash('sha256').update(request.body).digest('hex');
  const claimed = headerOf(request, BODY_HASH_HEADER);
  if (claimed !== undefined && claimed !== hash) {
    throw invalidSignature(`The provided '${BODY_HASH_HEADER}' header does not match what was computed.`);
  }
  return hash;
}

function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** `20261122T204553Z` */
function basicDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function invalidSignature(message: string): ServiceError {
  return new ServiceError('InvalidSignatureException', message);
}

/** Node's SHA-256 and HMAC behind the signer's hash interface. */
class NodeSha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === 'string') return data;
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
