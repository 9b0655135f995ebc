import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { messagesIn, NOW, setUp } from './log-service-helpers.js';
import {
  groupOf,
  LB_PATH,
  NOW_S,
  type SignedRequest,
  sendSigned,
  signedLog,
  type TestLog,
} from './log-service-signed-helpers.js';
import { encodeLz4Block } from './lz4-encoder.js';

const UNPARSABLE = 'Protobuffer content cannot be parsed.';
const WRONG_TYPE = 'wrong data type';
const DAY_S = 86_400;

/** A field of a message: its number, its wire type and its bytes. */
function field(number: number, wireType: number, bytes: readonly number[] | Uint8Array): Buffer {
  return Buffer.from([(number << 3) | wireType, ...bytes]);
}

/** A field of a message with a text or another message. */
function nested(number: number, content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return field(number, 2, [bytes.length, ...bytes]);
}

const TIME = field(1, 0, [
  0x80 | (NOW_S & 0x7f),
  ...[7, 14, 21].map((bits) => 0x80 | ((NOW_S >> bits) & 0x7f)),
  NOW_S >>> 28,
]);
const CONTENT = nested(2, Buffer.concat([nested(1, 'message'), nested(2, 'hello')]));
const LOG = nested(1, Buffer.concat([TIME, CONTENT]));

describe('PutLogs', () => {
  it('stores logs at their own time, to the nanosecond', async () => {
    const emulator = await setUp();
    const body = groupOf(
      [
        signedLog('first', { Time: NOW_S - 3600, TimeNs: 1_999_999 }),
        {
          Time: NOW_S,
          TimeNs: 999_999_999,
          Contents: [
            { Key: 'a', Value: '1' },
            { Key: '订单', Value: '😀' },
          ],
        },
        signedLog('third'),
      ],
      { Topic: 'web', LogTags: [{ Key: 'env', Value: 'test' }] },
    );
    const { status, headers, body: empty } = await sendSigned(emulator, body);
    expect({ status, body: empty }).toEqual({ status: 200, body: '' });
    const requestId = headers['x-log-requestid'];
    const common = {
      project: 'local',
      logstore: 'logs',
      topic: 'web',
      source: 'host-1',
      tags: { env: 'test' },
      receiveTime: NOW,
      requestId,
    };
    expect(emulator.events()).toEqual([
      { ...common, fields: { message: 'first' }, time: (NOW_S - 3600) * 1000 + 1, timeNs: 1_999_999 },
      { ...common, fields: { a: '1', 订单: '😀' }, time: NOW_S * 1000 + 999, timeNs: 999_999_999 },
      { ...common, fields: { message: 'third' }, time: NOW_S * 1000, timeNs: 0 },
    ]);
    expect(emulator.stats()).toMatchObject({
      operations: { PutLogs: 1 },
      accepted: 1,
      storedLogs: 3,
      rawBytes: body.length,
      violations: [],
    });
  });

  it('writes to each logstore, with web tracking or without', async () => {
    const emulator = await setUp({ webTrackingOff: ['audit'] });
    for (const logstore of ['logs', 'audit']) {
      const path = `/logstores/${logstore}/shards/lb`;
      expect(await sendSigned(emulator, groupOf([signedLog()]), { path })).toMatchObject({ status: 200 });
    }
    expect(await sendSigned(emulator, groupOf([signedLog()]), { path: '/logstores/none/shards/lb' })).toMatchObject({
      status: 404,
      errorCode: 'LogStoreNotExist',
    });
    expect(emulator.events().map(({ logstore }) => logstore)).toEqual(['logs', 'audit']);
  });

  it('takes a hash key that selects the shard', async () => {
    const emulator = await setUp();
    const path = '/logstores/logs/shards/route';
    const put = (query: Record<string, string>) => sendSigned(emulator, groupOf([signedLog()]), { path, query });
    expect(await put({ key: '14d2f850ad6ea48e46e4547edbbb27e0' })).toMatchObject({ status: 200 });
    expect(await put({})).toMatchObject({ status: 200 });
    expect(await put({ key: 'shard-1' })).toMatchObject({ status: 400, errorCode: 'ParameterInvalid' });
  });

  it('checks the project of the host', async () => {
    const emulator = await setUp();
    const put = (host: string) => sendSigned(emulator, groupOf([signedLog()]), { headers: { host } });
    expect(await put('local.cn-hangzhou.log.aliyuncs.com')).toMatchObject({ status: 200 });
    expect(await put('other.cn-hangzhou.log.aliyuncs.com')).toMatchObject({
      status: 404,
      errorCode: 'ProjectNotExist',
    });
  });
});

describe('a Protobuf body', () => {
  it.each([
    [
      'keys that objects inherit',
      [
        { Key: '__proto__', Value: 'p' },
        { Key: 'constructor', Value: 'c' },
      ],
    ],
    ['a key of 128 bytes', [{ Key: `${'€'.repeat(42)}xx`, Value: '' }]],
    ['a value of 1 MiB', [{ Key: 'message', Value: 'x'.repeat(1024 * 1024) }]],
    ['a replacement character', [{ Key: 'message', Value: '\ufffd\u0000' }]],
  ])('may have %s', async (_, Contents) => {
    const emulator = await setUp();
    expect(await sendSigned(emulator, groupOf([{ Time: NOW_S, Contents }]))).toMatchObject({ status: 200 });
    expect(Object.entries(emulator.events()[0]?.fields ?? {})).toEqual(Contents.map(({ Key, Value }) => [Key, Value]));
  });

  it('may have no source, and its fields in any order', async () => {
    const emulator = await setUp();
    const body = Buffer.concat([nested(3, 'web'), nested(1, Buffer.concat([CONTENT, TIME]))]);
    expect(await sendSigned(emulator, body)).toMatchObject({ status: 200 });
    expect(emulator.events()).toMatchObject([
      { topic: 'web', source: '', fields: { message: 'hello' }, time: NOW_S * 1000 },
    ]);
  });

  it.each([
    ['that is empty', Buffer.alloc(0), UNPARSABLE],
    ['that is JSON', Buffer.from('{"__logs__":[]}'), UNPARSABLE],
    ['without logs', nested(4, 'host-1'), UNPARSABLE],
    ['with a log without a time', nested(1, CONTENT), UNPARSABLE],
    ['with a log without contents', nested(1, TIME), WRONG_TYPE],
    ['with a content without a key', nested(1, Buffer.concat([TIME, nested(2, nested(2, 'v'))])), UNPARSABLE],
    ['with a content without a value', nested(1, Buffer.concat([TIME, nested(2, nested(1, 'k'))])), UNPARSABLE],
    ['with a tag without a value', Buffer.concat([LOG, nested(6, nested(1, 'k'))]), UNPARSABLE],
    ['that ends within a tag', Buffer.concat([LOG, Buffer.from([0x80])]), UNPARSABLE],
    ['that ends within a length', Buffer.concat([LOG, Buffer.from([0x1a, 0x80])]), UNPARSABLE],
    ['that ends within a text', Buffer.concat([LOG, Buffer.from([0x1a, 5, 0x61])]), UNPARSABLE],
    ['that ends within a log', LOG.subarray(0, -1), UNPARSABLE],
    [
      'with a message longer than its parent',
      nested(1, Buffer.concat([TIME, Buffer.from([0x12, 100, 0])])),
      UNPARSABLE,
    ],
    [
      'with a number of more than 10 bytes',
      nested(1, Buffer.concat([field(1, 0, [...Array(10).fill(0x80), 1]), CONTENT])),
      UNPARSABLE,
    ],
    ['with the field number 0', Buffer.concat([LOG, Buffer.from([0x02, 0])]), UNPARSABLE],
    ['with a time of a wrong wire type', nested(1, Buffer.concat([field(1, 5, [0, 0, 0, 0]), CONTENT])), UNPARSABLE],
    ['with nanoseconds of a wrong wire type', nested(1, Buffer.concat([TIME, CONTENT, field(4, 0, [1])])), UNPARSABLE],
    ['with logs of a wrong wire type', field(1, 0, [1]), UNPARSABLE],
    ['with a group', Buffer.concat([LOG, Buffer.from([(7 << 3) | 3, (7 << 3) | 4])]), UNPARSABLE],
    ['with an unknown wire type', Buffer.concat([LOG, Buffer.from([(7 << 3) | 6])]), UNPARSABLE],
    ['with a topic of 129 bytes', groupOf([signedLog()], { Topic: '€'.repeat(43) }), WRONG_TYPE],
    ['with a source of 129 bytes', groupOf([signedLog()], { Source: '€'.repeat(43) }), WRONG_TYPE],
    ['with a value of 1 MiB and a byte', groupOf([signedLog('x'.repeat(1024 * 1024 + 1))]), WRONG_TYPE],
  ])('%s is refused', async (_, body, errorMessage) => {
    const emulator = await setUp({ strict: false });
    expect(await sendSigned(emulator, body)).toMatchObject({ status: 400, errorCode: 'PostBodyInvalid', errorMessage });
    expect(emulator.stats()).toMatchObject({ storedLogs: 0, violationCount: 1 });
  });

  it.each(['', 'x'.repeat(129), '__time__', '__source__', '__topic__', '__partition_time__', '__tag__:env'])(
    'with the key "%s" is refused',
    async (Key) => {
      const emulator = await setUp({ strict: false });
      const error = { status: 400, errorCode: 'InvalidKey', errorMessage: 'Invalid keys are in logs.' };
      const Contents = [{ Key, Value: 'v' }];
      expect(await sendSigned(emulator, groupOf([signedLog(), { Time: NOW_S, Contents }]))).toMatchObject(error);
      expect(await sendSigned(emulator, groupOf([signedLog()], { LogTags: Contents }))).toMatchObject(error);
    },
  );

  it.each([
    [
      'a value',
      nested(1, Buffer.concat([TIME, nested(2, Buffer.concat([nested(1, 'k'), nested(2, Buffer.from([0xe9]))]))])),
    ],
    [
      'a key',
      nested(
        1,
        Buffer.concat([TIME, nested(2, Buffer.concat([nested(1, Buffer.from([0xed, 0xa0, 0x80])), nested(2, 'v')]))]),
      ),
    ],
    ['the topic', Buffer.concat([LOG, nested(3, Buffer.from([0xff]))])],
  ])('with %s that is not UTF-8 is refused', async (_, body) => {
    const emulator = await setUp({ strict: false });
    expect(await sendSigned(emulator, body)).toMatchObject({
      status: 400,
      errorCode: 'InvalidEncoding',
      errorMessage: 'Non-UTF8 characters are in logs.',
    });
  });

  it.each([
    ['the reserved field 2', Buffer.concat([LOG, nested(2, 'category')]), 'LogGroup has an unknown field 2'],
    ['the reserved field 5', Buffer.concat([LOG, nested(5, 'uuid')]), 'LogGroup has an unknown field 5'],
    ['an unknown number', Buffer.concat([LOG, field(9, 0, [1])]), 'LogGroup has an unknown field 9'],
    [
      'an unknown field of a log',
      nested(1, Buffer.concat([TIME, CONTENT, field(3, 1, Array(8).fill(0))])),
      'Logs[0] has an unknown field 3',
    ],
    [
      'an unknown field of a content',
      nested(
        1,
        Buffer.concat([
          TIME,
          nested(2, Buffer.concat([nested(1, 'message'), nested(2, 'hello'), field(3, 5, [0, 0, 0, 0])])),
        ]),
      ),
      'Logs[0] has an unknown field 3',
    ],
    ['the time twice', nested(1, Buffer.concat([field(1, 0, [1]), TIME, CONTENT])), 'Logs[0].Time comes twice'],
    ['the topic twice', Buffer.concat([LOG, nested(3, 'a'), nested(3, 'b')]), 'Topic comes twice'],
  ])('with %s is tolerated, as decoders do', async (_, body, detail) => {
    const strict = await setUp();
    expect(await sendSigned(strict, body)).toMatchObject({ status: 400, errorCode: 'PostBodyInvalid' });
    expect(strict.stats().violations).toMatchObject([{ message: `${UNPARSABLE}: ${detail}` }]);
    const emulator = await setUp({ strict: false });
    expect(await sendSigned(emulator, body)).toMatchObject({ status: 200 });
    expect(messagesIn(emulator)).toEqual(['hello']);
    expect(emulator.stats()).toMatchObject({ toleratedCount: 1, violations: [] });
  });

  it('with the same key twice in a log is tolerated, and keeps the last value', async () => {
    const body = groupOf([{ Time: NOW_S, Contents: ['a', 'b'].map((Value) => ({ Key: 'message', Value })) }]);
    expect(await sendSigned(await setUp(), body)).toMatchObject({ status: 400, errorCode: 'InvalidKey' });
    const emulator = await setUp({ strict: false });
    expect(await sendSigned(emulator, body)).toMatchObject({ status: 200 });
    expect(messagesIn(emulator)).toEqual(['b']);
  });
});

describe('the time of a log', () => {
  const put = async (log: TestLog) => sendSigned(await setUp(), groupOf([signedLog(), log]));

  it.each([
    ['7 days in the past', -7 * DAY_S],
    ['15 minutes in the future', 15 * 60],
  ])('may be %s', async (_, ahead) => {
    expect(await put(signedLog('x', { Time: NOW_S + ahead }))).toMatchObject({ status: 200 });
  });

  it.each([
    ['more than 7 days in the past', NOW_S - 7 * DAY_S - 1],
    ['more than 15 minutes in the future', NOW_S + 15 * 60 + 1],
    ['in milliseconds', 0xffff_ffff],
    ['0', 0],
  ])('may not be %s: one such log refuses the request', async (_, Time) => {
    const emulator = await setUp();
    expect(await sendSigned(emulator, groupOf([signedLog(), signedLog('x', { Time })]))).toMatchObject({
      status: 400,
      errorCode: 'PostBodyInvalid',
      errorMessage: 'The post data time is out of range',
    });
    expect(emulator.stats()).toMatchObject({
      storedLogs: 0,
      violations: [{ message: expect.stringContaining('Logs[1]') }],
    });
  });

  it('may not have 1,000,000,000 nanoseconds, or more than 32 bits', async () => {
    const error = { status: 400, errorCode: 'InvalidTimestamp', errorMessage: 'Invalid timestamps are in logs.' };
    expect(await put(signedLog('x', { TimeNs: 1_000_000_000 }))).toMatchObject(error);
    const body = nested(1, Buffer.concat([field(1, 0, [0x80, 0x80, 0x80, 0x80, 0x10]), CONTENT]));
    expect(await sendSigned(await setUp(), body)).toMatchObject(error);
  });
});

describe('the size of a signed request', () => {
  const LIMIT = 10_485_760;
  /** A body of exactly this size. It has several fields, because a value has at most 1 MiB. */
  const bodyOfSize = (bytes: number): Buffer => {
    const full = Array.from({ length: 10 }, (_, index) => ({ Key: `f${index}`, Value: 'x'.repeat(1_000_000) }));
    const bodyWith = (length: number) =>
      groupOf([{ Time: NOW_S, Contents: [...full, { Key: 'rest', Value: 'x'.repeat(length) }] }]);
    const body = bodyWith(400_000);
    return bodyWith(400_000 + bytes - body.length);
  };

  it('may be 10,485,760 bytes before compression', async () => {
    const emulator = await setUp();
    const body = bodyOfSize(LIMIT);
    expect(body).toHaveLength(LIMIT);
    expect(await sendSigned(emulator, body)).toMatchObject({ status: 200 });
  });

  it.each([
    ['without compression', undefined, (body: Buffer) => body],
    ['with deflate', 'deflate', (body: Buffer) => zlib.deflateSync(body, { level: 1 })],
  ])('may not be 10,485,761 bytes before compression, sent %s', async (_, type, compress) => {
    const body = compress(bodyOfSize(LIMIT + 1));
    const request = { rawSize: LIMIT + 1, headers: { 'x-log-compresstype': type } };
    expect(await sendSigned(await setUp(), body, request)).toMatchObject({
      status: 413,
      errorCode: 'PostBodyTooLarge',
      errorMessage: 'Body size 10485761 must little than 10485760.',
    });
  });

  it('may have 40,960 logs; more are tolerated', async () => {
    const many = Array.from({ length: 40_960 }, () => signedLog('x'));
    const strict = await setUp();
    expect(await sendSigned(strict, groupOf(many))).toMatchObject({ status: 200 });
    expect(await sendSigned(strict, groupOf([...many, signedLog('x')]))).toMatchObject({
      errorCode: 'PostBodyTooLarge',
    });
    const emulator = await setUp({ strict: false });
    expect(await sendSigned(emulator, groupOf([...many, signedLog('x')]))).toMatchObject({ status: 200 });
    expect(emulator.stats()).toMatchObject({ storedLogs: 40_961, toleratedCount: 1 });
  });
});

describe('a compressed Protobuf body', () => {
  const RAW = groupOf(Array.from({ length: 20 }, () => signedLog()));
  const put = async (type: string, body: Uint8Array, request: SignedRequest = {}) => {
    const emulator = await setUp();
    const headers = { 'x-log-compresstype': type };
    return { emulator, response: await sendSigned(emulator, body, { rawSize: RAW.length, ...request, headers }) };
  };
  const zstdCompress = (zlib as { zstdCompressSync?: (body: Buffer) => Buffer }).zstdCompressSync;

  it.each([
    ['lz4', encodeLz4Block],
    ['deflate', (body: Buffer) => zlib.deflateSync(body)],
  ])('of type %s is decoded', async (type, compress) => {
    const body = compress(RAW);
    const { emulator, response } = await put(type, body);
    expect(response).toMatchObject({ status: 200 });
    expect(emulator.stats()).toMatchObject({
      storedLogs: 20,
      rawBytes: RAW.length,
      wireBytes: body.length,
      compression: { [type]: 1 },
    });
  });

  it.runIf(zstdCompress)('of type zstd is decoded', async () => {
    const body = zstdCompress?.(RAW) as Buffer;
    const { emulator, response } = await put('zstd', body);
    expect(response).toMatchObject({ status: 200 });
    expect(emulator.stats()).toMatchObject({ storedLogs: 20, rawBytes: RAW.length, compression: { zstd: 1 } });
    const error = { status: 400, errorCode: 'PostBodyUncompressError' };
    expect((await put('zstd', body, { rawSize: RAW.length - 1 })).response).toMatchObject(error);
    expect((await put('zstd', body, { rawSize: RAW.length + 1 })).response).toMatchObject(error);
    expect((await put('zstd', Buffer.concat([body, Buffer.from('x')]))).response).toMatchObject(error);
  });

  it.skipIf(zstdCompress)('of type zstd is refused by a Node.js that cannot decompress it', async () => {
    const { emulator, response } = await put('zstd', RAW);
    expect(response).toMatchObject({ status: 400, errorCode: 'InvalidCompressType' });
    expect(emulator.stats().violations).toMatchObject([{ message: expect.stringContaining('this Node.js cannot') }]);
  });

  it('of another type is refused, or with wrong bytes', async () => {
    expect((await put('gzip', RAW)).response).toMatchObject({ status: 400, errorCode: 'InvalidCompressType' });
    for (const type of ['lz4', 'deflate']) {
      expect((await put(type, RAW)).response).toMatchObject({ status: 400, errorCode: 'PostBodyUncompressError' });
    }
  });

  it('needs its size before compression', async () => {
    const headers = { 'x-log-compresstype': 'lz4', 'x-log-bodyrawsize': undefined };
    expect(await sendSigned(await setUp(), encodeLz4Block(RAW), { headers })).toMatchObject({
      status: 400,
      errorCode: 'MissingBodyRawSize',
    });
  });
});

describe('a signed request with JSON', () => {
  const jsonOf = (logs: unknown): string =>
    JSON.stringify({ __topic__: 'web', __source__: 's', __logs__: logs, __tags__: { env: 'test' } });
  const JSON_TYPE = { headers: { 'content-type': 'application/json' } };

  it('is tolerated, and keeps the time of each log', async () => {
    const body = jsonOf([
      { __time__: NOW_S - 60, __time_ns_part__: 5_000_000, message: '订单' },
      { __time__: NOW_S, message: 'b' },
    ]);
    expect(await sendSigned(await setUp(), body, JSON_TYPE)).toMatchObject({
      status: 415,
      errorCode: 'InvalidContentType',
    });
    for (const path of [LB_PATH, '/logstores/logs']) {
      const emulator = await setUp({ strict: false });
      expect(await sendSigned(emulator, body, { ...JSON_TYPE, path })).toMatchObject({ status: 200 });
      expect(emulator.events()).toMatchObject([
        {
          topic: 'web',
          tags: { env: 'test' },
          fields: { message: '订单' },
          time: (NOW_S - 60) * 1000 + 5,
          timeNs: 5_000_000,
        },
        { time: NOW_S * 1000, timeNs: 0 },
      ]);
      const errors = path === LB_PATH ? ['InvalidContentType'] : ['ParameterInvalid', 'InvalidContentType'];
      expect(emulator.stats().tolerated.map(({ error }) => error)).toEqual(errors);
    }
  });

  it.each([
    ['without a time', [{ message: 'a' }], 'PostBodyInvalid', WRONG_TYPE],
    ['with a time that is text', [{ __time__: String(NOW_S), message: 'a' }], 'PostBodyInvalid', WRONG_TYPE],
    [
      'with nanoseconds that are text',
      [{ __time__: NOW_S, __time_ns_part__: '1', message: 'a' }],
      'PostBodyInvalid',
      WRONG_TYPE,
    ],
    [
      'with a time that has a fraction',
      [{ __time__: NOW_S + 0.5, message: 'a' }],
      'InvalidTimestamp',
      'Invalid timestamps are in logs.',
    ],
    [
      'with negative nanoseconds',
      [{ __time__: NOW_S, __time_ns_part__: -1, message: 'a' }],
      'InvalidTimestamp',
      'Invalid timestamps are in logs.',
    ],
    [
      'with a time in milliseconds',
      [{ __time__: NOW, message: 'a' }],
      'PostBodyInvalid',
      'The post data time is out of range',
    ],
    ['with nothing but a time', [{ __time__: NOW_S }], 'PostBodyInvalid', WRONG_TYPE],
    ['that is no object', ['a'], 'PostBodyInvalid', WRONG_TYPE],
  ])('and a log %s is refused', async (_, logs, errorCode, errorMessage) => {
    const emulator = await setUp({ strict: false });
    expect(await sendSigned(emulator, jsonOf(logs), JSON_TYPE)).toMatchObject({ status: 400, errorCode, errorMessage });
    expect(emulator.stats().storedLogs).toBe(0);
  });
});
