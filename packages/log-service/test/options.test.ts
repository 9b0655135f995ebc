import { hostname } from 'node:os';
import { ConfigError } from '@logferry/core';
import { expect, it } from 'vitest';
import { createLogService, type LogServiceOptions, logServiceOptionNames } from '../src/index.js';
import { encoded, record, SHOP, shop } from './support/records.js';
import { accepted } from './support/servers.js';

/** The error for these options, which replace valid ones. */
function errorOf(options: Readonly<Record<string, unknown>>): { option: string; message: string } {
  try {
    createLogService({ ...SHOP, ...options } as LogServiceOptions);
  } catch (error) {
    if (ConfigError.is(error)) return { option: error.option, message: error.message };
  }
  throw new Error('expected a ConfigError');
}

it.each<[option: string, options: Readonly<Record<string, unknown>>, message: string]>([
  [
    'proxy',
    { proxy: 'ftp://me:secret@proxy.test' },
    'the URL of a proxy, with http:// or https://, or false, got a string',
  ],
  ['proxy', { proxy: 'http://proxy.test', fetch: globalThis.fetch }, 'to be absent beside fetch'],
  ['proxy', { proxy: false, fetch: globalThis.fetch }, 'to be absent beside fetch'],
  ['endpoint', { endpoint: undefined }, 'the endpoint of a region ("cn-hangzhou.log.aliyuncs.com"), or a URL'],
  ['endpoint', { endpoint: '' }, 'got ""'],
  ['endpoint', { endpoint: 'ftp://example.com' }, 'got "ftp://example.com"'],
  ['endpoint', { endpoint: 'https://' }, 'got "https://"'],
  ['endpoint', { endpoint: 'cn-hangzhou.log.aliyuncs.com/logstores' }, 'the endpoint of a region'],
  ['endpoint', { endpoint: 'https://cn-hangzhou.log.aliyuncs.com/x' }, 'the endpoint of a region'],
  ['endpoint', { endpoint: '127.0.0.1:8080' }, 'got "127.0.0.1:8080"'],
  ['endpoint', { endpoint: 'https://me:secret@logs.example.com' }, 'got "https://…@logs.example.com"'],
  ['endpoint', { endpoint: 'https://logs.example.com/?token=secret' }, 'got "https://logs.example.com/?…"'],
  ['endpoint', { endpoint: 'https://logs.example.com/#a' }, 'the endpoint of a region'],
  [
    'endpoint',
    { endpoint: 'cn-hangzhou' },
    'endpoint: expected the endpoint "cn-hangzhou.log.aliyuncs.com" rather than the name of a region, got "cn-hangzhou"',
  ],
  ['endpoint', { endpoint: ' ap-southeast-1 ' }, '"ap-southeast-1.log.aliyuncs.com" rather than'],
  ['endpoint', { endpoint: 'shop.cn-hangzhou.log.aliyuncs.com' }, 'the endpoint of the region, without the project'],
  [
    'project',
    { project: undefined },
    'a name (3 to 63 of a-z 0-9 -, with a letter or digit at both ends), got undefined',
  ],
  ['project', { project: 'ab' }, 'got "ab"'],
  ['project', { project: 'Shop' }, 'got "Shop"'],
  ['project', { project: 'shop_1' }, 'got "shop_1"'],
  ['project', { project: '-shop' }, 'got "-shop"'],
  ['project', { project: 'shop-' }, 'got "shop-"'],
  ['project', { project: 'x'.repeat(64) }, 'a name (3 to 63'],
  ['project', { project: 'shop\n' }, 'got "shop\\n"'],
  [
    'logstore',
    { logstore: undefined },
    'a name (2 to 63 of a-z 0-9 - _, with a letter or digit at both ends), got undefined',
  ],
  ['logstore', { logstore: 'a' }, 'got "a"'],
  ['logstore', { logstore: 'a/b' }, 'got "a/b"'],
  ['logstore', { logstore: '_web' }, 'got "_web"'],
  ['logstore', { logstore: 'x'.repeat(64) }, 'a name (2 to 63'],
  ['logstore', { logstore: 'Web-{level}' }, 'or a template of one, got "Web-{level}"'],
  ['logstore', { logstore: 'web/{level}' }, 'or a template of one'],
  ['logstore', { logstore: '{field:tenant|No}' }, 'or a template of one'],
  ['logstore', { logstore: '{tenant}' }, '(not {tenant})'],
  ['logstore', { logstore: '{level' }, 'a template with every brace closed'],
  ['topic', { topic: '{field:}' }, '(not {field:})'],
  ['topic', { topic: '{level}\ud800' }, 'a well-formed string'],
  ['tags.env', { tags: { env: '{env}' } }, '(not {env})'],
  ['route', { route: {} }, 'a function, got an object'],
  ['topic', { topic: '' }, 'a string that is not empty, got ""'],
  ['topic', { topic: 1 }, 'a string that is not empty, got 1'],
  ['topic', { topic: '中'.repeat(43) }, 'a well-formed string of at most 128 bytes'],
  ['topic', { topic: '\ud800' }, 'a well-formed string of at most 128 bytes'],
  ['source', { source: '' }, 'a string that is not empty, got ""'],
  ['source', { source: 'x'.repeat(129) }, 'a well-formed string of at most 128 bytes'],
  ['tags', { tags: [] }, 'an object, got an array'],
  ['tags', { tags: { '': 'x' } }, 'keys of 1 to 128 bytes that are not reserved, got ""'],
  ['tags', { tags: { __topic__: 'x' } }, 'got "__topic__"'],
  ['tags', { tags: { '__tag__:a': 'x' } }, 'got "__tag__:a"'],
  ['tags', { tags: { ['é'.repeat(65)]: 'x' } }, 'keys of 1 to 128 bytes'],
  ['tags.env', { tags: { env: 1 } }, 'a well-formed string, got 1'],
  ['tags.env', { tags: { env: '\ud800' } }, 'a well-formed string'],
  ['compression', { compression: 'gzip' }, '"lz4" or "deflate" or "none", got "gzip"'],
  ['timeField', { timeField: '' }, 'a string that is not empty, got ""'],
  [
    'timeField',
    { timeField: '__time__' },
    'a name of at most 128 bytes that is neither reserved nor "level", got "__time__"',
  ],
  ['timeField', { timeField: 'level' }, 'got "level"'],
  ['timeField', { timeField: 'x'.repeat(129) }, 'a name of at most 128 bytes'],
  ['timeField', { timeField: 'seq' }, 'another name than timeField ("seq"), got "seq"'],
  ['sequenceField', { sequenceField: '__tag__:x' }, 'got "__tag__:x"'],
  ['sequenceField', { sequenceField: 'level' }, 'got "level"'],
  ['sequenceField', { sequenceField: 'time' }, 'another name than timeField ("time"), got "time"'],
  ['oversize', { oversize: 'cut' }, '"truncate" or "split" or "drop", got "cut"'],
  ['maxBatchBytes', { maxBatchBytes: 1023 }, 'an integer from 1024 to 3000000, got 1023'],
  ['maxBatchBytes', { maxBatchBytes: 3_000_001 }, 'an integer from 1024 to 3000000, got 3000001'],
  ['maxBatchBytes', { maxBatchBytes: 1024, tags: { a: 'x'.repeat(600) } }, 'since topic, source and tags take 6'],
  ['fetch', { fetch: 'x' }, 'a function, got "x"'],
  ['logStore', { logStore: 'web' }, 'unknown option "logStore": did you mean "logstore"?'],
  ['nonsense', { nonsense: 'x' }, 'unknown option "nonsense": known are endpoint, project, logstore'],
])('refuses a wrong %s: %o', (option, options, message) => {
  const error = errorOf(options);
  expect(['sequenceField', option]).toContain(error.option);
  expect(error.message).toContain(message);
});

it('exports the names of all options', () => {
  const all: Required<LogServiceOptions> = {
    endpoint: 'cn-hangzhou.log.aliyuncs.com',
    project: 'shop',
    logstore: 'web',
    topic: 'checkout',
    source: '10.0.0.1',
    tags: { env: 'test' },
    compression: 'deflate',
    timeField: 'at',
    sequenceField: 'n',
    oversize: 'split',
    maxBatchBytes: 1_000_000,
    proxy: 'http://proxy.test:3128',
    fetch: globalThis.fetch,
    credentials: { accessKeyId: 'id', accessKeySecret: 'secret' },
    region: 'cn-hangzhou',
    createMissing: true,
    retentionInDays: 7,
    shardCount: 1,
    index: true,
    route: () => undefined,
  };
  // Of these two there is one.
  createLogService({ ...all, fetch: undefined });
  createLogService({ ...all, proxy: undefined });
  expect([...logServiceOptionNames].sort()).toEqual(Object.keys(all).sort());
});

it('takes names and texts with exactly the longest size', () => {
  const options = {
    project: 'x'.repeat(63),
    logstore: 'a_',
    topic: 'é'.repeat(64),
    source: 'x'.repeat(128),
    timeField: '中'.repeat(42),
  };
  shop({ ...options, logstore: 'ab' });
  shop({ project: 'abc', logstore: `a${'_'.repeat(61)}b`, tags: {} });
  expect(() => shop(options)).toThrow('a_');
});

/** The URL to which a destination with this endpoint sends. */
async function urlFor(endpoint: string, project = 'shop'): Promise<string> {
  const urls: string[] = [];
  const destination = shop({
    endpoint,
    project,
    compression: 'none',
    fetch: async (url) => {
      urls.push(url);
      return new Response('', accepted);
    },
  });
  const events = encoded(destination, record({}));
  await destination.send({ route: events[0]?.route ?? '', events, bytes: 1 }, AbortSignal.timeout(5000));
  return urls.join();
}

const TRACK = 'logstores/web/track';

it.each([
  ['cn-hangzhou.log.aliyuncs.com', `https://shop.cn-hangzhou.log.aliyuncs.com/${TRACK}`],
  ['cn-hangzhou-intranet.log.aliyuncs.com/', `https://shop.cn-hangzhou-intranet.log.aliyuncs.com/${TRACK}`],
  ['https://log-global.aliyuncs.com', `https://shop.log-global.aliyuncs.com/${TRACK}`],
  ['http://cn-hangzhou.log.aliyuncs.com', `http://shop.cn-hangzhou.log.aliyuncs.com/${TRACK}`],
  ['HTTPS://CN-HANGZHOU.LOG.ALIYUNCS.COM', `https://shop.cn-hangzhou.log.aliyuncs.com/${TRACK}`],
  ['localhost:8080', `https://shop.localhost:8080/${TRACK}`],
  ['http://127.0.0.1:8080', `http://127.0.0.1:8080/${TRACK}`],
  ['http://[::1]:8080/', `http://[::1]:8080/${TRACK}`],
  ['https://logs.example.com', `https://logs.example.com/${TRACK}`],
  ['https://logs.example.com/sls//', `https://logs.example.com/sls/${TRACK}`],
  ['https://shop.log.aliyuncs.com.example.com', `https://shop.log.aliyuncs.com.example.com/${TRACK}`],
])('sends to the endpoint %s as %s', async (endpoint, url) => {
  expect(await urlFor(endpoint)).toBe(url);
});

it('puts a project with the name of a region before the endpoint', async () => {
  const url = await urlFor('cn-hangzhou.log.aliyuncs.com', 'cn-hangzhou');
  expect(url).toBe(`https://cn-hangzhou.cn-hangzhou.log.aliyuncs.com/${TRACK}`);
});

it('makes no request at construction', () => {
  shop({
    endpoint: 'no-such-region.log.aliyuncs.com',
    fetch: () => {
      throw new Error('called');
    },
  });
});

it("uses the host's name as the default source", () => {
  const [event] = encoded(shop({ source: undefined }), record({}));
  expect(JSON.parse(event?.route ?? '')).toEqual({ __source__: hostname() });
});
