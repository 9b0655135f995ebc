import { assertBalanced, ConfigError } from '@logferry/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { full } from '../../forms.js';
import type { RunningCloud } from '../support/clouds.js';
import type { RunningHost } from '../support/hosts.js';
import { waysInTurns } from '../support/ways.js';
// @ts-expect-error a module of an application's, in JavaScript
import { transform } from './hooks.mjs';

/** Fields, and the tenant that they name. */
const TENANTS: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ tenant: { id: 'acme' } }, 'acme'],
  [{ tenant: { id: 7 } }, '7'],
  [{ tenant: { id: 9007199254740993n } }, '9007199254740993'],
  [{ tenant: { id: new Date(0) } }, '1970-01-01T00:00:00.000Z'],
  [{ tenant: { id: false } }, 'false'],
  [{ tenant: '{"id":"of JSON"}' }, 'of JSON'],
  ...[{ id: null }, { id: '' }, { id: Number.NaN }, { id: ['x'] }, { id: { x: 1 } }, {}, 'x', null].map(
    (tenant) => [{ tenant }, 'nobody'] as const,
  ),
  [{}, 'nobody'],
];

/** The contract of every transport, for any framework and any cloud. */
describe.each(waysInTurns)('a transport for $name', ({ host, cloud: kind }) => {
  let cloud: RunningCloud;
  /** Records and requests of earlier tests. */
  let [seen, requested] = [0, 0];
  beforeAll(async () => {
    cloud = await kind.start();
  });
  beforeEach(async () => {
    await cloud.faults();
    [seen, requested] = [(await cloud.records()).length, await cloud.dataRequests()];
  });
  afterEach(async () => {
    expect((await cloud.stats()).violations).toEqual([]);
  });
  afterAll(() => cloud.close());
  const records = async (): Promise<readonly Record<string, unknown>[]> => (await cloud.records()).slice(seen);
  const texts = async (): Promise<unknown[]> => (await records()).map((record) => record[host.textField]);
  const logMany = (logger: RunningHost, count: number): string[] => {
    const expected = Array.from({ length: count }, (_, i) => `record ${i}`);
    for (const text of expected) logger.log('info', text);
    return expected;
  };

  it('ships text, fields and the time of the event', async () => {
    const logger = await host.start(kind.name, cloud.options);
    const before = Date.now();
    logger.log('info', 'grüße 世界 😀', { order: 7, nested: { deep: ['x'] } });
    const after = Date.now();
    await logger.end();
    const [stored = {}] = await records();
    // Log Service stores text only: a number becomes its digits, an object its JSON.
    const asText = kind.name === 'log-service';
    expect(stored).toMatchObject({
      [host.textField]: 'grüße 世界 😀',
      order: asText ? '7' : 7,
      nested: asText ? '{"deep":["x"]}' : { deep: ['x'] },
    });
    const time = (await cloud.times())[seen]?.ms;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  });

  it('has delivered all records when the host has ended', async () => {
    const logger = await host.start(kind.name, cloud.options);
    const expected = logMany(logger, 1000);
    await logger.end();
    expect(await texts()).toEqual(expected);
  });

  it('has delivered all records when a flush returns, and the ledger adds up', async () => {
    const logger = await host.start(kind.name, { ...cloud.options, maxDelayMs: 60_000 });
    const expected = logMany(logger, 100);
    await logger.flush();
    expect(await texts()).toEqual(expected);
    const stats = await logger.stats();
    expect(stats).toMatchObject({
      received: 100,
      delivered: 100,
      pending: 0,
      requests: (await cloud.dataRequests()) - requested,
    });
    assertBalanced(stats);
    await logger.end();
  });

  it('delivers a single record without a flush, after maxDelayMs', async () => {
    const logger = await host.start(kind.name, { ...cloud.options, maxDelayMs: 50 });
    logger.log('info', 'alone');
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['alone']);
    await logger.end();
  });

  it('omits records below its level', async () => {
    const logger = await host.start(kind.name, { ...cloud.options, level: 'warn' });
    logger.log('info', 'quiet');
    logger.log('warn', 'loud');
    await logger.end();
    expect(await texts()).toEqual(['loud']);
  });

  it('redacts fields, at any depth, and ships the rest of the record as it is', async () => {
    const redact = ['password', 'req.headers.authorization', '*.token'];
    const logger = await host.start(kind.name, { ...cloud.options, redact });
    const fields = { password: 'S3CRET', req: { headers: { authorization: 'S3CRET', host: 'h' } }, user: { token: 7 } };
    logger.log('info', 'signed in', fields);
    await logger.end();
    const [stored = {}] = await records();
    const members = { req: { headers: { authorization: '[Redacted]', host: 'h' } }, user: { token: '[Redacted]' } };
    expect(stored).toMatchObject({
      [host.textField]: 'signed in',
      password: '[Redacted]',
      ...(kind.name === 'log-service'
        ? Object.fromEntries(Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)]))
        : members),
    });
    expect(JSON.stringify(stored)).not.toContain('S3CRET');
    expect(fields.password).toBe('S3CRET');
  });

  it('transforms records, and counts those that it leaves out or does not sample', async () => {
    const functions = host.threaded ? { hooks: new URL('hooks.mjs', import.meta.url).href } : { transform };
    const logger = await host.start(kind.name, { ...cloud.options, ...functions, sample: { debug: 0 } });
    for (const text of ['a', 'health', 'b']) logger.log('info', text);
    logger.log('debug', 'quiet');
    await logger.flush();
    expect((await records()).map((record) => [record[host.textField], record.tenant])).toEqual([
      ['a', 'tenant of a'],
      ['b', 'tenant of b'],
    ]);
    const stats = await logger.stats();
    expect(stats).toMatchObject({ received: 4, delivered: 2, dropped: { filtered: 1, sampled: 1 } });
    assertBalanced(stats);
    await logger.end();
  });

  it('delivers records of an outage once the service is back', async () => {
    await cloud.faults({ down: true });
    const logger = await host.start(kind.name, { ...cloud.options, maxDelayMs: 10, retry: { baseMs: 20, capMs: 100 } });
    const expected = logMany(logger, 500);
    await expect.poll(async () => (await cloud.stats()).faults.down ?? 0, { timeout: 20_000 }).toBeGreaterThan(3);
    await cloud.faults();
    await logger.flush();
    expect((await texts()).sort()).toEqual(expected.sort());
    await logger.end();
  });

  it('ends in time when the service never responds', async () => {
    await cloud.faults({ hang: 1 });
    // pino's worker cannot be asked before it has loaded.
    const closeTimeoutMs = host.inPinoWorker ? 2000 : 500;
    const logger = await host.start(kind.name, { ...cloud.options, maxDelayMs: 0, closeTimeoutMs });
    logMany(logger, 10);
    if (!host.inPinoWorker) await expect.poll(async () => (await logger.stats()).inFlight, { timeout: 20_000 }).toBe(1);
    const startedMs = performance.now();
    await logger.end();
    expect(performance.now() - startedMs).toBeLessThan(5000);
    if (!host.inPinoWorker) {
      expect(await logger.stats()).toMatchObject({ dropped: { undeliverable: 10 }, pending: 0, ambiguous: 1 });
    }
  });

  it('ships each record to the route that its fields, level and time name, at once and from an outage', async () => {
    const template = '{field:tenant.id|nobody}/{level}/{date:yyyy-MM-dd}';
    await cloud.faults({ next: ['serverError', 'reset'] });
    const logger = await host.start(kind.name, {
      ...cloud.options,
      [kind.routeOption]: template,
      retry: { baseMs: 5, capMs: 20 },
    });
    for (const [fields] of TENANTS)
      for (const level of ['info', 'warn'] as const) logger.log(level, `${level} of ${TENANTS.length}`, fields);
    await logger.flush();
    const stats = await logger.stats();
    expect(stats).toMatchObject({ received: TENANTS.length * 2, delivered: TENANTS.length * 2 });
    await logger.end();
    const [times, routes] = [(await cloud.times()).slice(seen), (await cloud.routes()).slice(seen)];
    const levels = (await texts()).map((text) => String(text).replace(/ .*/, ''));
    const day = (index: number): string => new Date(times[index]?.ms ?? 0).toISOString().slice(0, 10);
    expect(routes.map((route) => route.replace(/^.*?(?=[/](?:info|warn)[/])/, ''))).toEqual(
      levels.map((level, index) => `/${level}/${day(index)}`),
    );
    const legal = (tenant: string): string => (kind.name === 'cloudwatch' ? tenant.replaceAll(':', '-') : tenant);
    const expected = TENANTS.flatMap(([, tenant]) => [`${legal(tenant)}/info`, `${legal(tenant)}/warn`]);
    expect(routes.map((route) => route.replace(/[/][^/]*$/, '')).sort()).toEqual(expected.sort());
  });

  it('routes by a function in process, and refuses one that would have to cross into a thread', async () => {
    const nameOf = ({ fields }: { fields: { tenant?: { id?: unknown } } }): string => `f-${fields.tenant?.id}`;
    const starting = host.start(kind.name, { ...cloud.options, [kind.routeOption]: nameOf });
    if (host.threaded) {
      const clone = host.inPinoWorker ? /could not be cloned/ : `${kind.routeOption}: a function cannot cross`;
      return expect(starting).rejects.toThrow(clone);
    }
    const logger = await starting;
    for (const id of ['a', 'b']) logger.log('info', id, { tenant: { id } });
    await logger.end();
    expect((await cloud.routes()).slice(seen).sort()).toEqual(['f-a', 'f-b']);
  });

  it('takes hostile content without harm to the application', async () => {
    const logger = await host.start(kind.name, cloud.options);
    const cyclic: Record<string, unknown> = { name: 'cycle' };
    cyclic.self = cyclic;
    logger.log('info', 'cycle', { cyclic });
    logger.log('info', 'lone surrogate \ud800 \udfff', {});
    logger.log('info', 'control \u0000\u001b[31m\u2028', {});
    logger.log('info', '', {});
    logger.log('info', 'x'.repeat(1_500_000), {});
    await logger.flush();
    const stats = await logger.stats();
    assertBalanced(stats);
    expect(stats).toMatchObject({ received: 5, delivered: 5 });
    await logger.end();
    expect((await texts()).filter((text) => text === 'cycle' || String(text).startsWith('control'))).toHaveLength(2);
  });
});

// These tests send nothing, so one cloud serves all of them.
describe.each(waysInTurns)('a transport for $name', ({ host, cloud: kind }) => {
  let cloud: RunningCloud;
  beforeAll(async () => {
    cloud = await kind.start();
  });
  afterAll(async () => {
    expect((await cloud.stats()).violations).toEqual([]);
    await cloud.close();
  });

  const required = { cloudwatch: 'logGroupName', 'log-service': 'endpoint' }[kind.name];
  const wrongOptions: [object, string, RegExp][] = [
    [{ [required]: undefined }, required, new RegExp(`${required}: expected .*, got undefined`)],
    [{ [required]: 'no spaces' }, required, new RegExp(`${required}: expected .*, got "no spaces"`)],
    [{ maxDelayMs: -1 }, 'maxDelayMs', /maxDelayMs: expected .*, got -1/],
    [{ maxDelay: 1 }, 'maxDelay', /unknown option "maxDelay": did you mean "maxDelayMs"\?/],
    [{ levl: 'info' }, 'levl', /unknown option "levl": did you mean "level"\?/],
    ...(kind.name === 'cloudwatch'
      ? ([
          [{ retentionInDays: 0 }, 'retentionInDays', /retentionInDays: expected an integer of at least 1, got 0/],
          [{ logGroup: 'shop' }, 'logGroup', /unknown option "logGroup": did you mean "logGroupName"\?/],
        ] as [object, string, RegExp][])
      : ([
          [{ project: 'A' }, 'project', /project: expected .*, got "A"/],
          [{ logStore: 'shop' }, 'logStore', /unknown option "logStore": did you mean "logstore"\?/],
        ] as [object, string, RegExp][])),
  ];
  // Starting pino's worker takes most of the time.
  it.each(wrongOptions.filter((_, index) => full || !host.inPinoWorker || index % 3 === 0))(
    'refuses %j at construction, with a message that helps',
    async (wrong, option, message) => {
      const error = await host.start(kind.name, { ...cloud.options, ...wrong }).then(
        () => undefined,
        (reason) => reason,
      );
      expect(error.message).toMatch(message);
      if (!host.inPinoWorker) {
        expect(ConfigError.is(error)).toBe(true);
        expect(error.option).toBe(option);
      }
    },
  );
});
