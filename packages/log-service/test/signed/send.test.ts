import { inflateSync } from 'node:zlib';
import { startLogService } from '@logferry/emulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLogService, type LogServiceOptions } from '../../src/index.js';
import { hasZstd } from '../../src/send/compress.js';
import { officialAuthorization } from '../support/official-signatures.js';
import { batchAt } from '../support/records.js';
import { accepted, failureOf, type ReceivedRequest, send, startServer } from '../support/servers.js';
import { decodeLogGroup, signedShop } from '../support/signed.js';
import { decodeStrictly } from '../support/strict-lz4.js';

const STATIC = { accessKeyId: 'LTAI1', accessKeySecret: 'secret1' };
const TEMPORARY = { accessKeyId: 'STS.1', accessKeySecret: 'secret2', securityToken: 'CAIS/+=1' };
const ORDER = { message: '订单 17 已发货 🚚', note: 'same '.repeat(50) };

/** Sends a batch to a server that accepts anything, and returns what it received. */
async function received(options: Partial<LogServiceOptions>): Promise<ReceivedRequest & { readonly origin: string }> {
  const { target, last } = await startServer(() => accepted);
  const destination = createLogService({ ...target, ...options });
  await send(destination, batchAt(Date.now(), destination, ORDER, { message: 'second' }));
  return { ...last(), origin: target.endpoint };
}

function authorizationFor(
  { method, url, headers, body, origin }: Awaited<ReturnType<typeof received>>,
  key: typeof STATIC,
  region?: string,
): Promise<string> {
  const date = String(headers['x-log-date'] ?? '').replace(/(....)(..)(..T..)(..)/, '$1-$2-$3:$4:');
  const dateMs = Date.parse(region === undefined ? String(headers.date) : date);
  return officialAuthorization({ method, url: origin + url, headers, body }, key, { region, dateMs });
}

const COMPRESSIONS = ['none', 'lz4', 'deflate', ...(hasZstd() ? (['zstd'] as const) : [])] as const;

describe.each(COMPRESSIONS)('with compression %s', (compression) => {
  it.each([STATIC, TEMPORARY])(
    'signs by version 1 without a region, as the official client does ($accessKeyId)',
    async (key) => {
      const request = await received({ credentials: key, compression });
      expect(request).toMatchObject({ method: 'POST', url: '/logstores/web/shards/lb' });
      expect(request.headers.authorization).toBe(await authorizationFor(request, key));
      expect(request.headers['x-acs-security-token']).toBe(key === TEMPORARY ? TEMPORARY.securityToken : undefined);
      expect(Math.abs(Date.parse(String(request.headers.date)) - Date.now())).toBeLessThan(60_000);
    },
  );

  it.each([STATIC, TEMPORARY])(
    'signs by version 4 with a region, as the official client does ($accessKeyId)',
    async (key) => {
      const request = await received({ credentials: key, compression, region: 'ap-southeast-1' });
      expect(request.headers.authorization).toMatch(/^SLS4-HMAC-SHA256 Credential=/);
      expect(request.headers.authorization).toBe(await authorizationFor(request, key, 'ap-southeast-1'));
    },
  );

  it('sends a LogGroup with its exact size before compression', async () => {
    const { headers, body } = await received({
      credentials: STATIC,
      compression,
      topic: 't',
      source: 's',
      tags: { a: 'b' },
    });
    const rawBytes = Number(headers['x-log-bodyrawsize']);
    expect(headers).toMatchObject({
      'x-log-apiversion': '0.6.0',
      'content-type': 'application/x-protobuf',
      'content-length': String(body.length),
    });
    expect(headers['x-log-compresstype']).toBe(compression === 'none' ? undefined : compression);
    if (compression === 'zstd') return;
    const raw = { none: () => body, lz4: () => decodeStrictly(body, rawBytes), deflate: () => inflateSync(body) }[
      compression
    ]();
    expect(raw.length).toBe(rawBytes);
    expect(decodeLogGroup(raw)).toMatchObject({
      topic: 't',
      source: 's',
      tags: { a: 'b' },
      logs: [
        { fields: [['level', 'info'], ...Object.entries(ORDER)] },
        {
          fields: [
            ['level', 'info'],
            ['message', 'second'],
          ],
        },
      ],
    });
  });
});

it('signs for the region that the endpoint names, with the host that the service sees', async () => {
  const requests: { readonly url: string; readonly headers: Record<string, string>; readonly body: Uint8Array }[] = [];
  const destination = createLogService({
    endpoint: 'cn-hangzhou-intranet.log.aliyuncs.com',
    project: 'shop',
    logstore: 'web',
    credentials: STATIC,
    fetch: async (url, { headers, body }) => {
      requests.push({ url, headers, body });
      return new Response('', { headers: { 'x-log-requestid': 'REQUEST1' } });
    },
  });
  await send(destination, batchAt(Date.now(), destination, ORDER));
  const [{ url = '', headers = {}, body = new Uint8Array() } = {}] = requests;
  expect(url).toBe('https://shop.cn-hangzhou-intranet.log.aliyuncs.com/logstores/web/shards/lb');
  const date = String(headers['x-log-date']).replace(/(....)(..)(..T..)(..)/, '$1-$2-$3:$4:');
  const options = { region: 'cn-hangzhou', dateMs: Date.parse(date) };
  const request = { method: 'POST', url, headers, body };
  expect(headers.authorization).toBe(await officialAuthorization(request, STATIC, options));
});

it.each([undefined, 'us-east-1'])(
  'is accepted by a strict service through the global fetch (region %s)',
  async (region) => {
    const emulator = await startLogService({ strict: true, webTrackingOff: ['only-signed'] });
    onTestFinished(() => emulator.close());
    vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', emulator.env.ALIBABA_CLOUD_ACCESS_KEY_ID);
    vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', emulator.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET);
    onTestFinished(() => void vi.unstubAllEnvs());
    const options = { ...emulator.target, logstore: 'only-signed', fetch: globalThis.fetch, region };
    const destination = createLogService({ ...options, credentials: 'env' });
    await send(destination, batchAt(Date.now(), destination, ORDER));
    expect(emulator.events().map(({ fields }) => fields)).toEqual([{ level: 'info', ...ORDER }]);
    expect(emulator.stats()).toMatchObject({ operations: { PutLogs: 1 }, violations: [] });
  },
);

it('writes by web tracking without credentials, whatever the environment holds', async () => {
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', 'LTAI1');
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  const request = await received({});
  expect(request.url).toBe('/logstores/web/track');
  expect(request.headers).not.toHaveProperty('authorization');
});

it('never writes by web tracking with credentials that do not work', async () => {
  const { target, requests } = await startServer(() => accepted);
  const destination = createLogService({ ...target, credentials: () => Promise.reject(new Error('no role')) });
  const error = await failureOf(send(destination, batchAt(Date.now(), destination, ORDER)));
  expect(error).toMatchObject({ code: 'AUTH', ambiguous: false });
  expect(error.message).toContain('no role');
  expect(requests).toEqual([]);
});

it.each([
  [{ region: 'cn-hangzhou' }, 'region has no effect without credentials'],
  [{ createMissing: true }, 'createMissing has no effect without credentials'],
  [{ index: true }, 'index has no effect without credentials'],
  [{ credentials: STATIC, shardCount: 3 }, 'shardCount has no effect without createMissing'],
  [
    { credentials: STATIC, retentionInDays: 3, createMissing: false },
    'retentionInDays has no effect without createMissing',
  ],
  [
    { credentials: STATIC, region: 'Hangzhou!' },
    'region: expected the name of a region, such as "cn-hangzhou", got "Hangzhou!"',
  ],
  [{ credentials: STATIC, region: '' }, 'region: expected the name of a region, such as "cn-hangzhou", got ""'],
  [{ credentials: STATIC, createMissing: true, shardCount: 0 }, 'shardCount: expected an integer from 1 to 100, got 0'],
  [
    { credentials: STATIC, createMissing: true, retentionInDays: 4000 },
    'retentionInDays: expected an integer from 1 to 3650, got 4000',
  ],
  [
    { credentials: STATIC, maxBatchBytes: 10_000_001 },
    'maxBatchBytes: expected an integer from 1024 to 10000000, got 10000001',
  ],
  [{ maxBatchBytes: 3_000_001 }, 'maxBatchBytes: expected an integer from 1024 to 3000000, got 3000001'],
  [{ compression: 'zstd' }, 'compression: expected "lz4" or "deflate" or "none", got "zstd"'],
] as const)('refuses %j', (options, message) => {
  expect(() =>
    createLogService({ endpoint: 'http://127.0.0.1:1', project: 'shop', logstore: 'web', ...options }),
  ).toThrow(message);
});

it.runIf(!hasZstd())('refuses zstd where Node.js has none', () => {
  expect(() => signedShop({ compression: 'zstd' })).toThrow('zstd came with 22.15 and 23.8');
});
