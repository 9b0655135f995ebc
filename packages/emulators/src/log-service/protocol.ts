import { inflateSync } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '../http.js';
import { missingProject, ServiceError, tooLarge, uncompressFailed } from './errors.js';
import { decodeLz4Block } from './lz4.js';
import { API_VERSION, MAX_RAW_BYTES, MAX_WIRE_BYTES } from './rules.js';

/** The compression of a body: none, an LZ4 block, or zlib's format. */
export type Compression = 'none' | 'lz4' | 'deflate';

/** The contents of a request's line and headers. */
export interface Envelope {
  readonly logstore: string;
  readonly compression: Compression;
  /** Bytes of the body before compression. */
  readonly rawSize: number;
}

const TRACK_PATH = /^\/logstores\/([^/?]+)\/track$/;
const CONTENT_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
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
export function readEnvelope(request: HttpRequest, project: string): Envelope {
  const logstore = logstoreOf(request);
  if (request.method !== 'POST' || logstore === undefined) {
    throw new ServiceError(
      'ParameterInvalid',
      `Expected POST /logstores/{logstore}/track, got ${request.method} ${request.url}`,
    );
  }
  const contentLength = headerOf(request, 'content-length');
  if (contentLength === undefined) {
    throw new ServiceError(
      'MissingContentLength',
      'Content-Length does not exist in http header when it is necessary.',
      411,
    );
  }
  const contentType = headerOf(request, 'content-type');
  if (contentType === undefined) {
    throw new ServiceError('MissingContentType', 'Content-Type does not exist in http header when body is not empty.');
  }
  if (!CONTENT_TYPE.test(contentType)) {
    throw new ServiceError('InvalidContentType', `Content-Type ${contentType} is unsupported.`, 415);
  }
  const version = headerOf(request, 'x-log-apiversion');
  if (version === undefined) {
    throw new ServiceError('MissingAPIVersion', 'x-log-apiversion does not exist in http header.');
  }
  if (version !== API_VERSION) {
    throw new ServiceError('InvalidAPIVersion', `x-log-apiversion ${version} is unsupported.`);
  }
  const rawSize = readRawSize(request);
  const compression = compressionOf(request);
  if (compression === 'Unknown') {
    const type = headerOf(request, 'x-log-compresstype');
    throw new ServiceError('InvalidCompressType', `x-log-compresstype ${type} is unsupported.`);
  }
  const [, namedProject = project] = PROJECT_HOST.exec(headerOf(request, 'host') ?? '') ?? [];
  if (namedProject !== project) throw missingProject(namedProject);
  if (request.tooLarge || request.body.length > MAX_WIRE_BYTES) {
    throw new ServiceError('PostBodyTooLarge', `Body size ${contentLength} must little than ${MAX_WIRE_BYTES}.`, 413);
  }
  return { logstore, compression, rawSize };
}

/** The decompressed body. Throws a ServiceError if it cannot be decoded, is too large, or has not `rawSize` bytes. */
export function decodeBody(body: Buffer, { compression, rawSize }: Envelope): Buffer {
  const size = compression === 'none' ? body.length : rawSize;
  if (size > MAX_RAW_BYTES) throw tooLarge(`${size} bytes exceed ${MAX_RAW_BYTES}`);
  if (size !== rawSize) throw invalidRawSize(`x-log-bodyrawsize is ${rawSize}, but the body has ${size} bytes`);
  try {
    switch (compression) {
      case 'none':
        return body;
      case 'lz4':
        return decodeLz4Block(body, rawSize);
      case 'deflate':
        return inflate(body, rawSize);
    }
  } catch (error) {
    throw uncompressFailed((error as Error).message);
  }
}

/** HTTP 200 without a body. `now` is the service's time in epoch milliseconds. */
export function successResponse(requestId: string, now: number): HttpResponse {
  return { status: 200, headers: headersOf(requestId, now), body: '' };
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

function readRawSize(request: HttpRequest): number {
  const text = headerOf(request, 'x-log-bodyrawsize');
  if (text === undefined) {
    throw new ServiceError('MissingBodyRawSize', 'x-log-bodyrawsize does not exist in header when it is necessary.');
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
