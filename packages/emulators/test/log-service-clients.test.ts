import dns from 'node:dns';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type LogServiceEmulator, type LogServiceEmulatorOptions, startLogService } from '../src/index.js';
import { credentialsOf, groupOf, signedLog } from './log-service-signed-helpers.js';

const require = createRequire(import.meta.url);
const NOW_S = Math.floor(Date.now() / 1000);
const SPAN = { from: NOW_S - 60, to: NOW_S + 60 };

/** The clients put the project before the host, and not every system resolves names such as `local.localhost`. */
beforeEach(() => {
  const { lookup } = dns;
  vi.spyOn(dns, 'lookup').mockImplementation(((host: string, ...rest: [never, never]) =>
    lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, ...rest)) as typeof dns.lookup);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function setUp(
  options: LogServiceEmulatorOptions = {},
): Promise<{ emulator: LogServiceEmulator; endpoint: string }> {
  const emulator = await startLogService(options);
  onTestFinished(() => emulator.close());
  return { emulator, endpoint: `localhost:${new URL(emulator.url).port}` };
}

describe('@alicloud/log', () => {
  const Client = require('@alicloud/log');

  it.each([undefined, 'sts-token'])(
    'creates, writes and reads back, with the security token %s',
    async (securityToken) => {
      const key = {
        accessKeyId: 'id',
        accessKeySecret: 'secret',
        ...(securityToken !== undefined && { securityToken }),
      };
      const { emulator, endpoint } = await setUp({ credentials: key, strict: true });
      const client = new Client({ ...credentialsOf(emulator), endpoint });
      await client.createLogStore('local', 'shop', { ttl: 30, shardCount: 2 });
      await expect(client.createLogStore('local', 'shop', { ttl: 30, shardCount: 2 })).rejects.toMatchObject({
        code: 'LogStoreAlreadyExist',
        requestid: expect.stringMatching(/^[0-9A-F]{24}$/),
      });
      await client.createIndex('local', 'shop', { line: { token: [' ', ':'] } });
      expect(await client.getIndexConfig('local', 'shop')).toMatchObject({ line: { token: [' ', ':'] } });
      expect(await client.getLogStore('local', 'shop')).toMatchObject({ logstoreName: 'shop', enable_tracking: false });
      expect(await client.listLogStore('local')).toMatchObject({ logstores: ['logs', 'shop'] });

      const content = { message: '订单 paid 😀', level: 'info' };
      await client.postLogStoreLogs('local', 'shop', {
        logs: [{ timestamp: NOW_S, timestampNsPart: 123_456_789, content }],
        topic: 'web',
        source: 'host-1',
        tags: [{ env: 'test' }],
      });
      expect(emulator.events()).toMatchObject([
        {
          logstore: 'shop',
          topic: 'web',
          source: 'host-1',
          tags: { env: 'test' },
          fields: content,
          time: NOW_S * 1000 + 123,
        },
      ]);
      const query = { query: 'paid and level: info', line: 10, offset: 0, reverse: true };
      const [from, to] = [SPAN.from, SPAN.to].map((seconds) => new Date(seconds * 1000));
      expect(await client.getLogs('local', 'shop', from, to, query)).toEqual([
        {
          ...content,
          __topic__: 'web',
          __source__: 'host-1',
          '__tag__:env': 'test',
          __time__: String(NOW_S),
          __time_ns_part__: '123456789',
        },
      ]);
      expect(emulator.stats()).toMatchObject({
        violations: [],
        toleratedCount: 0,
        operations: { PutLogs: 1, GetLogs: 1 },
      });
    },
  );

  it('meets the errors of wrong credentials and of another project', async () => {
    const { emulator, endpoint } = await setUp();
    const { accessKeyId } = credentialsOf(emulator);
    const wrong = new Client({ accessKeyId, accessKeySecret: 'wrong', endpoint });
    await expect(wrong.listLogStore('local')).rejects.toMatchObject({ code: 'SignatureNotMatch' });
    const client = new Client({ ...credentialsOf(emulator), endpoint });
    await expect(client.listLogStore('other')).rejects.toMatchObject({ code: 'ProjectNotExist' });
  });
});

describe('@alicloud/sls20201230', () => {
  const sls = require('@alicloud/sls20201230');
  const { $OpenApiUtil } = require('@alicloud/openapi-core');
  const { RuntimeOptions } = createRequire(require.resolve('@alicloud/openapi-core'))('@darabonba/typescript');
  const connect = (emulator: LogServiceEmulator, endpoint: string, signatureVersion: string) =>
    new sls.default(
      new $OpenApiUtil.Config({
        ...credentialsOf(emulator),
        endpoint,
        protocol: 'HTTP',
        regionId: emulator.region,
        signatureVersion,
      }),
    );

  it.each([
    ['v1', ['MissingContentLength', 'ParameterInvalid']],
    ['v4', ['MissingContentLength']],
  ])('creates and reads with signatures of version %s; its departures are tolerated', async (version, errors) => {
    const { emulator, endpoint } = await setUp({ region: 'cn-hangzhou' });
    const client = connect(emulator, endpoint, version);
    const settings = { logstoreName: 'shop', ttl: 30, shardCount: 2, autoSplit: true, maxSplitShard: 64 };
    await client.createLogStore('local', new sls.CreateLogStoreRequest(settings));
    const index = new sls.CreateIndexRequest({ body: new sls.Index({ line: { token: [' '], caseSensitive: false } }) });
    await client.createIndex('local', 'shop', index);
    expect((await client.getLogStore('local', 'shop')).body).toMatchObject(settings);
    const list = new sls.ListLogStoresRequest({ offset: 0, size: 10 });
    expect((await client.listLogStores('local', list)).body).toMatchObject({ logstores: ['logs', 'shop'] });

    // Its putLogs() fails before it sends: https://github.com/aliyun/alibabacloud-typescript-sdk/issues/40
    const params = {
      action: 'PutLogs',
      version: '2020-12-30',
      protocol: 'HTTPS',
      method: 'POST',
      authType: 'AK',
      style: 'ROA',
    };
    await client.execute(
      new $OpenApiUtil.Params({
        ...params,
        pathname: '/logstores/shop/shards/lb',
        reqBodyType: 'binary',
        bodyType: 'none',
      }),
      new $OpenApiUtil.OpenApiRequest({
        hostMap: { project: 'local' },
        headers: { 'content-type': 'application/x-protobuf' },
        body: groupOf(Array.from({ length: 20 }, () => signedLog('hello 订单', { Time: NOW_S }))),
      }),
      new RuntimeOptions({}),
    );
    expect(emulator.stats()).toMatchObject({ storedLogs: 20, compression: { lz4: 1 } });

    const request = new sls.GetLogsRequest({ ...SPAN, query: 'hello and message: "订单"', line: 2 });
    expect((await client.getLogs('local', 'shop', request)).body).toMatchObject([
      { message: 'hello 订单', __time__: String(NOW_S) },
      { message: 'hello 订单' },
    ]);
    const { violations, tolerated } = emulator.stats();
    expect(violations).toEqual([]);
    expect([...new Set(tolerated.map(({ error }) => error))].sort()).toEqual(errors);
  });

  it('is refused with a signature for another region', async () => {
    const { emulator, endpoint } = await setUp({ region: 'cn-hangzhou' });
    const client = connect({ ...emulator, region: 'cn-shanghai', env: emulator.env }, endpoint, 'v4');
    await expect(client.getLogStore('local', 'logs')).rejects.toMatchObject({ code: 'SignatureNotMatch' });
  });
});

describe('@aliyun-sls/web-track-browser with web-sts-plugin', () => {
  it.each([
    ['page', ['ParameterInvalid', 'InvalidContentType', 'PostBodyInvalid']],
    ['首页', ['ParameterInvalid', 'InvalidContentType', 'InvalidBodyRawSize', 'PostBodyInvalid']],
  ])('writes signed JSON, which is tolerated: %s', async (page, errors) => {
    const { emulator } = await setUp({
      credentials: { accessKeyId: 'STS.id', accessKeySecret: 'secret', securityToken: 'token' },
      webTrackingOff: ['shop'],
    });
    vi.stubGlobal('window', Object.assign(new EventTarget(), { XMLHttpRequest: FetchRequest, console }));
    const Tracker = require('@aliyun-sls/web-track-browser');
    const createStsPlugin = require('@aliyun-sls/web-sts-plugin');
    const tracker = new Tracker({ host: emulator.url, project: 'local', logstore: 'shop', count: 1, topic: 'web' });
    tracker.useStsPlugin(createStsPlugin({ ...credentialsOf(emulator), refreshSTSToken: async () => {} }));
    tracker.send({ __time__: NOW_S - 5, page, visit: { n: 1 } });
    await expect
      .poll(() => emulator.events())
      .toMatchObject([
        { logstore: 'shop', topic: 'web', fields: { page, visit: '{"n":1}' }, time: (NOW_S - 5) * 1000 },
      ]);
    const { violations, tolerated } = emulator.stats();
    expect(violations).toEqual([]);
    expect(tolerated.map(({ error }) => error)).toEqual(errors);
  });
});

/** As much of a browser's XMLHttpRequest as the client uses. */
class FetchRequest {
  #method = '';
  #url = '';
  readonly #headers: Record<string, string> = {};
  readyState = 0;
  status = 0;
  onreadystatechange = () => {};

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  async send(body: string): Promise<void> {
    const { status } = await fetch(this.#url, { method: this.#method, headers: this.#headers, body });
    Object.assign(this, { readyState: 4, status });
    this.onreadystatechange();
  }
}
