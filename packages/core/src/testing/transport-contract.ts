import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertBalanced } from '../accounting/ledger.js';
import type { DeliveryStats } from '../accounting/stats.js';
import type { Destination, Drop } from '../contract/destination.js';
import { ConfigError, DeliveryError } from '../contract/errors.js';
import type { DeliveryOptions } from '../options/delivery-options.js';
import type { ShippedRecord } from '../options/shaping-options.js';
import { type ContractAssert, type ContractRunner, until, within } from './contract-runner.js';
import { hostileTexts, hostileValues } from './hostile-values.js';
import { MemoryDestination, never } from './memory-destination.js';

/** A logger of the framework, with the transport under test as its only one. */
export interface RunningLogger {
  /** Logs a record by the framework's own method for this level. */
  log(level: 'info' | 'warn', text: string, fields: Record<string, unknown>): void;
  /** Resolves when all records logged before are delivered. */
  flush(): Promise<unknown>;
  /** Ends the logger as the framework's documentation recommends. Called once. */
  end(): Promise<unknown>;
  /** The transport's counters, also after the end. */
  stats(): DeliveryStats | Promise<DeliveryStats>;
}

/** What an author provides for {@link transportContract}. */
export interface TransportHarness {
  /** The transport's name: each test's name begins with it. */
  readonly name: string;
  /**
   * Starts a logger that ships records of level info and above to the destination. Throws the transport's error for wrong
   * options, or rejects with it. The logger has no listener for 'error' events. A formatter that throws on cycles or BigInt
   * is replaced by another, since the records would not reach the transport.
   */
  start(destination: Destination, options: DeliveryOptions): RunningLogger | Promise<RunningLogger>;
  /** The framework's names of the two levels. @default `{ info: 'info', warn: 'warn' }` */
  readonly levels?: { readonly info: string; readonly warn: string } | undefined;
  /** False if the framework itself takes no record after the end: then none reaches the transport. @default true */
  readonly logsAfterEnd?: boolean | undefined;
}

/**
 * Registers the tests that every transport has to pass: what an application relies on. Records go to a
 * {@link MemoryDestination}. A test takes some seconds at most.
 *
 * ```js
 * import assert from 'node:assert/strict';
 * import { test } from 'node:test';
 *
 * transportContract({ test, assert }, { name: 'my sink', start: (destination, options) => … });
 * ```
 */
export function transportContract({ test, assert }: ContractRunner, harness: TransportHarness): void {
  const addTest: Suite['addTest'] = (behaviour, options, run) =>
    test(`${harness.name} ${behaviour}`, () =>
      withoutUncaught(async () => {
        const destination = new MemoryDestination();
        let told = 0;
        const onDrop = (drop: Drop): unknown => {
          told += drop.records;
          return options.onDrop?.(drop);
        };
        const logger = endOnce(await harness.start(destination, { onError: () => {}, ...options, onDrop }));
        try {
          await run(logger, destination);
        } finally {
          await within(20_000, 'the logger has not ended 20 s later', logger.end());
        }
        const stats = await logger.stats();
        assertBalanced(stats);
        assert.strictEqual(stats.pending, 0, `${stats.pending} records are pending after the end`);
        const { filtered, sampled, ...losses } = stats.dropped;
        const lost = Object.values(losses).reduce((sum, records) => sum + records, 0);
        // Losses after the end are told at the end of their turn.
        await new Promise((resolve) => setImmediate(resolve));
        assert.strictEqual(told, lost, `${lost} records are lost, and onDrop has told ${told}`);
      }));
  const suite: Suite = { addTest, assert, harness };
  testRecords(suite);
  testShaping(suite);
  testDelivery(suite);
  testFailures(suite);
  testHostility(suite);
  testEnd(suite);
  test(`${harness.name} with the option spool leaves on disk what the end could not deliver, and the next start delivers it`, () =>
    withoutUncaught(() => checkSpool(assert, harness)));
  for (const wrong of WRONG_OPTIONS)
    test(`${harness.name} refuses ${JSON.stringify(wrong)} with a ConfigError that names the option`, async () => {
      await checkRefusal(assert, harness, new MemoryDestination(), wrong, Object.keys(wrong)[0] as string);
    });
  test(`${harness.name} refuses what is no destination with a ConfigError`, async () => {
    await checkRefusal(assert, harness, {} as Destination, {}, 'destination');
  });
}

interface Suite {
  readonly addTest: (
    behaviour: string,
    options: DeliveryOptions,
    run: (logger: RunningLogger, destination: MemoryDestination) => Promise<void>,
  ) => unknown;
  readonly assert: ContractAssert;
  readonly harness: TransportHarness;
}

/** Nothing but a flush or the end sends a batch. */
const PATIENT: DeliveryOptions = { maxDelayMs: 600_000 };

const QUICK_RETRY: DeliveryOptions = { maxDelayMs: 5, retry: { baseMs: 5, capMs: 20 } };

const WRONG_OPTIONS: readonly object[] = [{ maxDelayMs: -1 }, { maxDelay: 5 }, { onDrop: 'log' }, { spool: 'disk' }];

function testRecords({ addTest, assert, harness }: Suite): void {
  const { info, warn } = harness.levels ?? { info: 'info', warn: 'warn' };

  addTest('hands over text, fields, time and level', PATIENT, async (logger, destination) => {
    const text = 'grüße 世界 😀';
    const before = Date.now();
    logger.log('info', text, { order: 7, nested: { deep: ['x'] } });
    const after = Date.now();
    await logger.flush();
    const { record } = destination;
    assert.ok(record.text.includes(text), `the record's text is ${record.text}`);
    assert.ok(Object.values(record.fields).includes(text), 'no field of the record has the text');
    assert.strictEqual(record.fields.order, 7);
    assert.deepStrictEqual(record.fields.nested, { deep: ['x'] });
    assert.ok(before <= record.time && record.time <= after, `the record's time is ${record.time}, not ${before}`);
    assert.strictEqual(record.level, info);
  });

  addTest('marks a warning as urgent, and a record of level info not', PATIENT, async (logger, destination) => {
    logger.log('info', 'quiet', {});
    logger.log('warn', 'loud', {});
    await logger.flush();
    const marks = destination.records.map(({ level, urgent }) => [level, urgent]);
    assert.deepStrictEqual(marks, [
      [info, false],
      [warn, true],
    ]);
  });

  addTest('leaves the logged object as it is, also a frozen one', PATIENT, async (logger, destination) => {
    const makeFields = (): Record<string, unknown> => ({ order: 7, nested: { deep: ['x'] }, when: new Date(0) });
    const fields = makeFields();
    logger.log('info', 'plain', fields);
    logger.log('info', 'frozen', freeze(makeFields()));
    await logger.flush();
    assert.deepStrictEqual(fields, makeFields());
    assert.strictEqual(destination.texts.length, 2);
  });
}

function testShaping({ addTest, assert }: Suite): void {
  addTest(
    'redacts text and fields, and leaves the logged object as it is',
    { ...PATIENT, redact: ['password', '*.token'] },
    async (logger, destination) => {
      const fields = { password: 'S3CRET', user: { token: 'S3CRET', id: 7 } };
      logger.log('info', 'signed in', fields);
      await logger.flush();
      const { record } = destination;
      assert.ok(!`${record.text}${JSON.stringify(record.fields)}`.includes('S3CRET'), `shipped is ${record.text}`);
      assert.strictEqual(record.fields.password, '[Redacted]');
      assert.deepStrictEqual(record.fields.user, { token: '[Redacted]', id: 7 });
      assert.strictEqual(fields.password, 'S3CRET');
    },
  );

  const transform = ({ fields, ...rest }: ShippedRecord): ShippedRecord | null =>
    fields.path === '/health' ? null : { ...rest, fields: { ...fields, tenant: 'north' } };
  addTest(
    'ships what transform makes of a record, and counts a record that it leaves out',
    { ...PATIENT, transform },
    async (logger, destination) => {
      for (const path of ['/', '/health']) logger.log('info', 'request', { path });
      await logger.flush();
      const { record } = destination;
      assert.deepStrictEqual([record.fields.path, record.fields.tenant], ['/', 'north']);
      const { received, delivered, dropped } = await logger.stats();
      assert.deepStrictEqual([received, delivered, dropped.filtered], [2, 1, 1]);
    },
  );
}

function testDelivery({ addTest, assert }: Suite): void {
  addTest('has delivered all records when a flush has ended', PATIENT, async (logger, destination) => {
    const markers = logMany(logger, 100);
    await logger.flush();
    assert.deepStrictEqual(markersIn(destination), markers);
    const { received, delivered, pending } = await logger.stats();
    assert.deepStrictEqual({ received, delivered, pending }, { received: 100, delivered: 100, pending: 0 });
  });

  addTest('has delivered all records when the logger has ended', PATIENT, async (logger, destination) => {
    const markers = logMany(logger, 1000);
    await logger.end();
    assert.deepStrictEqual(markersIn(destination), markers);
    assert.ok(destination.closed, 'the destination is not closed');
  });

  addTest('delivers a lone record after maxDelayMs', { maxDelayMs: 20 }, async (logger, destination) => {
    const markers = logMany(logger, 1);
    await until('the record is delivered', () => destination.texts.length > 0);
    assert.deepStrictEqual(markersIn(destination), markers);
  });

  addTest('delivers each record to the route of its own fields', QUICK_RETRY, async (logger, destination) => {
    const stored: string[] = [];
    let attempts = 0;
    destination.routeOf = ({ fields }) => String(fields.tenant);
    destination.respond = ({ route, events }) => {
      if (attempts++ % 3 === 0) throw new DeliveryError('UNAVAILABLE', 'HTTP 503');
      stored.push(...events.map(({ payload }) => `${route}: ${markerIn(String(payload))}`));
    };
    const tenantOf = (index: number): string => `tenant${index % 7}`;
    const markers = logMany(logger, 200, 0, (index) => ({ tenant: tenantOf(index) }));
    await logger.flush();
    const expected = markers.map((marker, index) => `${tenantOf(index)}: ${marker}`);
    assert.deepStrictEqual(stored.sort(), expected.sort());
    assert.ok(attempts > 10, `${attempts} requests for 7 routes, each third of which fails`);
  });

  const few = { ...PATIENT, maxRoutes: 2, dropNotice: false };
  addTest('drops records of more routes than maxRoutes while others wait', few, async (logger, destination) => {
    destination.routeOf = ({ fields }) => String(fields.tenant);
    for (const tenant of ['a', 'b', 'c', 'a']) logger.log('info', tenant, { tenant });
    await logger.flush();
    logger.log('info', 'c', { tenant: 'c' });
    await logger.flush();
    const { received, delivered, dropped } = await logger.stats();
    assert.deepStrictEqual([received, delivered, dropped['too-many-routes']], [5, 4, 1]);
  });

  addTest('delivers each record of an outage once', QUICK_RETRY, async (logger, destination) => {
    let attempts = 0;
    destination.respond = () => {
      attempts++;
      throw new DeliveryError('UNAVAILABLE', 'HTTP 503');
    };
    const markers = logMany(logger, 500);
    await until('some attempts have failed', () => attempts > 3);
    destination.respond = () => {};
    await logger.flush();
    assert.deepStrictEqual(markersIn(destination).sort(), markers);
  });
}

function testFailures({ addTest, assert }: Suite): void {
  addTest('makes few requests of the records of an outage', QUICK_RETRY, async (logger, destination) => {
    let attempts = 0;
    destination.respond = () => {
      attempts++;
      throw new DeliveryError('NETWORK', 'no connection');
    };
    const markers: string[] = [];
    for (let index = 0; index < 50; index++) {
      markers.push(...logMany(logger, 1, index));
      await new Promise((resolve) => setTimeout(resolve, 6));
    }
    await until('some attempts have failed', () => attempts > 3);
    let requests = 0;
    destination.respond = () => void requests++;
    await logger.flush();
    assert.deepStrictEqual(markersIn(destination).sort(), markers);
    assert.ok(requests <= 5, `50 records, one each 6 ms of an outage, took ${requests} requests`);
  });

  addTest('remembers the size that a proxy refuses', { maxBatchEvents: 100 }, async (logger, destination) => {
    const takesBytes = 1000;
    let refused = 0;
    destination.respond = ({ bytes }) => {
      if (bytes <= takesBytes) return;
      refused++;
      throw new DeliveryError('TOO_LARGE', 'HTTP 413');
    };
    const markers = logMany(logger, 1000);
    await logger.flush();
    assert.deepStrictEqual(markersIn(destination).sort(), markers);
    assert.ok(refused < 20, `${refused} requests were too large`);
  });

  addTest('waits for a slow request that makes progress', { requestTimeoutMs: 200 }, async (logger, destination) => {
    destination.respond = async (_batch, _signal, progress) => {
      for (let part = 0; part < 6; part++) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        progress?.();
      }
    };
    const markers = logMany(logger, 1);
    await logger.flush();
    assert.deepStrictEqual(markersIn(destination), markers);
    assert.strictEqual((await logger.stats()).requests, 1);
  });

  for (const code of ['INVALID', 'TOO_LARGE'] as const)
    addTest(
      `keeps all records while all are refused as ${code}`,
      { ...QUICK_RETRY, maxBatchEvents: 1 },
      async (logger, destination) => {
        let attempts = 0;
        destination.respond = () => {
          attempts++;
          throw new DeliveryError(code, 'a setting');
        };
        const markers = logMany(logger, 100);
        await until('some attempts have failed', () => attempts > 3);
        const { pending } = await logger.stats();
        assert.strictEqual(pending, 100);
        destination.respond = () => {};
        await logger.flush();
        assert.deepStrictEqual(markersIn(destination).sort(), markers);
      },
    );

  addTest('flushes although the service has asked to wait for a day', QUICK_RETRY, async (logger, destination) => {
    let attempts = 0;
    destination.respond = () => {
      if (attempts++ === 0) throw new DeliveryError('THROTTLED', 'HTTP 429', { retryAfterMs: 86_400_000 });
    };
    const markers = logMany(logger, 100);
    await until('an attempt has failed', () => attempts > 0);
    await within(5000, 'the flush has not ended 5 s later', logger.flush());
    assert.deepStrictEqual(markersIn(destination).sort(), markers);
  });

  const brief = { ...QUICK_RETRY, closeTimeoutMs: 200 };

  addTest('ends in time if the destination never responds', brief, async (logger, destination) => {
    destination.respond = never;
    logMany(logger, 10);
    await until('the destination has a request', async () => (await logger.stats()).inFlight > 0);
    await within(5000, 'the logger has not ended 5 s later, though closeTimeoutMs is 200', logger.end());
    const { dropped, delivered } = await logger.stats();
    assert.deepStrictEqual([delivered, dropped.undeliverable], [0, 10]);
  });

  addTest('keeps failures of delivery away from the application', brief, async (logger, destination) => {
    let attempts = 0;
    destination.respond = () => {
      attempts++;
      throw attempts % 2 === 0 ? new Error('a bug of the destination') : new DeliveryError('NETWORK', 'no connection');
    };
    logMany(logger, 10);
    await until('some attempts have failed', () => attempts > 3);
    logMany(logger, 10);
    await logger.end();
    const { dropped } = await logger.stats();
    assert.strictEqual(dropped.undeliverable, 20);
  });
}

function testHostility({ addTest, assert }: Suite): void {
  let losses = 0;
  const onDrop = (): number => losses++;
  addTest('survives an application that logs at each loss what is lost again', { onDrop }, async (logger) => {
    let logged = 0;
    losses = 0;
    const text = 'x'.repeat(1_000_001);
    const timer = setInterval(() => {
      if (losses < logged) return;
      logged++;
      logger.log('info', text, {});
    }, 1);
    await until('some losses are told', () => losses > 3);
    await new Promise((resolve) => setTimeout(resolve, 500));
    clearInterval(timer);
    assert.ok(losses < 20, `onDrop was called ${losses} times in half a second`);
  });

  addTest('takes hostile values without harm', PATIENT, async (logger, destination) => {
    for (const value of hostileValues()) logger.log('info', 'hostile', { value });
    for (const text of hostileTexts()) logger.log('info', text, {});
    const markers = logMany(logger, 1);
    await logger.flush();
    const stats = await logger.stats();
    assertBalanced(stats);
    const calls = hostileValues().length + hostileTexts().length + 1;
    assert.strictEqual(stats.received, calls, `${calls} log calls, but ${stats.received} records`);
    assert.ok(destination.texts.at(-1)?.includes(markers[0] as string), 'the record after them is not delivered');
  });
}

/** The end leaves what it could not deliver on disk, and the start after it delivers that. */
async function checkSpool(assert: ContractAssert, harness: TransportHarness): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'logferry-'));
  const run = async (
    destination: MemoryDestination,
    closeTimeoutMs: number,
    log: (logger: RunningLogger) => readonly string[],
  ) => {
    const options = { ...QUICK_RETRY, closeTimeoutMs, spool: { directory }, onError: () => {} };
    const logger = await harness.start(destination, options);
    const markers = log(logger);
    await within(20_000, 'the logger has not ended 20 s later', logger.end());
    const stats = await logger.stats();
    assertBalanced(stats);
    return { markers, stats };
  };
  try {
    const away = new MemoryDestination();
    away.respond = () => {
      throw new DeliveryError('UNAVAILABLE', 'away');
    };
    const left = await run(away, 50, (logger) => logMany(logger, 5));
    assert.deepStrictEqual([left.stats.spooled, left.stats.delivered], [5, 0]);
    const next = new MemoryDestination();
    const { markers, stats } = await run(next, 10_000, (logger) => logMany(logger, 1, 5));
    assert.deepStrictEqual([stats.recovered, stats.delivered, stats.spooled], [5, 6, 0]);
    assert.deepStrictEqual(markersIn(next).toSorted(), [...left.markers, ...markers]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function testEnd({ addTest, assert, harness }: Suite): void {
  if (harness.logsAfterEnd === false) return;
  addTest('counts records after the end as closed', PATIENT, async (logger, destination) => {
    const markers = logMany(logger, 1);
    await logger.end();
    logMany(logger, 2);
    const { received, dropped } = await logger.stats();
    assert.deepStrictEqual([received, dropped.closed], [3, 2]);
    assert.deepStrictEqual(markersIn(destination), markers);
  });
}

async function checkRefusal(
  assert: ContractAssert,
  harness: TransportHarness,
  destination: Destination,
  options: DeliveryOptions,
  option: string,
): Promise<void> {
  let error: unknown;
  try {
    const logger = await harness.start(destination, options);
    await logger.end();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(ConfigError.is(error), `expected a ConfigError, got ${error}`);
  assert.strictEqual(ConfigError.is(error) && error.option, option);
}

/** Logs records with texts that no other text has in it, and returns these. */
function logMany(
  logger: RunningLogger,
  count: number,
  from = 0,
  fieldsOf: (index: number) => Record<string, unknown> = () => ({}),
): readonly string[] {
  const markers = Array.from({ length: count }, (_, index) => `marker ${String(from + index).padStart(4, '0')}.`);
  for (const [index, marker] of markers.entries()) logger.log('info', marker, fieldsOf(index));
  return markers;
}

/** The markers of the stored texts, in their order. */
function markersIn({ texts }: MemoryDestination): (string | undefined)[] {
  return texts.map(markerIn);
}

function markerIn(text: string): string | undefined {
  return text.match(/marker \d{4}\./)?.[0];
}

/** A second call of `end` returns the promise of the first. */
function endOnce(logger: RunningLogger): RunningLogger {
  let ending: Promise<unknown> | undefined;
  return {
    log: (level, text, fields) => logger.log(level, text, fields),
    flush: () => logger.flush(),
    stats: () => logger.stats(),
    end() {
      ending ??= logger.end();
      return ending;
    },
  };
}

/** An 'error' event without a listener is an uncaught exception, which a runner may count for another test, or not at all. */
async function withoutUncaught(run: () => Promise<void>): Promise<void> {
  const uncaught: unknown[] = [];
  const note = (error: unknown): number => uncaught.push(error);
  process.on('uncaughtExceptionMonitor', note);
  try {
    await run();
  } finally {
    process.off('uncaughtExceptionMonitor', note);
  }
  if (uncaught.length > 0) throw new Error(`an exception reached the process: ${uncaught[0]}`, { cause: uncaught[0] });
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
