import type { HttpRequest, HttpResponse } from '../http.js';
import { type Compression, decompress, hasZstd } from './compression.js';
import {
  bodyTooLarge,
  invalidCompression,
  missingProject,
  ServiceError,
  type Tolerate,
  uncompressFailed,
} from './errors.js';
import { API_VERSION, MAX_BODY_BYTES } from './rules.js';

/** The form of the bodies that an operation takes. */
export interface BodyRules {
  readonly contentType: RegExp;
  /** Further content types that official clients send. */
  readonly toleratedContentType: RegExp;
  readonly compressions: readonly Compression[];
  /** Bytes of a body before compression. */
  readonly maxRawBytes: number;
  /** The error of a body with more bytes. */
  tooLarge(bytes: number): ServiceError;
}

/** A request's body, decompressed, and its compression. */
export interface Body {
  readonly bytes: Buffer;
  readonly compression: Compression;
}

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
/** Hosts that name a project. Any other host, such as an IP address or custom domain, is the server's project. */
const PROJECT_HOST = /^([^.:]+)\.(?:localhost|[^:]+\.aliyuncs\.com)(?::\d+)?$/i;

/** The compression named by the headers. */
export function compressionOf(request: HttpRequest): Compression | 'Unknown' {
  const type = headerOf(request, 'x-log-compresstype');
  if (type === undefined) return 'none';
  return type === 'lz4' || type === 'deflate' || type === 'zstd' ? type : 'Unknown';
}

/** Throws a ServiceError if the project named by the host is not the server's. */
export function checkProject(request: HttpRequest, project: string): void {
  const [, namedProject = project] = PROJECT_HOST.exec(headerOf(request, 'host') ?? '') ?? [];
  if (namedProject !== project) throw missingProject(namedProject);
}

/** Throws a ServiceError unless the request is for the only version of the API. `inQuery` may take the header's place. */
export function checkVersion(request: HttpRequest, inQuery?: string): void {
  const version = request.headers['x-log-apiversion'] ?? inQuery;
  if (version === undefined) {
    throw new ServiceError('MissingAPIVersion', 'x-log-apiversion does not exist in http header.');
  }
  if (version !== API_VERSION) {
    throw new ServiceError('InvalidAPIVersion', `x-log-apiversion ${version} is unsupported.`);
  }
}

/** Throws a ServiceError if the body has more bytes than any operation takes. */
export function checkSize(request: HttpRequest): void {
  if (!request.tooLarge && request.body.length <= MAX_BODY_BYTES) return;
  throw bodyTooLarge(headerOf(request, 'content-length') ?? 'bodysize', MAX_BODY_BYTES);
}

/**
 * Checks the headers that describe the body. Returns a function that decompresses it, for which the logstore
 * must be known first. Both throw a ServiceError.
 */
export function readBody(request: HttpRequest, rules: BodyRules, tolerate: Tolerate): () => Body {
  checkLength(request, tolerate);
  checkContentType(request, rules, tolerate);
  const compression = compressionOf(request);
  const declaredSize = readRawSize(request, compression, tolerate);
  if (compression === 'Unknown' || !rules.compressions.includes(compression)) {
    throw invalidCompression(headerOf(request, 'x-log-compresstype'));
  }
  if (compression === 'zstd' && !hasZstd) throw invalidCompression('zstd', 'this Node.js cannot decompress it');
  return () => ({ bytes: decode(request.body, compression, declaredSize, rules, tolerate), compression });
}

/** The object in the JSON body of an operation on resources. Throws a ServiceError. */
export function readJsonObject(request: HttpRequest, tolerate: Tolerate): Readonly<Record<string, unknown>> {
  checkLength(request, tolerate);
  checkContentType(request, { contentType: JSON_TYPE, toleratedContentType: NOTHING }, tolerate);
  const noObject = (detail: string) =>
    new ServiceError('PostBodyInvalid', 'The request body is not valid JSON object.', 400, detail);
  let value: unknown;
  try {
    value = JSON.parse(request.body.toString('utf8'));
  } catch (error) {
    throw noObject((error as Error).message);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw noObject('the body is no object');
  return value as Readonly<Record<string, unknown>>;
}

/** The value of a header, with its repetitions. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** HTTP 200 without a body. `now` is the service's time in epoch milliseconds. */
export function successResponse(requestId: string, now: number): HttpResponse {
  return { status: 200, headers: headersOf(requestId, now), body: '' };
}

/** HTTP 200 with a value as JSON. `now` is the service's time in epoch milliseconds. */
export function jsonResponse(
  value: unknown,
  { requestId, now }: { readonly requestId: string; readonly now: number },
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status: 200,
    headers: { ...headersOf(requestId, now), ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(value),
  };
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

/** Matches no content type. */
const NOTHING = /^(?!)/;

function headersOf(requestId: string, now: number): Record<string, string> {
  return {
    'x-log-requestid': requestId,
    date: new Date(now).toUTCString(),
    server: 'Tengine',
    'access-control-allow-origin': '*',
  };
}

/** The client of the OpenAPI, sls20201230, sends its body in chunks. */
function checkLength(request: HttpRequest, tolerate: Tolerate): void {
  if (headerOf(request, 'content-length') !== undefined) return;
  const message = 'Content-Length does not exist in http header when it is necessary.';
  tolerate(new ServiceError('MissingContentLength', message, 411));
}

function checkContentType(
  request: HttpRequest,
  { contentType, toleratedContentType }: Pick<BodyRules, 'contentType' | 'toleratedContentType'>,
  tolerate: Tolerate,
): void {
  const type = headerOf(request, 'content-type');
  if (type === undefined) {
    const message = 'Content-Type does not exist in http header when body is not empty.';
    tolerate(new ServiceError('MissingContentType', message));
  } else if (!contentType.test(type)) {
    const error = new ServiceError('InvalidContentType', `Content-Type ${type} is unsupported.`, 415);
    if (!toleratedContentType.test(type)) throw error;
    tolerate(error);
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

function decode(
  body: Buffer,
  compression: Compression,
  declaredSize: number | undefined,
  rules: BodyRules,
  tolerate: Tolerate,
): Buffer {
  const size = compression === 'none' ? body.length : (declaredSize ?? 0);
  if (size > rules.maxRawBytes) throw rules.tooLarge(size);
  if (compression === 'none' && declaredSize !== undefined && declaredSize !== size) {
    const error = invalidRawSize(`x-log-bodyrawsize is ${declaredSize}, but the body has ${size} bytes`);
    // js-sls-logger and web-sts-plugin count UTF-16 code units.
    if (declaredSize !== body.toString().length) throw error;
    tolerate(error);
  }
  try {
    return decompress(body, compression, size);
  } catch (error) {
    throw uncompressFailed((error as Error).message);
  }
}

function invalidRawSize(detail: string): ServiceError {
  return new ServiceError('InvalidBodyRawSize', 'x-log-bodyrawsize is invalid.', 400, detail);
}
