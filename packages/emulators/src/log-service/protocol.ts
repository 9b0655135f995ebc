import { inflateSync } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '../http.js';
import { missingProject, ServiceError, tooLarge, uncompressFailed } from './errors.js';
import { decodeLz4Block } from './lz4.js';
import { API_VERSION, MAX_RAW_BYTES, MAX_WIRE_BYTES } from './rules.js';

export type Compression = 'none' | 'lz4' | 'deflate';

/** What a request's line and headers say. */
export interface Envelope {
  readonly logstore: string;
  readonly compression: Compression;
  /** Bytes of the body before compression. */
  readonly rawSize: number;
}

const TRACK_PATH = /^\/logstores\/([^/?]+)\/track$/;
const CONTENT_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
/** Hosts that name the project. Any other host, such as an address or a custom domain, stands for the project. */
const PROJECT_HOST = /^([^.:]+)\.(?:localhost|[^:]+\.aliyuncs\.com)(?::\d+)?$/i;

/** The compression that a request names. */
export function compressionOf(request: HttpRequest): Compression | 'Unknown' {
  const type = headerOf(request, 'x-log-compresstype');
  if (type === undefined) return 'none';
  return type === 'lz4' || type === 'deflate' ? type : 'Unknown';
}

/** The logstore that a request's path names, whether it exists or not. */
export function logstoreOf(request: HttpRequest): string | undefined {
  return TRACK_PATH.exec(request.url)?.[1];
}

/** Checks all but the body. */
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
  const [, named = project] = PROJECT_HOST.exec(headerOf(request, 'host') ?? '') ?? [];
  if (named !== project) throw missingProject(named);
  if (request.tooLarge || request.body.length > MAX_WIRE_BYTES) {
    throw new ServiceError('PostBodyTooLarge', `Body size ${contentLength} must little than ${MAX_WIRE_BYTES}.`, 413);
  }
  return { logstore, compression, rawSize };
}

/** The body as it was before compression. */
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

export function successResponse(requestId: string, now: number): HttpResponse {
  return { status: 200, headers: headersOf(requestId, now), body: '' };
}

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

/** Of zlib's format (RFC 1950) only, neither bare deflate nor gzip. */
function inflate(body: Buffer, rawSize: number): Buffer {
  // With `info` Node answers with more than its types say: the stream as well, which knows how much of the body it read.
  const { buffer, engine } = inflateSync(body, { info: true, maxOutputLength: Math.max(rawSize, 1) }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  if (engine.bytesWritten !== body.length) throw new Error('bytes follow the compressed body');
  if (buffer.length !== rawSize) throw new Error(`the body decodes to ${buffer.length} bytes instead of ${rawSize}`);
  return buffer;
}
