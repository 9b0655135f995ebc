import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { type HttpRequest, type HttpResponse, MAX_BODY_BYTES } from '../http.js';
import { ServiceError, unserializable } from './errors.js';
import { asStructure, type Input } from './fields.js';

const CONTENT_TYPE = 'application/x-amz-json-1.1';
const TARGET_PREFIX = 'Logs_20140328.';

/** The operation that a request names, known or not; undefined if it names none. */
export function operationOf(request: HttpRequest): string | undefined {
  const target = request.headers['x-amz-target'];
  return typeof target === 'string' && target.startsWith(TARGET_PREFIX)
    ? target.slice(TARGET_PREFIX.length)
    : undefined;
}

/** Throws a ServiceError if line, headers or body size do not fit the protocol. */
export function checkEnvelope(request: HttpRequest): void {
  if (request.method !== 'POST' || request.url !== '/') {
    throw new ServiceError('UnknownOperationException', `Expected POST /, got ${request.method} ${request.url}`);
  }
  if (operationOf(request) === undefined) {
    throw new ServiceError('UnknownOperationException', `Expected x-amz-target: ${TARGET_PREFIX}Operation`);
  }
  if (request.headers['content-type'] !== CONTENT_TYPE) {
    throw new ServiceError('UnknownOperationException', `Expected content-type: ${CONTENT_TYPE}`);
  }
  if (request.headers['content-length'] === undefined) {
    throw new ServiceError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
  if (request.tooLarge) {
    throw new ServiceError('RequestEntityTooLargeException', `Request body exceeds ${MAX_BODY_BYTES} bytes`, 413);
  }
}

/** Decompresses and parses the body. Throws `SerializationException` if it is not gzip, UTF-8 or a JSON object. */
export function decodeBody(request: HttpRequest): Input {
  const bytes = decompress(request);
  if (!isUtf8(bytes)) throw unserializable('The request body is not valid UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw unserializable(`The request body is not valid JSON: ${(error as Error).message}`);
  }
  return asStructure(value);
}

/** HTTP 200 with the output as JSON. `now` is the service's time in epoch milliseconds. */
export function successResponse(output: object | undefined, requestId: string, now: number): HttpResponse {
  return { status: 200, headers: headersOf(requestId, now), body: output ? JSON.stringify(output) : '' };
}

/** The error's status, with its type and message as JSON. `now` is the service's time in epoch milliseconds. */
export function errorResponse(error: ServiceError, requestId: string, now: number): HttpResponse {
  return {
    status: error.status,
    headers: { ...headersOf(requestId, now), 'x-amzn-errortype': error.code },
    body: JSON.stringify({ __type: error.code, message: error.message, ...error.members }),
  };
}

/** Headers of each response of the service. `now` is its time in epoch milliseconds. */
export function headersOf(requestId: string, now: number): Record<string, string> {
  return {
    'content-type': CONTENT_TYPE,
    'x-amzn-requestid': requestId,
    // The AWS SDK corrects a wrong local clock with it.
    date: new Date(now).toUTCString(),
  };
}

function decompress(request: HttpRequest): Buffer {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined) return request.body;
  if (encoding !== 'gzip') throw unserializable(`Content-Encoding '${encoding}' is not supported`);
  try {
    return gunzipSync(request.body, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    throw unserializable(`The request body is not valid gzip: ${(error as Error).message}`);
  }
}
