import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bodyOf, log, messagesIn, NOW, PATH, put, send, setUp } from './log-service-helpers.js';
import { encodeLz4Block, lz4Block } from './lz4-encoder.js';

const TEXT = 'hello 订单 😀 '.repeat(20);
const BODY = bodyOf([log(TEXT)]);
const RAW_SIZE = Buffer.byteLength(BODY);

const compressed = (type: string) => ({ rawSize: RAW_SIZE, headers: { 'x-log-compresstype': type } });

describe('a request', () => {
  it('gets HTTP 200 with an empty body, a request id and the service’s date', async () => {
    const { status, headers, body } = await send(await setUp(), BODY);
    expect({ status, body }).toEqual({ status: 200, body: '' });
    expect(headers).toMatchObject({
      'content-length': '0',
      'x-log-requestid': expect.stringMatching(/^[0-9A-F]{24}$/),
      date: new Date(NOW).toUTCString(),
      server: expect.any(String),
    });
  });

  it.each(['application/json;charset=UTF-8', 'application/json; charset=utf-8', 'Application/JSON'])(
    'may have the content type %s',
    async (contentType) => {
      const emulator = await setUp();
      expect(await send(emulator, BODY, { headers: { 'content-type': contentType } })).toMatchObject({ status: 200 });
    },
  );

  it.each([
    ['x-log-apiversion', undefined, 400, 'MissingAPIVersion', 'x-log-apiversion does not exist in http header.'],
    ['x-log-apiversion', '0.4.0', 400, 'InvalidAPIVersion', 'x-log-apiversion 0.4.0 is unsupported.'],
    [
      'x-log-bodyrawsize',
      undefined,
      400,
      'MissingBodyRawSize',
      'x-log-bodyrawsize does not exist in header when it is necessary.',
    ],
    ['x-log-bodyrawsize', 'many', 400, 'InvalidBodyRawSize', 'x-log-bodyrawsize is invalid.'],
    ['x-log-bodyrawsize', '-1', 400, 'InvalidBodyRawSize', 'x-log-bodyrawsize is invalid.'],
    ['x-log-bodyrawsize', '1e2', 400, 'InvalidBodyRawSize', 'x-log-bodyrawsize is invalid.'],
    ['x-log-bodyrawsize', String(RAW_SIZE - 1), 400, 'InvalidBodyRawSize', 'x-log-bodyrawsize is invalid.'],
    ['x-log-bodyrawsize', String(BODY.length), 400, 'InvalidBodyRawSize', 'x-log-bodyrawsize is invalid.'],
    ['x-log-compresstype', 'gzip', 400, 'InvalidCompressType', 'x-log-compresstype gzip is unsupported.'],
    ['x-log-compresstype', 'zstd', 400, 'InvalidCompressType', 'x-log-compresstype zstd is unsupported.'],
    ['x-log-compresstype', 'none', 400, 'InvalidCompressType', 'x-log-compresstype none is unsupported.'],
    ['x-log-compresstype', '', 400, 'InvalidCompressType', 'x-log-compresstype  is unsupported.'],
    [
      'content-type',
      undefined,
      400,
      'MissingContentType',
      'Content-Type does not exist in http header when body is not empty.',
    ],
    ['content-type', 'text/plain', 415, 'InvalidContentType', 'Content-Type text/plain is unsupported.'],
    [
      'content-type',
      'application/json; charset=gbk',
      415,
      'InvalidContentType',
      'Content-Type application/json; charset=gbk is unsupported.',
    ],
    ['content-type', 'application/jsonl', 415, 'InvalidContentType', 'Content-Type application/jsonl is unsupported.'],
    [
      'content-length',
      undefined,
      411,
      'MissingContentLength',
      'Content-Length does not exist in http header when it is necessary.',
    ],
  ])('with %s %s is refused', async (name, value, status, errorCode, errorMessage) => {
    const emulator = await setUp();
    const response = await send(emulator, BODY, { headers: { [name]: value } });
    expect(response).toMatchObject({ status, errorCode, errorMessage });
    expect(response.headers['x-log-requestid']).toMatch(/^[0-9A-F]{24}$/);
    expect(emulator.stats()).toMatchObject({
      accepted: 0,
      violations: [{ logstore: 'logs', error: errorCode, message: expect.stringContaining(errorMessage) }],
    });
  });

  it.each([
    ['POST', '/'],
    ['POST', '/logstores/logs/shards'],
    ['POST', `${PATH}/`],
    ['POST', `${PATH}?APIVersion=0.6.0`],
    ['PUT', PATH],
  ])('%s %s is refused', async (method, path) => {
    const emulator = await setUp();
    expect(await send(emulator, BODY, { method, path })).toMatchObject({ status: 400, errorCode: 'ParameterInvalid' });
    expect(emulator.stats().violationCount).toBe(1);
  });
});

describe('a compressed body', () => {
  it.each([
    ['lz4', encodeLz4Block],
    ['lz4', (body: Buffer) => lz4Block([{ literals: body }])],
    ['deflate', (body: Buffer) => deflateSync(body, { level: 1 })],
    ['deflate', (body: Buffer) => deflateSync(body, { level: 0 })],
  ])('of type %s is decoded (case %#)', async (type, compress) => {
    const emulator = await setUp();
    const body = compress(Buffer.from(BODY));
    expect(await send(emulator, body, compressed(type))).toMatchObject({ status: 200 });
    expect(messagesIn(emulator)).toEqual([TEXT]);
    expect(emulator.stats()).toMatchObject({ rawBytes: RAW_SIZE, wireBytes: body.length, compression: { [type]: 1 } });
  });

  it.each([
    ['lz4', 'that is not compressed', (body: Buffer) => body],
    [
      'lz4',
      'that breaks the end-of-block rules',
      () => lz4Block([{ literals: 'a', match: { offset: 1, length: RAW_SIZE - 1 } }]),
    ],
    ['deflate', 'that is not compressed', (body: Buffer) => body],
    ['deflate', 'without zlib’s header', (body: Buffer) => deflateRawSync(body)],
    ['deflate', 'in gzip format', (body: Buffer) => gzipSync(body)],
    ['deflate', 'with its last byte missing', (body: Buffer) => deflateSync(body).subarray(0, -1)],
    ['deflate', 'with an extra byte', (body: Buffer) => Buffer.concat([deflateSync(body), Buffer.from('x')])],
    ['deflate', 'that decodes to more bytes', (body: Buffer) => deflateSync(Buffer.concat([body, Buffer.from(' ')]))],
    ['deflate', 'that decodes to fewer bytes', (body: Buffer) => deflateSync(body.subarray(0, -1))],
  ])('of type %s %s is refused', async (type, _, compress) => {
    const emulator = await setUp();
    const body = compress(Buffer.from(BODY));
    expect(await send(emulator, body, compressed(type))).toMatchObject({
      status: 400,
      errorCode: 'PostBodyUncompressError',
      errorMessage: 'Failed to decompress logs.',
    });
    expect(emulator.stats().violations).toMatchObject([
      { error: 'PostBodyUncompressError', message: expect.stringMatching(/^Failed to decompress logs\.: \w/) },
    ]);
  });
});

describe('the size of a body', () => {
  const LIMIT = 3 * 1024 * 1024;
  const EMPTY_BYTES = Buffer.byteLength(bodyOf([log('')]));
  /** A body of exactly this size. It has several fields, because a value has at most 1 MiB. */
  const bodyOfSize = (bytes: number): string => {
    const full = { a: 'x'.repeat(1_000_000), b: 'x'.repeat(1_000_000), c: 'x'.repeat(1_000_000) };
    const rest = bytes - Buffer.byteLength(bodyOf([{ ...full, message: '' }]));
    return bodyOf([{ ...full, message: 'x'.repeat(rest) }]);
  };

  it('may be 3,145,728 bytes before compression', async () => {
    const emulator = await setUp();
    expect(await send(emulator, bodyOfSize(LIMIT))).toMatchObject({ status: 200 });
    expect(emulator.stats()).toMatchObject({ rawBytes: LIMIT, largestBatch: { events: 1, bytes: LIMIT } });
  });

  it.each([
    ['sent without compression', (body: Buffer) => body, undefined],
    ['sent with lz4', encodeLz4Block, 'lz4'],
    ['sent with deflate', (body: Buffer) => deflateSync(body), 'deflate'],
  ])('may not be 3,145,729 bytes before compression, %s', async (_, compress, type) => {
    const emulator = await setUp();
    const body = compress(Buffer.from(bodyOfSize(LIMIT + 1)));
    const request = { rawSize: LIMIT + 1, headers: { 'x-log-compresstype': type } };
    expect(await send(emulator, body, request)).toMatchObject({
      status: 400,
      errorCode: 'PostBodyTooLarge',
      errorMessage: 'Logs must be less than or equal to 3 MB and 4096 entries.',
    });
  });

  it('may not exceed the declared size during decompression', async () => {
    const emulator = await setUp();
    const bomb = deflateSync(Buffer.alloc(50_000_000));
    expect(await send(emulator, bomb, { ...compressed('deflate'), rawSize: EMPTY_BYTES })).toMatchObject({
      errorCode: 'PostBodyUncompressError',
    });
  });

  it.each([10_485_761, 17_000_000])('gives HTTP 413 for %i bytes on the wire', async (bytes) => {
    const emulator = await setUp();
    expect(await send(emulator, Buffer.alloc(bytes, ' '))).toMatchObject({
      status: 413,
      errorCode: 'PostBodyTooLarge',
      errorMessage: `Body size ${bytes} must little than 10485760.`,
    });
  });
});

describe('the Host header', () => {
  it.each(['other.cn-hangzhou.log.aliyuncs.com', 'other.localhost:4586'])(
    '%s names a missing project',
    async (host) => {
      const emulator = await setUp();
      expect(await put(emulator, [log()], {}, { headers: { host } })).toMatchObject({
        status: 404,
        errorCode: 'ProjectNotExist',
        errorMessage: 'The Project does not exist : other',
      });
      expect(emulator.stats().violationCount).toBe(0);
    },
  );

  it.each(['shop.cn-hangzhou.log.aliyuncs.com', 'shop.localhost', 'localhost:4586', 'logs.example.com', '10.0.0.7'])(
    '%s is accepted for the server’s project',
    async (host) => {
      const emulator = await setUp({ project: 'shop' });
      expect(await put(emulator, [log()], {}, { headers: { host } })).toMatchObject({ status: 200 });
    },
  );
});
