import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import type { CloudWatchEmulator } from '../src/index.js';
import { connectChanging, event, messagesIn, NOW, put, setUp, TARGET } from './helpers.js';
import * as logService from './log-service-helpers.js';
import { encodeLz4Block } from './lz4-encoder.js';

describe('CloudWatch Logs', () => {
  it('accepts a request whose Content-Type is not signed, as from version 2 of the AWS SDK for JavaScript', async () => {
    const { emulator } = await setUp({ strict: false });
    expect(await putWithUnsignedType(emulator)).toBe(200);
    expect(messagesIn(emulator)).toEqual(['hello']);
    expect(emulator.stats()).toMatchObject({
      violationCount: 0,
      toleratedCount: 1,
      tolerated: [
        {
          operation: 'PutLogEvents',
          error: 'InvalidSignatureException',
          message: "'content-type' must be a 'SignedHeader' in the AWS Authorization.",
        },
      ],
    });
  });

  it('refuses it with strict: true', async () => {
    const { emulator } = await setUp({ strict: true });
    expect(await putWithUnsignedType(emulator)).toBe(400);
    expect(emulator.stats()).toMatchObject({ storedEvents: 0, violationCount: 1, toleratedCount: 0 });
  });

  it('refuses a wrong signature also where it does not cover Content-Type', async () => {
    const { emulator } = await setUp({ strict: false });
    expect(await putWithUnsignedType(emulator, { 'x-amz-target': 'Logs_20140328.DeleteLogGroup' })).toBe(400);
    expect(emulator.stats().violations).toMatchObject([{ error: 'InvalidSignatureException' }]);
  });

  it('refuses an operation that the emulator does not have, which is no violation', async () => {
    const { emulator } = await setUp({ strict: false });
    const client = connectChanging(emulator, ({ headers }) => {
      headers['x-amz-target'] = 'Logs_20140328.StartQuery';
    });
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'UnknownOperationException' });
    expect(emulator.stats()).toMatchObject({ violationCount: 0, unsupported: { StartQuery: 1 } });
  });

  it('throttles a stream beyond maxPutsPerSecondPerStream, which is no violation', async () => {
    let now = NOW;
    const { emulator, client } = await setUp({ maxPutsPerSecondPerStream: 5, clock: () => now });
    for (let n = 0; n < 5; n++) await put(client, [event()]);
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'ThrottlingException' });
    now += 1000;
    await put(client, [event()]);
    expect(emulator.stats()).toMatchObject({ storedEvents: 6, violationCount: 0, faults: {} });
  });
});

/** The requests that official clients were seen to send. */
const BODY = JSON.stringify({ __logs__: [{ message: '订单' }] });
const FULL_BODY = JSON.stringify({ __source__: 'host-1', __logs__: [{ message: '订单' }] });
const ASCII_BODY = JSON.stringify({ __source__: 'host-1', __logs__: [{ message: 'hello' }] });
const NO_LOG_HEADERS = { 'x-log-apiversion': undefined, 'x-log-bodyrawsize': undefined };
const IN_QUERY = `${logService.PATH}?APIVersion=0.6.0`;
const CLIENTS: readonly (readonly [string, string | Uint8Array, logService.RawRequest, readonly string[]])[] = [
  [
    'a beacon of web-track-browser',
    BODY,
    { path: IN_QUERY, headers: { ...NO_LOG_HEADERS, 'content-type': 'text/plain;charset=UTF-8' } },
    ['InvalidContentType', 'MissingBodyRawSize', 'ParameterInvalid', 'PostBodyInvalid'],
  ],
  [
    'web-track-mini',
    BODY,
    { path: IN_QUERY, headers: NO_LOG_HEADERS },
    ['MissingBodyRawSize', 'ParameterInvalid', 'PostBodyInvalid'],
  ],
  [
    'sls20201230, in chunks',
    FULL_BODY,
    { headers: { 'content-length': undefined, 'transfer-encoding': 'chunked', authorization: 'LOG id:signature' } },
    ['MissingContentLength'],
  ],
  [
    'js-sls-logger, which counts characters',
    BODY,
    { rawSize: BODY.length, headers: { 'content-type': 'application/x-protobuf' } },
    ['InvalidContentType', 'InvalidBodyRawSize', 'PostBodyInvalid'],
  ],
  [
    'js-sls-logger with compression',
    encodeLz4Block(Buffer.from(ASCII_BODY)),
    { rawSize: ASCII_BODY.length, headers: { 'content-type': undefined, 'x-log-compresstype': 'lz4' } },
    ['MissingContentType'],
  ],
  [
    'the Java SDK, with a time in seconds',
    JSON.stringify({ __source__: 's', __logs__: [{ __time__: 1_700_000_000, message: '订单' }] }),
    {},
    ['InvalidKey'],
  ],
  [
    'a client that sends the time as text',
    JSON.stringify({ __source__: 's', __logs__: [{ __time__: '1700000000', message: '订单' }] }),
    {},
    ['InvalidKey'],
  ],
];

describe('Log Service', () => {
  it.each(CLIENTS)('accepts and lists a request of %s', async (_, body, request, errors) => {
    const emulator = await logService.setUp({ strict: false });
    expect(await logService.send(emulator, body, request)).toMatchObject({ status: 200 });
    expect(emulator.events().map(({ fields }) => Object.keys(fields))).toEqual([['message']]);
    const { violations, tolerated, toleratedCount } = emulator.stats();
    expect(violations).toEqual([]);
    expect(tolerated.map(({ logstore, error }) => [logstore, error])).toEqual(errors.map((error) => ['logs', error]));
    expect(toleratedCount).toBe(errors.length);
  });

  it.each(CLIENTS)('refuses it with strict: true: a request of %s', async (_, body, request, errors) => {
    const emulator = await logService.setUp({ strict: true });
    const { errorCode } = await logService.send(emulator, body, request);
    expect(errors).toContain(errorCode);
    expect(emulator.stats()).toMatchObject({ storedLogs: 0, toleratedCount: 0, violations: [{ error: errorCode }] });
  });

  it('lists a departure once for each request, not for each log', async () => {
    const emulator = await logService.setUp({ strict: false });
    const log = { __time__: 1, message: 'x' };
    await logService.put(emulator, [log, log, log]);
    await logService.put(emulator, [log]);
    expect(emulator.stats().toleratedCount).toBe(2);
  });

  it.each([
    ['a log of nothing but its time', JSON.stringify({ __source__: 's', __logs__: [{ __time__: 1 }] }), {}],
    [
      'a time that is neither text nor number',
      JSON.stringify({ __source__: 's', __logs__: [{ __time__: [], a: 'b' }] }),
      {},
    ],
    ['the time twice', '{"__source__":"s","__logs__":[{"__time__":"1","__time__":"2","a":"b"}]}', {}],
    ['an empty source', JSON.stringify({ __source__: '', __logs__: [{ a: 'b' }] }), {}],
    ['no size of a compressed body', 'x', { headers: { 'x-log-bodyrawsize': undefined, 'x-log-compresstype': 'lz4' } }],
    ['a size that is neither bytes nor characters', FULL_BODY, { rawSize: 1 }],
    [
      'another version in the query',
      FULL_BODY,
      { path: `${logService.PATH}?APIVersion=0.4.0`, headers: NO_LOG_HEADERS },
    ],
    ['a query without a version', FULL_BODY, { path: `${logService.PATH}?a=b` }],
    ['another content type', FULL_BODY, { headers: { 'content-type': 'text/html' } }],
    ['a path of no operation', FULL_BODY, { path: `${logService.PATH}/` }],
  ])('refuses %s also without strict', async (_, body, request) => {
    const emulator = await logService.setUp({ strict: false });
    expect((await logService.send(emulator, body, request)).status).toBeGreaterThanOrEqual(400);
    expect(emulator.stats()).toMatchObject({ storedLogs: 0, violationCount: 1 });
  });

  it('answers the preflight request of a browser', async () => {
    const emulator = await logService.setUp();
    const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-log-apiversion' };
    const response = await logService.send(emulator, '', { method: 'OPTIONS', headers });
    expect(response).toMatchObject({ status: 200, body: '' });
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers': 'x-log-apiversion',
    });
    expect(emulator.stats()).toMatchObject({ requests: 0, violationCount: 0 });
  });

  it.each([
    ['GET', '/logstores/logs/track?APIVersion=0.6.0&a=b', 'GET /logstores/{logstore}/track'],
    ['GET', '/logstores/logs/track.gif?a=b', 'GET /logstores/{logstore}/track.gif'],
    ['PUT', '/logstores/logs', 'PUT /logstores/{logstore}'],
    ['GET', '/logstores/logs?type=histogram&from=1&to=2', 'GET /logstores/{logstore}'],
    ['GET', '/logstores/logs/shards', 'GET /logstores/{logstore}/shards'],
    ['DELETE', '/logstores/logs/index', 'DELETE /logstores/{logstore}/index'],
  ])('refuses an operation that the emulator does not have: %s %s', async (method, path, operation) => {
    for (const strict of [false, true]) {
      const emulator = await logService.setUp({ strict });
      expect(await logService.send(emulator, '', { method, path })).toMatchObject({
        status: 400,
        errorMessage: `The emulator has no operation ${operation}`,
      });
      expect(emulator.stats()).toMatchObject({ unsupported: { [operation]: 1 }, violationCount: strict ? 1 : 0 });
    }
  });
});

/** Sends a signed PutLogEvents, without Content-Type among the signed headers. `changes` are made after the signature. */
async function putWithUnsignedType(
  emulator: CloudWatchEmulator,
  changes: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = emulator.env;
  const body = JSON.stringify({ ...TARGET, logEvents: [event('hello')] });
  const { host, hostname } = new URL(emulator.url);
  const headers = { host, 'x-amz-target': 'Logs_20140328.PutLogEvents' };
  const signer = new SignatureV4({
    service: 'logs',
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
  });
  const signed = await signer.sign(
    { method: 'POST', protocol: 'http:', hostname, path: '/', headers, body },
    { signingDate: new Date(NOW) },
  );
  const contentHeaders = { 'content-type': 'application/x-amz-json-1.1', 'content-length': Buffer.byteLength(body) };
  const request = httpRequest(emulator.url, {
    agent: false,
    method: 'POST',
    headers: { ...signed.headers, ...contentHeaders, ...changes },
  });
  request.end(body);
  const [response] = await once(request, 'response');
  await text(response);
  return response.statusCode;
}

class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as Uint8Array);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}
