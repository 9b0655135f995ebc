import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertBalanced, type DeliveryError, type DeliveryOptions, type Drop, stringify } from '@logferry/core';
import { type LogServiceEmulatorOptions, startLogService } from '@logferry/emulators';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { createLogService, type LogServiceOptions } from '../src/index.js';
import { encoded, record, shop } from './support/records.js';
import { startShipper } from './support/shippers.js';
import { keyOf } from './support/signed.js';

const time = Date.UTC(2026, 0, 9, 23, 59, 59, 999);

function routeOf(
  options: Partial<LogServiceOptions>,
  fields: Record<string, unknown> = {},
  rest: { time?: number; level?: string } = {},
): string | undefined {
  return encoded(shop(options), record(fields, { time, ...rest }))[0]?.route;
}

function logstoreOf(tenant: unknown): string | undefined {
  return routeOf({ logstore: '{field:tenant}' }, { tenant })?.replace(/:.*/, '');
}

it('has the same route as ever if nothing in it comes from records', () => {
  expect(routeOf({ topic: 'checkout', tags: { env: 'test' } }, { topic: 'x' })).toBe(
    '{"__topic__":"checkout","__source__":"host","__tags__":{"env":"test"}}',
  );
});

it('keeps the logstore out of the route if only topic and tags come from records', () => {
  const options = {
    topic: '{field:shop.id}/{level}',
    tags: { tenant: '{field:tenant|nobody}', day: '{date:dd}', env: 'test' },
  };
  expect(routeOf(options, { shop: { id: 7 }, tenant: 'a"cme' })).toBe(
    '{"__topic__":"7/info","__source__":"host","__tags__":{"tenant":"a\\"cme","day":"09","env":"test"}}',
  );
  expect(routeOf(options, {}, { time: time + 1, level: 'error' })).toBe(
    '{"__topic__":"none/error","__source__":"host","__tags__":{"tenant":"nobody","day":"10","env":"test"}}',
  );
});

it('names the logstore before the rest of the route', () => {
  const options = { logstore: 'shop-{field:tenant}-{date:yyyy-MM}' };
  expect(routeOf(options, { tenant: 'acme' })).toBe('shop-acme-2026-01:{"__source__":"host"}');
});

it('makes a legal logstore of all that comes from records', () => {
  expect(logstoreOf('Acme GmbH')).toBe('acme-gmbh');
  expect(logstoreOf('../../other/track?x#y')).toBe('other-track-x-y');
  expect(logstoreOf('..%2F..')).toBe('2f');
  expect(logstoreOf('__a_b__')).toBe('a_b');
  expect(logstoreOf(`${'x'.repeat(62)}-y`)).toBe('x'.repeat(62));
  expect(logstoreOf('x')).toBe('none');
  expect(logstoreOf('世界')).toBe('none');
  expect(logstoreOf('-'.repeat(200_000))).toBe('none');
  expect(logstoreOf(`a${'-'.repeat(200_000)}b`)).toBe('none');
  expect(routeOf({ logstore: '{field:tenant|}' })).toMatch(/^none:/);
});

it('reaches no other URL than that of a logstore of the project, whatever a field holds', async () => {
  const paths: string[] = [];
  const fetch: LogServiceOptions['fetch'] = async (url) => {
    paths.push(new URL(url).pathname + new URL(url).search + new URL(url).hash);
    return { status: 200, headers: new Headers({ 'x-log-requestid': 'R1' }), text: async () => '' };
  };
  const destination = shop({ logstore: '{field:tenant}', compression: 'none', fetch });
  const tenant = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webPath(),
    fc.constantFrom('..', '.', '../..', '%2e%2e', '@', 'a/../b', '\\', '?', '#', ':'),
  );
  await fc.assert(
    fc.asyncProperty(tenant, async (value) => {
      const events = encoded(destination, record({ tenant: value }));
      await destination.send({ route: events[0]?.route ?? '', events, bytes: 1000 }, AbortSignal.timeout(10_000));
      expect(paths.at(-1)).toMatch(/^\/logstores\/[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]\/track$/);
    }),
  );
});

it('cuts topics and tags of records to 128 bytes, and keeps them well-formed', () => {
  const options = { topic: '{field:a}', tags: { a: '{field:a}' } };
  const valuesOf = (a: string): unknown[] => {
    const { __topic__, __tags__ } = JSON.parse(routeOf(options, { a }) ?? '');
    return [__topic__, __tags__.a];
  };
  expect(valuesOf('é'.repeat(100))).toEqual(['é'.repeat(64), 'é'.repeat(64)]);
  expect(valuesOf('世'.repeat(100))).toEqual(['世'.repeat(42), '世'.repeat(42)]);
  expect(valuesOf(`${'x'.repeat(126)}😀`)).toEqual(['x'.repeat(126), 'x'.repeat(126)]);
  expect(valuesOf('a\ud800b')).toEqual(['a\ufffdb', 'a\ufffdb']);
});

it('has no topic for a record that names an empty one', () => {
  expect(routeOf({ topic: '{field:a|}' })).toBe('{"__source__":"host"}');
  expect(routeOf({ topic: () => '' })).toBe('{"__source__":"host"}');
});

it.each<[what: string, fields: Record<string, unknown>, topic: string]>([
  ['a BigInt', { a: { b: 9007199254740993n } }, '9007199254740993'],
  ['a date', { a: { b: new Date(0) } }, '1970-01-01T00:00:00.000Z'],
  ['a buffer', { a: { b: Buffer.from('x') } }, 'eA=='],
  ['a member of a map', { a: new Map([['b', 'x']]) }, 'x'],
  ['the message of an error', { a: Object.assign(new Error('x'), { b: 'code' }) }, 'code'],
  ['false', { a: { b: false } }, 'false'],
  ['NaN', { a: { b: Number.NaN } }, 'nobody'],
  ['an object', { a: { b: {} } }, 'nobody'],
  ['a list', { a: { b: [1] } }, 'nobody'],
  ['null', { a: { b: null } }, 'nobody'],
])('names a topic by %s, before and after a trip between threads', (_what, fields, topic) => {
  const options = { topic: '{field:a.b|nobody}' };
  const travelled = JSON.parse(stringify(shop(options).recipe?.().plainFields?.(fields)));
  for (const each of [fields, travelled]) expect(JSON.parse(routeOf(options, each) ?? '').__topic__).toBe(topic);
});

it.each<[what: string, value: unknown, topic: string]>([
  ['Infinity', Number.POSITIVE_INFINITY, 'none'],
  ['NaN', Number.NaN, 'none'],
  ['an object', { b: 1 }, 'none'],
  ['a long number in an object', { b: 9007199254740993n }, 'none'],
  ['a list', ['x'], 'none'],
  ['a set', new Set(['x']), 'none'],
  ['a text', 'x', 'x'],
])('names a topic by a field that is %s, before and after a trip between threads', (_what, a, topic) => {
  const options = { topic: '{field:a}' };
  const travelled = JSON.parse(stringify(shop(options).recipe?.().plainFields?.({ a })));
  for (const each of [{ a }, travelled]) expect(JSON.parse(routeOf(options, each) ?? '').__topic__).toBe(topic);
});

it('names the same topic by any value before and after a trip between threads', () => {
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
  const options = { logstore: '{field:a}', topic: '{field:a.b}', tags: { c: '{field:a.b.c|x}' } };
  const destination = shop(options);
  const routesOf = (fields: Record<string, unknown>) =>
    encoded(destination, record({ ...fields, text: 'x' }))[0]?.route;
  const seen = new Set<string | undefined>();
  fc.assert(
    fc.property(value, (a) => {
      const route = routesOf({ a });
      expect(routesOf(JSON.parse(stringify(destination.recipe?.().plainFields?.({ a }))))).toBe(route);
      seen.add(route);
    }),
    { numRuns: 2000 },
  );
  expect(seen.size).toBeGreaterThan(100);
});

it('names logstore, topic and tags by functions, and lets route() go before them', () => {
  const options: Partial<LogServiceOptions> = {
    logstore: ({ fields }) => `Shop ${fields.tenant}`,
    topic: ({ level, time: at, urgent }) => `${level} ${at} ${urgent}`,
    tags: { tenant: ({ fields }) => String(fields.tenant) },
    route: ({ fields }) => (fields.audit ? { logstore: 'Audit', tags: { kind: 'audit' } } : undefined),
  };
  expect(routeOf(options, { tenant: 'acme' })).toBe(
    `shop-acme:{"__topic__":"info ${time} false","__source__":"host","__tags__":{"tenant":"acme"}}`,
  );
  expect(routeOf(options, { tenant: 'acme', audit: true })).toBe(
    `audit:{"__topic__":"info ${time} false","__source__":"host","__tags__":{"kind":"audit"}}`,
  );
});

it.each<[Record<string, unknown>, RegExp]>([
  [{ logstore: () => undefined }, /^logstore: expected a function that returns a string, got undefined$/],
  [{ topic: async () => 'x' }, /^topic: expected a synchronous function, got one that returns a promise$/],
  [{ tags: { a: () => 1 } }, /^tags.a: expected a function that returns a string, got 1$/],
  [{ route: () => ({ group: 'x' }) }, /^route: expected an object with logstore, topic, tags, got one with "group"$/],
  [{ route: () => ({ tags: 'x' }) }, /^route: expected tags that are an object of strings$/],
  [
    { route: () => ({ tags: { __topic__: 'x' } }) },
    /^route: expected tags with keys of 1 to 128 bytes that are not reserved, got "__topic__"$/,
  ],
  [{ route: () => ({ tags: { a: 1 } }) }, /^tags.a: expected a string from route, got 1$/],
  [
    {
      route: () => ({ tags: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`tag${i}`, 'x'.repeat(100)])) }),
      maxBatchBytes: 4096,
    },
    /^route: expected tags that leave room for a log \(maxBatchBytes\)$/,
  ],
])('throws for a record that a function routes wrongly: %o', (options, message) => {
  const destination = shop(options as Partial<LogServiceOptions>);
  expect(() => destination.encode(record({}))).toThrow(message);
});

it('refuses a maxBatchBytes that leaves no room beside the longest topic and tags', () => {
  expect(() => shop({ topic: '{field:a}', maxBatchBytes: 1024 })).toThrow(
    /maxBatchBytes: expected at least \d+, since topic/,
  );
  const destination = shop({ topic: '{field:a}', maxBatchBytes: 2048 });
  const [event] = encoded(destination, record({ a: '\u0001'.repeat(500), text: 'x'.repeat(5000) }));
  const base = destination.limits.baseBytes?.(event?.route ?? '') ?? 0;
  expect(base + (event?.bytes ?? 0)).toBeLessThanOrEqual(2048);
});

it('says how many routes may be live by default', () => {
  expect(shop({ topic: '{level}' }).maxRoutes).toBeUndefined();
  for (const options of [
    { topic: '{field:a}' },
    { tags: { a: '{field:a}' } },
    { logstore: () => 'web' },
    { route: () => undefined },
  ])
    expect(shop(options).maxRoutes).toBe(100);
});

it('has one identity for all logstores that records name, and for a template that has changed', () => {
  const { identity } = shop({ logstore: '{field:tenant}' });
  expect(identity).toContain('/logstores/*/track');
  for (const logstore of ['{level}', 'shop-{uuid}', () => 'web']) expect(shop({ logstore }).identity).toBe(identity);
  expect(shop({ route: () => undefined }).identity).toBe(identity);
  expect(shop().identity).toContain('/logstores/web/track');
  expect(shop({ topic: '{field:tenant}' }).identity).toBe(shop().identity);
});

async function ship(
  options: Partial<LogServiceOptions>,
  delivery: DeliveryOptions = {},
  server: LogServiceEmulatorOptions = {},
) {
  const emulator = await startLogService({ strict: true, ...server });
  onTestFinished(() => emulator.close());
  const errors: DeliveryError[] = [];
  const drops: Drop[] = [];
  const isSigned = options.createMissing === true;
  const make = () =>
    startShipper(
      createLogService({ ...emulator.target, ...(isSigned && { credentials: keyOf(emulator) }), ...options }),
      {
        retry: { baseMs: 1, throttledBaseMs: 1, capMs: 10 },
        onError: (error) => errors.push(error),
        onDrop: (drop) => drops.push(drop),
        ...delivery,
      },
    );
  return { emulator, make, errors, drops };
}

const tenants = Array.from({ length: 8 }, (_, index) => `tenant${index}`);

it.each(['lz4', 'none'] as const)(
  'delivers to the logstore, topic and tags that records name (%s)',
  async (compression) => {
    const { emulator, make } = await ship(
      { logstore: '{field:tenant}', topic: '{level}', tags: { shop: '{field:shop}' }, compression },
      {},
      { logstores: tenants },
    );
    const shipper = make();
    for (const tenant of tenants)
      for (const level of ['info', 'warn']) shipper.accept(record({ tenant, shop: `${tenant}'s "ö"` }, { level }));
    assertBalanced(await shipper.close());
    for (const tenant of tenants) {
      const stored = emulator.events({ logstore: tenant });
      expect(stored.map(({ topic, fields, tags }) => [topic, fields.level, fields.tenant, tags.shop]).sort()).toEqual([
        ['info', 'info', tenant, `${tenant}'s "ö"`],
        ['warn', 'warn', tenant, `${tenant}'s "ö"`],
      ]);
    }
    expect(emulator.stats().violations).toEqual([]);
  },
);

it('creates each logstore that is missing, with an index, and names it in errors', async () => {
  const { emulator, make, errors } = await ship({ logstore: '{field:tenant}', createMissing: true, index: true });
  const shipper = make();
  for (const tenant of tenants) shipper.accept(record({ tenant }, { time: Date.now() }));
  await shipper.flush();
  for (const tenant of tenants) expect(emulator.events({ logstore: tenant })).toHaveLength(1);
  expect(emulator.stats().operations).toMatchObject({ CreateLogStore: 8, CreateIndex: 8 });
  expect(emulator.stats().violations).toEqual([]);
  expect(errors).toEqual([]);
  emulator.faults({ next: ['unauthorized'], where: { logstore: 'tenant3' } });
  shipper.accept(record({ tenant: 'tenant3' }, { time: Date.now() }));
  const flushed = shipper.flush();
  await expect.poll(() => errors.length, { timeout: 10_000 }).toBe(1);
  // Ends the wait after a refusal.
  await Promise.all([flushed, shipper.flush()]);
  expect(String(errors[0]?.message)).toMatch(
    /logstore "tenant3" of project .* on acs:log:\*:\*:project\/local\/logstore\/tenant3/,
  );
  await shipper.close();
});

it('drops the record of one more route than maxRoutes', async () => {
  const { make, drops } = await ship({ topic: '{field:tenant}' }, { maxRoutes: 2 });
  const shipper = make();
  const accepted = [1, 2, 3, 1].map((tenant) => shipper.accept(record({ tenant })));
  expect(accepted).toEqual([true, true, false, true]);
  assertBalanced(await shipper.close());
  expect(drops).toMatchObject([{ reason: 'too-many-routes', records: 1 }]);
});

it('delivers after a restart what is on disk to the logstores that the records named, although the template is another', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { emulator, make } = await ship(
    { logstore: '{field:tenant}', topic: '{level}' },
    { spool: { directory } },
    { logstores: [...tenants, 'other'] },
  );
  emulator.faults({ down: true });
  const first = make();
  for (const tenant of tenants) first.accept(record({ tenant }));
  const report = await first.close({ timeoutMs: 50 });
  assertBalanced(report);
  expect(report.spooled).toBe(tenants.length);
  emulator.faults();
  const second = startShipper(createLogService({ ...emulator.target, logstore: () => 'other' }), {
    spool: { directory },
  });
  await expect.poll(() => second.stats().delivered, { timeout: 10_000 }).toBe(tenants.length);
  await second.close();
  for (const tenant of tenants) expect(emulator.events({ logstore: tenant, topic: 'info' })).toHaveLength(1);
});
