import { describe, expect, it } from 'vitest';
import type { LogServiceEmulator } from '../src/index.js';
import { log, NOW, put, setUp } from './log-service-helpers.js';
import { call, groupOf, NOW_S, sendSigned, signedLog } from './log-service-signed-helpers.js';

const SHOP = { logstoreName: 'shop', ttl: 30, shardCount: 2 };
const LINE = { token: [' ', ',', ':'], caseSensitive: false };

describe('CreateLogStore', () => {
  it('creates a logstore for signed requests, which has no web tracking', async () => {
    const emulator = await setUp();
    expect(await call(emulator, 'POST /logstores', SHOP)).toMatchObject({ status: 200, body: '' });
    const path = '/logstores/shop';
    expect(await put(emulator, [log()], {}, { path: `${path}/track` })).toMatchObject({ status: 401 });
    const body = groupOf([signedLog()]);
    expect(await sendSigned(emulator, body, { path: `${path}/shards/lb` })).toMatchObject({ status: 200 });
    expect(emulator.stats()).toMatchObject({
      operations: { CreateLogStore: 1, PutLogs: 1, PutWebTracking: 1 },
      accepted: 1,
      violations: [],
    });
  });

  it('takes the settings that GetLogStore returns', async () => {
    const emulator = await setUp();
    const more = { enable_tracking: true, autoSplit: true, maxSplitShard: 64, appendMeta: true };
    expect(await call(emulator, 'POST /logstores', { ...SHOP, ...more })).toMatchObject({ status: 200 });
    const { status, body } = await call(emulator, 'GET /logstores/shop');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ ...SHOP, ...more, createTime: NOW_S, lastModifyTime: NOW_S });
    expect(await put(emulator, [log()], {}, { path: '/logstores/shop/track' })).toMatchObject({ status: 200 });
  });

  it('refuses a name that exists, which is not a violation', async () => {
    const emulator = await setUp();
    expect(await call(emulator, 'POST /logstores', { ...SHOP, logstoreName: 'logs' })).toMatchObject({
      status: 400,
      errorCode: 'LogStoreAlreadyExist',
      errorMessage: 'logstore logs already exists',
    });
    expect(emulator.stats().violations).toEqual([]);
  });

  it('refuses more than 200 logstores', async () => {
    const emulator = await setUp({ logstores: Array.from({ length: 199 }, (_, index) => `logs-${index}`) });
    expect(await call(emulator, 'POST /logstores', SHOP)).toMatchObject({ status: 200 });
    expect(await call(emulator, 'POST /logstores', { ...SHOP, logstoreName: 'more' })).toMatchObject({
      status: 400,
      errorCode: 'ProjectQuotaExceed',
      errorMessage: 'Project Quota Exceed.',
    });
  });

  it.each([
    [{ logstoreName: 'Shop' }, 'store name Shop is invalid'],
    [{ logstoreName: undefined }, 'store name undefined is invalid'],
    [{ ttl: undefined }, 'ttl value is out of range'],
    [{ ttl: 0 }, 'ttl value is out of range'],
    [{ ttl: 3651 }, 'ttl value is out of range'],
    [{ ttl: '30' }, 'ttl value is out of range'],
    [{ shardCount: undefined }, 'shardCount value is out of range'],
    [{ shardCount: 0 }, 'shardCount value is out of range'],
    [{ shardCount: 101 }, 'shardCount value is out of range'],
    [{ autoSplit: 'true' }, 'logstore info is invalid'],
    [{ enable_tracking: 1 }, 'logstore info is invalid'],
    [{ autoSplit: true }, 'maxSplitShard value is out of range'],
    [{ autoSplit: true, maxSplitShard: 257 }, 'maxSplitShard value is out of range'],
  ])('refuses %o', async (members, errorMessage) => {
    const emulator = await setUp();
    expect(await call(emulator, 'POST /logstores', { ...SHOP, ...members })).toMatchObject({
      status: 400,
      errorCode: 'LogStoreInfoInvalid',
      errorMessage,
    });
    expect(emulator.stats().violationCount).toBe(1);
  });

  it.each(['', '{', '[]', 'null'])('refuses the body "%s"', async (body) => {
    const request = { path: '/logstores', headers: { 'content-type': 'application/json' } };
    expect(await sendSigned(await setUp(), body, request)).toMatchObject({
      status: 400,
      errorCode: 'PostBodyInvalid',
      errorMessage: 'The request body is not valid JSON object.',
    });
  });

  it('refuses another content type and another project', async () => {
    const emulator = await setUp();
    expect(await call(emulator, 'POST /logstores', SHOP, { headers: { 'content-type': 'text/plain' } })).toMatchObject({
      status: 415,
      errorCode: 'InvalidContentType',
    });
    expect(await call(emulator, 'POST /logstores', SHOP, { headers: { host: 'other.localhost' } })).toMatchObject({
      status: 404,
      errorCode: 'ProjectNotExist',
    });
  });
});

describe('ListLogStores', () => {
  it('lists names in pages', async () => {
    const emulator = await setUp({ logstores: ['web', 'audit', 'web-2'] });
    const list = async (query: Record<string, string>) =>
      JSON.parse((await call(emulator, 'GET /logstores', undefined, { query })).body);
    expect(await list({})).toEqual({ count: 3, total: 3, logstores: ['audit', 'web', 'web-2'] });
    expect(await list({ offset: '1', size: '1' })).toEqual({ count: 1, total: 3, logstores: ['web'] });
    expect(await list({ logstoreName: 'web', offset: '', size: '' })).toEqual({
      count: 2,
      total: 2,
      logstores: ['web', 'web-2'],
    });
    expect(await list({ size: '501' })).toMatchObject({ errorCode: 'ParameterInvalid' });
  });
});

describe('CreateIndex', () => {
  it('creates the index that GetIndex returns, once', async () => {
    const emulator = await setUp();
    await call(emulator, 'POST /logstores', SHOP);
    const line = 'GET /logstores/shop/index';
    expect(await call(emulator, line)).toMatchObject({ status: 400, errorCode: 'IndexConfigNotExist' });
    const keys = { level: { type: 'text', token: [' '], doc_value: true } };
    const create = () => call(emulator, 'POST /logstores/shop/index', { line: LINE, keys });
    expect(await create()).toMatchObject({ status: 200, body: '' });
    expect(JSON.parse((await call(emulator, line)).body)).toEqual({
      index_mode: 'v2',
      line: LINE,
      keys,
      storage: 'pg',
      ttl: 30,
      lastModifyTime: NOW_S,
    });
    expect(await create()).toMatchObject({
      status: 400,
      errorCode: 'IndexAlreadyExist',
      errorMessage: 'Logstore index is already created.',
    });
    expect(emulator.stats().violations).toEqual([]);
  });

  it.each([
    [{}],
    [{ line: {} }],
    [{ line: 'all' }],
    [{ line: { token: ' ' } }],
    [{ line: { token: [1] } }],
    [{ line: { ...LINE, chn: 'yes' } }],
    [{ line: { ...LINE, include_keys: ['a'], exclude_keys: ['b'] } }],
    [{ keys: [] }],
    [{ keys: { level: {} } }],
    [{ keys: { level: { type: 'keyword' } } }],
    [{ keys: { level: { type: 'text', token: ' ' } } }],
  ])('refuses %o', async (index) => {
    const emulator = await setUp();
    await call(emulator, 'POST /logstores', SHOP);
    expect(await call(emulator, 'POST /logstores/shop/index', index)).toMatchObject({
      status: 400,
      errorCode: 'IndexInfoInvalid',
      errorMessage: 'Required field token is lacking or of error format.',
    });
  });

  it('refuses a missing logstore', async () => {
    const emulator = await setUp();
    for (const line of ['POST /logstores/none/index', 'GET /logstores/none/index', 'GET /logstores/none']) {
      const body = line.startsWith('POST') ? { line: LINE } : undefined;
      expect(await call(emulator, line, body)).toMatchObject({ status: 404, errorCode: 'LogStoreNotExist' });
    }
  });
});

describe('GetLogs', () => {
  const search = async (emulator: LogServiceEmulator, query: Record<string, string> = {}) => {
    const span = { from: String(NOW_S - 60), to: String(NOW_S + 60) };
    const response = await call(emulator, 'GET /logstores/logs', undefined, {
      query: { type: 'log', ...span, ...query },
    });
    return { ...response, logs: response.status === 200 ? JSON.parse(response.body) : [] };
  };
  const setUpLogs = async (): Promise<LogServiceEmulator> => {
    const emulator = await setUp();
    const contents = (message: string, level: string) => ({
      Contents: [
        { Key: 'message', Value: message },
        { Key: 'level', Value: level },
      ],
    });
    const logs = [
      signedLog('', { ...contents('Payment failed: card=42', 'error'), Time: NOW_S - 2, TimeNs: 7 }),
      signedLog('', { ...contents('payment ok', 'info'), Time: NOW_S - 3 }),
      signedLog('', { ...contents('order "A-1" placed', 'info'), Time: NOW_S - 2, TimeNs: 6 }),
    ];
    await sendSigned(emulator, groupOf(logs, { Topic: 'web', LogTags: [{ Key: 'env', Value: 'test' }] }));
    await put(emulator, [log('tracked')]);
    return emulator;
  };
  const messages = async (query: Record<string, string>): Promise<string[]> =>
    (await search(await setUpLogs(), query)).logs.map(({ message }: { message: string }) => message);

  it('finds a part, or has no quota, as often as the fault plan says', async () => {
    const emulator = await setUpLogs();
    emulator.faults({ next: ['incomplete', 'readQuota'], only: ['GetLogs'] });
    const { logs, headers } = await search(emulator);
    expect(headers).toMatchObject({ 'x-log-progress': 'Incomplete', 'x-log-count': '2' });
    expect(logs).toHaveLength(2);
    expect(await search(emulator)).toMatchObject({ status: 403, errorCode: 'ShardReadQuotaExceed' });
    const all = await search(emulator);
    expect(all.headers).toMatchObject({ 'x-log-progress': 'Complete' });
    expect(all.logs.slice(2)).toEqual(logs);
  });

  it('returns logs in order of time, with topic, source, tags and time as texts', async () => {
    const { logs, headers } = await search(await setUpLogs());
    expect(headers).toMatchObject({
      'x-log-progress': 'Complete',
      'x-log-count': '4',
      'content-type': 'application/json',
    });
    expect(logs.map(({ message }: { message: string }) => message)).toEqual([
      'payment ok',
      'order "A-1" placed',
      'Payment failed: card=42',
      'tracked',
    ]);
    expect(logs[2]).toEqual({
      message: 'Payment failed: card=42',
      level: 'error',
      __topic__: 'web',
      __source__: 'host-1',
      '__tag__:env': 'test',
      __time__: String(NOW_S - 2),
      __time_ns_part__: '7',
    });
    expect(logs[3]).toMatchObject({ __time__: String(NOW_S), __time_ns_part__: String((NOW % 1000) * 1_000_000) });
  });

  it.each([
    ['', 4],
    ['*', 4],
    ['payment', 2],
    ['PAYMENT', 2],
    ['pay', 0],
    ['pay*', 2],
    ['payment and failed', 1],
    ['payment failed', 1],
    ['42', 1],
    ['"failed: card"', 1],
    ['"\\"A-1\\""', 1],
    ['level: info', 2],
    ['level:info and payment', 1],
    ['level: error and message: "card 42"', 1],
    ['level: inf*', 2],
    ['level: *', 4],
    ['missing: x', 0],
    ['__topic__: web', 3],
    ['__source__: host-1', 4],
    ['__tag__:env: test', 3],
    ['__tag__:env: other', 0],
  ])('finds by the query %s', async (query, count) => {
    expect(await messages({ query })).toHaveLength(count);
  });

  it('finds by topic, in a span of time, in pages and in both directions', async () => {
    expect(await messages({ topic: 'web' })).toHaveLength(3);
    expect(await messages({ from: String(NOW_S - 3), to: String(NOW_S - 2) })).toEqual(['payment ok']);
    expect(await messages({ line: '1', offset: '1' })).toEqual(['order "A-1" placed']);
    expect(await messages({ line: '0' })).toEqual([]);
    expect(await messages({ line: '2', reverse: 'true' })).toEqual(['tracked', 'Payment failed: card=42']);
  });

  it('returns 100 logs at most', async () => {
    const emulator = await setUp();
    await sendSigned(emulator, groupOf(Array.from({ length: 101 }, () => signedLog())));
    expect((await search(emulator)).logs).toHaveLength(100);
  });

  it.each([
    [{ from: String(NOW_S), to: String(NOW_S) }, 'InvalidTimeRange'],
    [{ from: 'yesterday' }, 'InvalidTimeRange'],
    [{ line: '101' }, 'InvalidLine'],
    [{ line: '-1' }, 'InvalidLine'],
    [{ offset: 'x' }, 'InvalidOffset'],
    [{ reverse: 'down' }, 'InvalidReverse'],
    [{ query: '"open' }, 'InvalidQueryString'],
  ])('refuses %o', async (query, errorCode) => {
    expect(await search(await setUp(), query as Record<string, string>)).toMatchObject({ status: 400, errorCode });
  });

  it('refuses a request without a span of time, and a logstore without an index', async () => {
    const emulator = await setUp();
    const query = { type: 'log' };
    expect(await call(emulator, 'GET /logstores/logs', undefined, { query })).toMatchObject({
      status: 400,
      errorCode: 'MissingParameter',
      errorMessage: 'Missing query key : from.',
    });
    await call(emulator, 'POST /logstores', SHOP);
    const span = { ...query, from: '1', to: '2' };
    expect(await call(emulator, 'GET /logstores/shop', undefined, { query: span })).toMatchObject({
      status: 400,
      errorCode: 'IndexConfigNotExist',
    });
  });

  it.each(['a or b', 'not a', '* | select count(*)', '(a and b)', 'status > 400'])(
    'does not support the query %s',
    async (query) => {
      const emulator = await setUp({ strict: false });
      expect(await search(emulator, { query })).toMatchObject({
        status: 400,
        errorMessage: expect.stringMatching(/^The emulator has no operation GetLogs with /),
      });
      expect(emulator.stats()).toMatchObject({ violations: [], unsupported: expect.anything() });
    },
  );
});
