import { inflateSync } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '../http.js';
import {
  missingProject,
  ServiceError,
  type Tolerate,
  tooLarge,
  UnsupportedOperation,
  uncompressFailed,
} from './errors.js';
import { decodeLz4Block } from './lz4.js';
import { API_VERSION, MAX_RAW_BYTES, MAX_WIRE_BYTES } from './rules.js';

/** The compression of a body: none, an LZ4 block, or zlib's format. */
export type Compression = 'none' | 'lz4' | 'deflate';

/** The contents of a request's line and headers. */
export interface Envelope {
  readonly logstore: string;
  readonly compression: Compression;
  /** Bytes of the body before compression, as `x-log-bodyrawsize` says; undefined without that header. */
  readonly declaredSize: number | undefined;
}

const TRACK_PATH = /^\/logstores\/([^/?]+)\/track(?:\?(.*))?$/;
/** Operations of the service that the emulator does not have: `GET …/track`, and all others on logstores. */
const OTHER_OPERATION =
  /^(?:GET \/logstores\/[^/?]+\/track(?:\?.*)?|[A-Z]+ \/logstores(?:\/[^/?]+(?:\/(?!track[/?]|track$).*)?)?(?:\?.*)?)$/;
const CONTENT_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
/** Official clients send JSON under these types: web-track-browser, whose beacons have no other, and js-sls-logger. */
const TOLERATED_CONTENT_TYPE = /^(?:text\/plain|application\/x-protobuf)(?:\s*;\s*charset="?utf-8"?)?$/i;
/** Hosts that name a project. Any other host, such as an IP address or custom domain, is the server's project. */
const PROJECT_HOST = /^([^.:]+)\.(?:localhost|[^:]+\.aliyuncs\.com)(?::\d+)?$/i;

/** The compression named by the headers. */
export function compressionOf(request: HttpRequest): Compression | 'Unknown' {
  const type = headerOf(request, 'x-log-compresstype');
  if (type === undefined) return 'none';
  return type === 'lz4' || type === 'deflate' ? type : 'Unknown';
}

/** The logstore named by the path, known or not; undefined if the path names none. */
export function logstoreOf(request: HttpRequest): string | undefined {
  return TRACK_PATH.exec(request.url)?.[1];
}

/** Checks line, headers and body size. Throws a ServiceError. */
export function readEnvelope(request: HttpRequest, project: string, tolerate: Tolerate): Envelope {
  const [, logstore, query] = TRACK_PATH.exec(request.url) ?? [];
  if (request.method !== 'POST' || logstore === undefined) throw wrongPath(request);
  checkLength(request, tolerate);
  checkContentType(request, tolerate);
  checkVersion(request, query, tolerate);
  const compression = compressionOf(request);
  const declaredSize = readRawSize(request, compression, tolerate);
  if (compression === 'Unknown') {
    const type = headerOf(request, 'x-log-compresstype');
    throw new ServiceError('InvalidCompressType', `x-log-compresstype ${type} is unsupported.`);
  }
  const [, namedProject = project] = PROJECT_HOST.exec(headerOf(request, 'host') ?? '') ?? [];
  if (namedProject !== project) throw missingProject(namedProject);
  if (request.tooLarge || request.body.length > MAX_WIRE_BYTES) {
    const size = headerOf(request, 'content-length') ?? 'bodysize';
    throw new ServiceError('PostBodyTooLarge', `Body size ${size} must little than ${MAX_WIRE_BYTES}.`, 413);
  }
  return { logstore, compression, declaredSize };
}

/** The decompressed body. Throws a ServiceError if it cannot be decoded, is too large, or has not the declared size. */
export function decodeBody(body: Buffer, { compression, declaredSize }: Envelope, tolerate: Tolerate): Buffer {
  const size = compression === 'none' ? body.length : (declaredSize ?? 0);
  if (size > MAX_RAW_BYTES) throw tooLarge(`${size} bytes exceed ${MAX_RAW_BYTES}`);
  try {
    if (compression === 'lz4') return decodeLz4Block(body, size);
    if (compression === 'deflate') return inflate(body, size);
  } catch (error) {
    throw uncompressFailed((error as Error).message);
  }
  if (declaredSize !== undefined && declaredSize !== size) {
    const error = invalidRawSize(`x-log-bodyrawsize is ${declaredSize}, but the body has ${size} bytes`);
    // js-sls-logger and web-sts-plugin count UTF-16 code units.
    if (declaredSize !== body.toString().length) throw error;
    tolerate(error);
  }
  return body;
}

/** HTTP 200 without a body. `now` is the service's time in epoch milliseconds. */
export function successResponse(requestId: string, now: number): HttpResponse {
  return { status: 200, headers: headersOf(requestId, now), body: '' };
}

/** The response to a preflight request (CORS): any origin, method and header. */
export function preflightResponse(request: HttpRequest, requestId: string, now: number): HttpResponse {
  return {
    status: 200,
    headers: {
      ...headersOf(requestId, now),
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, HEAD, OPTIONS',
      'access-control-allow-headers': headerOf(request, 'access-control-request-headers') ?? '*',
    },
    body: '',
  };
}

/** The error's status, with its code and message as JSON. `now` is the service's time in epoch milliseconds. */
export function errorResponse(error: ServiceError, requestId: string, now: number): HttpResponse {
  return {
    status: error.status,
    headers: { ...headersOf(requestId, now), 'content-type': 'application/json' },
    body: JSON.stringify({ errorCode: error.code, errorMessage: error.message }),
  };
}

function headersOf(requestId: string, now: number): Record<string, string> {
  return {
    'x-log-requestid': requestId,
    date: new Date(now).toUTCString(),
    server: 'Tengine',
    'access-control-allow-origin': '*',
  };
}

function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function wrongPath({ method, url }: HttpRequest): ServiceError {
  const operation = `${method} ${url}`;
  return OTHER_OPERATION.test(operation)
    ? new UnsupportedOperation(operation.replace(/\?.*/, '').replace(/\/logstores\/[^/]+/, '/logstores/{logstore}'))
    : new ServiceError('ParameterInvalid', `Expected POST /logstores/{logstore}/track, got ${operation}`);
}

/** The client of the OpenAPI, sls20201230, sends its body in chunks. */
function checkLength(request: HttpRequest, tolerate: Tolerate): void {
  if (headerOf(request, 'content-length') !== undefined) return;
  const message = 'Content-Length does not exist in http header when it is necessary.';
  tolerate(new ServiceError('MissingContentLength', message, 411));
}

function checkContentType(request: HttpRequest, tolerate: Tolerate): void {
  const type = headerOf(request, 'content-type');
  if (type === undefined) {
    const message = 'Content-Type does not exist in http header when body is not empty.';
    tolerate(new ServiceError('MissingContentType', message));
  } else if (!CONTENT_TYPE.test(type)) {
    const error = new ServiceError('InvalidContentType', `Content-Type ${type} is unsupported.`, 415);
    if (!TOLERATED_CONTENT_TYPE.test(type)) throw error;
    tolerate(error);
  }
}

/** Browsers and mini programs send `?APIVersion=0.6.0` instead of the header, which would cost them a preflight request. */
function checkVersion({ headers, method, url }: HttpRequest, query: string | undefined, tolerate: Tolerate): void {
  const inQuery = new URLSearchParams(query).get('APIVersion') ?? undefined;
  if (query !== undefined) {
    const message = `Expected POST /logstores/{logstore}/track, got ${method} ${url}`;
    const error = new ServiceError('ParameterInvalid', message);
    if (inQuery === undefined) throw error;
    tolerate(error);
  }
  const version = headers['x-log-apiversion'] ?? inQuery;
  if (version === undefined) {
    throw new ServiceError('MissingAPIVersion', 'x-log-apiversion does not exist in http header.');
  }
  if (version !== API_VERSION) {
    throw new ServiceError('InvalidAPIVersion', `x-log-apiversion ${version} is unsupported.`);
  }
}

/** The size before compression, which the service needs for compressed bodies only. */
function readRawSize(
  request: HttpRequest,
  compression: Compression | 'Unknown',
  tolerate: Tolerate,
): number | undefined {
  const text = headerOf(request, 'x-log-bodyrawsize');
  if (text === undefined) {
    const message = 'x-log-bodyrawsize does not exist in header when it is necessary.';
    const error = new ServiceError('MissingBodyRawSize', message);
    if (compression !== 'none') throw error;
    tolerate(error);
    return undefined;
  }
  if (!/^\d+$/.test(text)) throw invalidRawSize(`x-log-bodyrawsize is '${text}'`);
  return Number(text);
}

function invalidRawSize(detail: string): ServiceError {
  return new ServiceError('InvalidBodyRawSize', 'x-log-bodyrawsize is invalid.', 400, detail);
}

/** Decompresses zlib's format (RFC 1950) only: neither raw deflate nor gzip. */
function inflate(body: Buffer, rawSize: number): Buffer {
  // With `info`, Node also returns the stream, which counts the bytes of the body that it read. The types omit this.
  const { buffer, engine } = inflateSync(body, { info: true, maxOutputLength: Math.max(rawSize, 1) }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  if (engine.bytesWritten !== body.length) throw new Error('bytes follow the compressed body');
  if (buffer.length !== rawSize) throw new Error(`the body decodes to ${buffer.length} bytes instead of ${rawSize}`);
  return buffer;
}
