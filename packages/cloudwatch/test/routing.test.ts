import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertBalanced, createShipper, parseObject, stringify } from '@logferry/core';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { type CloudWatchOptions, createCloudWatch } from '../src/index.js';
import { encoded, record } from './support/events.js';
import { startEmulator } from './support/servers.js';
import { start } from './support/shipper.js';

const time = Date.UTC(2026, 0, 9, 23, 59, 59, 999);

/** The route of a record with these fields. */
function routeOf(
  options: Partial<CloudWatchOptions>,
  fields: Record<string, unknown> = {},
  rest: { time?: number; level?: string } = {},
): string | undefined {
  const destination = createCloudWatch({ logGroupName: 'shop', logStreamName: 'web', ...options });
  return encoded(destination, 'x', { time, fields, ...rest })[0]?.route;
}

/** The stream that a template names. */
function streamOf(logStreamName: string, fields: Record<string, unknown>): string | undefined {
  return routeOf({ logStreamName }, fields)?.replace(/^shop:/, '');
}

/** The fields after a trip between threads. */
function travelled(fields: Record<string, unknown>): Record<string, unknown> {
  return parseObject(stringify(fields)) ?? {};
}

it('names group and stream by time, level and fields', () => {
  const options = {
    logGroupName: '/shop/{field:tenant.id}/{level}',
    logStreamName: '{date:yyyy-MM-dd}/{field:region|nowhere}',
  };
  expect(routeOf(options, { tenant: { id: 'acme' }, region: 'eu' })).toBe('/shop/acme/info:2026-01-09/eu');
  expect(routeOf(options, {}, { time: time + 1, level: 'error' })).toBe('/shop/none/error:2026-01-10/nowhere');
});

class Id {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toJSON(): string {
    return this.#text;
  }
}
class Tenant {
  id = 'acme';
}

const cycle: Record<string, unknown> = { id: 'round' };
cycle.self = cycle;

it.each<[what: string, fields: Record<string, unknown>, stream: string]>([
  ['a text', { a: { b: 'acme' } }, 'acme'],
  ['zero', { a: { b: 0 } }, '0'],
  ['a number', { a: { b: 1.5 } }, '1.5'],
  ['false', { a: { b: false } }, 'false'],
  ['a BigInt', { a: { b: 9007199254740993n } }, '9007199254740993'],
  ['a date', { a: { b: new Date(0) } }, '1970-01-01T00-00-00.000Z'],
  ['an object that is written as a text', { a: { b: new Id('acme') } }, 'acme'],
  ['a boxed text', { a: { b: Object('acme') } }, 'acme'],
  ['a member of an instance', { a: Object.assign(new Tenant(), { b: 'acme' }) }, 'acme'],
  ['the JSON of an object on the way', { a: '{"b":9007199254740993}' }, '9007199254740993'],
  ['a member that is inherited', { a: Object.create({ b: 'x' }) }, 'nobody'],
  ['a member of every object', { a: {} }, 'nobody'],
  ['null', { a: { b: null } }, 'nobody'],
  ['undefined', { a: { b: undefined } }, 'nobody'],
  ['an empty text', { a: { b: '' } }, 'nobody'],
  ['NaN', { a: { b: Number.NaN } }, 'nobody'],
  ['Infinity', { a: { b: Number.POSITIVE_INFINITY } }, 'nobody'],
  ['an invalid date', { a: { b: new Date(Number.NaN) } }, 'nobody'],
  ['an object', { a: { b: {} } }, 'nobody'],
  ['a list', { a: { b: ['x'] } }, 'nobody'],
  ['the JSON of a list', { a: { b: '["x"]' } }, 'nobody'],
  ['the JSON of an object', { a: { b: '{"x":1}' } }, 'nobody'],
  ['a map', { a: new Map([['b', 'x']]) }, 'nobody'],
  ['a buffer', { a: { b: Buffer.from('x') } }, 'nobody'],
  ['a function', { a: { b: () => 'x' } }, 'nobody'],
  ['a symbol', { a: { b: Symbol('x') } }, 'nobody'],
  ['a text on the way', { a: 'x' }, 'nobody'],
  ['null on the way', { a: null }, 'nobody'],
  ['nothing on the way', {}, 'nobody'],
])('names a stream by %s, before and after a trip between threads', (_what, fields, stream) => {
  expect(streamOf('{field:a.b|nobody}', fields)).toBe(stream);
  expect(streamOf('{field:a.b|nobody}', travelled(fields))).toBe(stream);
});

it.each<[path: string, fields: Record<string, unknown>, stream: string]>([
  ['err.message', { err: new Error('broken') }, 'broken'],
  ['list.0', { list: ['x'] }, 'none'],
  ['list.length', { list: ['x'] }, 'none'],
  ['a.self.id', { a: cycle }, 'none'],
  ['__proto__.constructor.name', {}, 'none'],
  ['toString.name', {}, 'none'],
])('reads {field:%s}, before and after a trip between threads', (path, fields, stream) => {
  expect(streamOf(`{field:${path}}`, fields)).toBe(stream);
  expect(streamOf(`{field:${path}}`, travelled(fields))).toBe(stream);
});

it('names the same stream by any value before and after a trip between threads', () => {
  const value = fc.anything({
    maxDepth: 3,
    key: fc.constantFrom('a', 'b', 'c'),
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withTypedArray: true,
  });
  const destination = createCloudWatch({ logGroupName: '{field:a}', logStreamName: '{field:a.b}/{field:a.b.c|x}' });
  const routesOf = (fields: Record<string, unknown>) => encoded(destination, 'x', { time, fields })[0]?.route;
  const seen = new Set<string | undefined>();
  fc.assert(
    fc.property(value, (a) => {
      const route = routesOf({ a });
      expect(routesOf(travelled({ a }))).toBe(route);
      seen.add(route);
    }),
    { numRuns: 2000 },
  );
  expect(seen.size).toBeGreaterThan(100);
});

it('takes the default where a getter, a proxy or toJSON throws', () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  const proxy = new Proxy({}, { get: broken, getOwnPropertyDescriptor: broken, has: broken, getPrototypeOf: broken });
  for (const a of [
    Object.defineProperty({}, 'b', { get: broken, enumerable: true }),
    proxy,
    { b: proxy },
    { b: { toJSON: broken } },
    { toJSON: broken },
  ])
    for (const fields of [{ a }, travelled({ a })]) expect(streamOf('{field:a.b|nobody}', fields)).toBe('nobody');
});

it('makes legal names of all that comes from records', () => {
  const group = (tenant: string) => routeOf({ logGroupName: '{field:tenant}' }, { tenant })?.replace(/:web$/, '');
  expect(group('../../ä b?c:d*e#1')).toBe('../../--b-c-d-e#1');
  expect(group('aws/lambda')).toBe('aws-lambda');
  expect(group('AWS/lambda')).toBe('AWS/lambda');
  expect(group('x'.repeat(600))).toBe('x'.repeat(512));
  expect(streamOf('{field:tenant}', { tenant: 'a:b*c' })).toBe('a-b-c');
  expect(streamOf('{field:tenant}', { tenant: '\ud800' })).toBe('\ufffd');
  expect(streamOf('{field:tenant|}', {})).toBe('-');
  expect(routeOf({ logGroupName: '{field:tenant|}' })).toBe('-:web');
});

it('reads the fields only if a field or a function names group or stream', () => {
  for (const options of [{}, { logStreamName: '{level}' }, { logGroupName: 'shop/{date:yyyy}' }]) {
    const destination = createCloudWatch({ logGroupName: 'shop', ...options });
    expect(destination).toMatchObject({ reads: 'text', encodeAll: expect.any(Function) });
    expect(destination.maxRoutes).toBeUndefined();
  }
  for (const options of [
    { logGroupName: '{field:tenant}' },
    { logStreamName: '{field:tenant}' },
    { logGroupName: () => 'shop' },
    { logStreamName: () => 'web' },
    { route: () => undefined },
  ]) {
    const destination = createCloudWatch({ logGroupName: 'shop', ...options });
    expect(destination).toMatchObject({ reads: 'both', maxRoutes: 100 });
    expect('encodeAll' in destination).toBe(false);
  }
});

it('names group and stream by functions, whose names become legal, too', () => {
  const options: Partial<CloudWatchOptions> = {
    logGroupName: ({ fields }) => `shop ${fields.tenant}`,
    logStreamName: ({ time, level, text, urgent }) => [time, level, text, urgent].join(':'),
  };
  expect(routeOf(options, { tenant: 'acme' })).toBe(`shop-acme:${time}-info-x-false`);
});

it('lets route() go before the other options, where it names something', () => {
  const options: Partial<CloudWatchOptions> = {
    logGroupName: 'shop/{level}',
    logStreamName: '{field:tenant}',
    route({ fields }) {
      if (fields.audit) return { logGroupName: 'audit', logStreamName: undefined };
      return fields.tenant === 'acme' ? { logStreamName: 'the:first' } : undefined;
    },
  };
  expect(routeOf(options, { tenant: 'other' })).toBe('shop/info:other');
  expect(routeOf(options, { tenant: 'acme' })).toBe('shop/info:the-first');
  expect(routeOf(options, { tenant: 'other', audit: true })).toBe('audit:other');
});

it.each<[string, Record<string, unknown>, RegExp]>([
  ['throws', { logStreamName: () => Symbol('x').description?.repeat(-1) }, /Invalid count value/],
  [
    'returns undefined',
    { logStreamName: () => undefined },
    /^TypeError: logStreamName: expected a function that returns a string, got undefined$/,
  ],
  [
    'returns a number',
    { logGroupName: () => 5 },
    /^TypeError: logGroupName: expected a function that returns a string, got 5$/,
  ],
  [
    'is asynchronous',
    { logStreamName: async () => Promise.reject(new Error('late')) },
    /^TypeError: logStreamName: expected a synchronous function, got one that returns a promise$/,
  ],
  [
    'is asynchronous',
    { route: async () => ({}) },
    /^TypeError: route: expected a synchronous function, got one that returns a promise$/,
  ],
  [
    'returns a text',
    { route: () => 'shop' },
    /^TypeError: route: expected a function that returns an object or undefined, got "shop"$/,
  ],
  ['returns null', { route: () => null }, /route: expected a function that returns an object or undefined, got null/],
  [
    'returns another name',
    { route: () => ({ logGroup: 'shop' }) },
    /route: expected an object with logGroupName, logStreamName, got one with "logGroup"/,
  ],
  [
    'returns no text as a name',
    { route: () => ({ logGroupName: 7 }) },
    /^TypeError: logGroupName: expected a string from route, got 7$/,
  ],
])('drops a record as unencodable if a function %s: %o', async (_what, options, cause) => {
  const { shipper, drops } = await start(options as Partial<CloudWatchOptions>);
  expect(shipper.accept(record('x'))).toBe(false);
  await shipper.flush();
  expect(drops).toMatchObject([{ reason: 'unencodable', records: 1 }]);
  expect(String(drops[0]?.cause)).toMatch(cause);
});

it.each(['logGroupName', 'logStreamName', 'route'])(
  'refuses what a function %s logs, in this transport and another, and does not call it again',
  async (option) => {
    const other = await start();
    let calls = 0;
    const name = (): unknown => {
      calls++;
      for (const { shipper } of [own, other]) shipper.accept(record('logged by the function'));
      return option === 'route' ? undefined : 'name';
    };
    const own = await start({ [option]: name, dropNotice: false });
    expect(own.shipper.accept(record('x'))).toBe(true);
    expect(own.shipper.accept(record('y'))).toBe(true);
    await own.shipper.flush();
    expect(calls).toBe(2);
    expect(own.shipper.stats()).toMatchObject({ received: 4, delivered: 2, dropped: { feedback: 2 } });
    expect(other.shipper.stats()).toMatchObject({ received: 2, delivered: 0, dropped: { feedback: 2 } });
  },
);

it('delivers to the groups and streams that records name, and creates those that are missing', async () => {
  const { emulator, shipper } = await start({
    logGroupName: 'shop/{field:tenant}',
    logStreamName: '{date:yyyy-MM-dd}',
    retentionInDays: 7,
  });
  const today = Date.now();
  const tenants = Array.from({ length: 20 }, (_, index) => `tenant ${index}`);
  for (const tenant of tenants)
    for (const days of [0, 1, 2])
      shipper.accept(record(`${tenant} ${days}`, { time: today - days * 86_400_000, fields: { tenant } }));
  await shipper.flush();
  for (const tenant of tenants)
    for (const days of [0, 1, 2]) {
      const logStreamName = new Date(today - days * 86_400_000).toISOString().slice(0, 10);
      const stored = emulator.events({ logGroupName: `shop/${tenant.replace(' ', '-')}`, logStreamName });
      expect(stored.map(({ message }) => message)).toEqual([`${tenant} ${days}`]);
    }
  expect(emulator.stats().requests).toMatchObject({
    CreateLogGroup: 20,
    CreateLogStream: expect.any(Number),
    PutRetentionPolicy: 20,
  });
});

it('routes a record whose time the service would refuse by the time that it ships with', async () => {
  const { emulator, shipper } = await start({ logStreamName: '{field:tenant}/{date:yyyy}' });
  shipper.accept(record('x', { time: 0, fields: { tenant: 'acme' } }));
  shipper.accept(record('y', { time: Number.NaN, fields: { tenant: 'acme' } }));
  await shipper.flush();
  const streams = emulator.events().map(({ logStreamName }) => logStreamName);
  expect(new Set(streams)).toEqual(new Set([`acme/${new Date().getUTCFullYear()}`]));
});

it('drops a record of one more route than maxRoutes, and takes the next once a route has no more records', async () => {
  const { emulator, shipper, drops } = await start({ logStreamName: '{field:tenant}' });
  const log = (tenant: number): boolean => shipper.accept(record(`${tenant}`, { fields: { tenant } }));
  for (let tenant = 0; tenant < 100; tenant++) expect(log(tenant)).toBe(true);
  expect(log(100)).toBe(false);
  expect(log(99)).toBe(true);
  await shipper.flush();
  expect(drops).toMatchObject([{ reason: 'too-many-routes', records: 1, events: [{ route: 'shop:100' }] }]);
  expect(String(drops[0]?.cause)).toBe(
    'Error: 100 routes have records waiting or in flight already (maxRoutes): route by a field with fewer values, or raise it',
  );
  for (let tenant = 100; tenant < 199; tenant++) expect(log(tenant)).toBe(true);
  await shipper.flush();
  expect(emulator.events().filter(({ logStreamName }) => logStreamName === '150')).toHaveLength(1);
  expect(shipper.stats()).toMatchObject({ delivered: 200, dropped: { 'too-many-routes': 1 } });
});

it('takes another maxRoutes', async () => {
  const { shipper } = await start({ logStreamName: '{field:tenant}', maxRoutes: 2 });
  const log = (tenant: number): boolean => shipper.accept(record('x', { fields: { tenant } }));
  expect([log(1), log(2), log(3), log(1)]).toEqual([true, true, false, true]);
});

it('delivers after a restart what is on disk to the groups and streams that the records named, although the options are others', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { emulator, access } = await startEmulator();
  const delivery = { spool: { directory }, retry: { baseMs: 1 }, onError: () => {} };
  const startWith = (options: CloudWatchOptions) =>
    createShipper(createCloudWatch({ ...access, ...options }), delivery);
  const yesterday = Date.now() - 86_400_000;
  emulator.faults({ down: true });
  const first = startWith({ logGroupName: 'shop/{field:tenant}', logStreamName: '{date:yyyy-MM-dd}' });
  for (const tenant of ['acme', 'globex', 'a:b']) first.accept(record(tenant, { time: yesterday, fields: { tenant } }));
  const report = await first.close({ timeoutMs: 50 });
  assertBalanced(report);
  expect(report.spooled).toBe(3);
  emulator.faults();
  const second = startWith({ logGroupName: 'other', route: () => ({ logStreamName: 'other' }) });
  await expect.poll(() => second.stats().delivered, { timeout: 10_000 }).toBe(3);
  assertBalanced(await second.close());
  const logStreamName = new Date(yesterday).toISOString().slice(0, 10);
  for (const [message, name] of [
    ['acme', 'acme'],
    ['globex', 'globex'],
    ['a:b', 'a-b'],
  ])
    expect(emulator.events({ logGroupName: `shop/${name}`, logStreamName })).toMatchObject([{ message }]);
});
