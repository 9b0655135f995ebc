import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { destinationStream } from '@logferry/bunyan';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import {
  assertBalanced,
  ConfigError,
  createShipper,
  DeliveryError,
  type DeliveryOptions,
  type DeliveryStats,
  type Destination,
  type Drop,
  systemClock,
} from '@logferry/core';
import { DestinationTransport } from '@logferry/winston';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import winston from 'winston';
// @ts-expect-error a third party's module in JavaScript
import { createFileDestination } from './file-destination.mjs';
import { runCode } from './run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logferry-thread-'));
});
const started: DestinationTransport[] = [];
afterEach(async () => {
  for (const transport of started.splice(0)) {
    const hasEnded = !transport.writable;
    transport.end();
    if (!hasEnded) await once(transport, 'finish');
    assertBalanced(transport.stats());
  }
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly logger: winston.Logger;
  readonly transport: DestinationTransport;
  readonly warnings: Error[];
  stored(): string[];
}

function start(options: DeliveryOptions = {}, own: object = {}): Started {
  const file = join(folder, 'stored.log');
  const destination: Destination = createFileDestination({ file, ...own });
  const transport = new DestinationTransport({ destination, thread: true, ...options });
  started.push(transport);
  const format = winston.format.printf(({ message }) => String(message));
  const logger = winston.createLogger({ format, transports: [transport] });
  const warnings: Error[] = [];
  logger.on('warn', (warning) => warnings.push(warning));
  const stored = (): string[] => {
    try {
      return readFileSync(file, 'utf8').split('\n').slice(0, -1);
    } catch {
      return [];
    }
  };
  return { logger, transport, warnings, stored };
}

/** Whether the thread has sent a request. */
function hasAsked(transport: DestinationTransport): boolean {
  const { inFlight, retries } = transport.stats();
  return inFlight > 0 || Object.keys(retries).length > 0;
}

const until = (condition: () => boolean): Promise<void> => expect.poll(condition, { timeout: 20_000 }).toBe(true);

describe('options of a thread', () => {
  const cloudWatch = { logGroupName: 'shop', thread: true } as const;
  const logService = {
    endpoint: 'cn-hangzhou.log.aliyuncs.com',
    project: 'shop',
    logstore: 'web',
    thread: true,
  } as const;
  it.each<[string, () => unknown]>([
    ['onError', () => new CloudWatchTransport({ ...cloudWatch, onError: () => {} })],
    ['onDrop', () => cloudWatchStream({ ...cloudWatch, onDrop: () => {} })],
    ['credentials', () => new CloudWatchTransport({ ...cloudWatch, credentials: async () => ({}) as never })],
    ['client.send', () => new CloudWatchTransport({ ...cloudWatch, client: { send: () => {} } as never })],
    [
      'client',
      () =>
        new CloudWatchTransport({
          ...cloudWatch,
          client: new (class {
            send() {}
          })() as never,
        }),
    ],
    ['fetch', () => logServiceStream({ ...logService, fetch })],
  ])('refuse a function by its path: %s', (path, construct) => {
    let error: unknown;
    try {
      construct();
    } catch (thrown) {
      error = thrown;
    }
    expect(ConfigError.is(error) && error.option).toBe(path);
    expect(String(error)).toContain('cannot cross into the worker thread');
  });

  it('are refused with a destination that has no recipe', () => {
    const { recipe, ...destination } = createFileDestination({ file: '' });
    const refusal = /the destination "file" has no recipe/;
    expect(() => new DestinationTransport({ destination, thread: true })).toThrow(refusal);
    expect(() => destinationStream({ destination, thread: true })).toThrow(refusal);
    expect(() => destinationStream({ destination, thread: 1 as never })).toThrow(
      'thread: expected true or false, got 1',
    );
  });
});

describe('a record that crosses into a thread', () => {
  it('keeps its text, character by character', async () => {
    const { logger, transport, stored } = start();
    const texts = ['plain', 'tab\there', '', '"quoted\\"', '世界 😀', '\u2028\u0000\r', '!{"do":"close"}'];
    for (const text of texts) logger.info(text);
    logger.info('two\nlines');
    logger.info(`${'😀'.repeat(3_000_000)} long`);
    await transport.flush();
    expect(stored()).toEqual([...texts, 'two', 'lines', `${'😀'.repeat(3_000_000)} long`]);
  });

  it('is counted when it cannot be read', async () => {
    const { transport } = start();
    transport.log(
      new Proxy({} as never, {
        get() {
          throw new Error('hostile');
        },
      }),
    );
    expect(transport.stats()).toMatchObject({ received: 1, dropped: { unencodable: 1 }, pending: 0 });
  });
});

describe('the ledger of a thread', () => {
  it('adds up at every moment, and counts records on their way as pending', async () => {
    const { logger, transport } = start({ maxDelayMs: 5 });
    const seen: DeliveryStats[] = [];
    for (let turn = 0; turn < 200; turn++) {
      for (let i = 0; i < 100; i++) logger.info(`record ${i}`);
      seen.push(transport.stats());
      await nextTurn();
    }
    await until(() => transport.stats().pending === 0);
    for (const stats of seen) {
      assertBalanced(stats);
      expect(stats.pending).toBeGreaterThanOrEqual(0);
    }
    expect(seen[0]).toMatchObject({ received: 100, delivered: 0, pending: 100 });
    expect(seen[0]?.bufferBytes).toBeGreaterThan(100 * 'record 0'.length);
    expect(transport.stats()).toMatchObject({ received: 20_000, delivered: 20_000, bufferBytes: 0, oldestAgeMs: 0 });
  });

  it('counts the drops of the worker, and records after the end', async () => {
    const { logger, transport } = start({ closeTimeoutMs: 0 }, { down: true });
    for (let i = 0; i < 10; i++) logger.info('lost');
    logger.end();
    await once(logger, 'finish');
    transport.log({ level: 'info', message: 'late' });
    expect(transport.stats()).toMatchObject({ received: 11, dropped: { undeliverable: 10, closed: 1 }, pending: 0 });
  });

  it('tells the cause of losses: a DeliveryError as one, any other as text', async () => {
    const told: Drop[] = [];
    const note = (drop: unknown): void => {
      if ((drop as Drop).reason === 'undeliverable') told.push(drop as Drop);
    };
    subscribe('logferry:dropped', note);
    onTestFinished(() => void unsubscribe('logferry:dropped', note));
    for (const fault of [{ down: true }, { delayMs: 60_000 }]) {
      const { logger, transport } = start({ closeTimeoutMs: 300, maxDelayMs: 0 }, fault);
      logger.info('lost');
      await until(() => hasAsked(transport));
      logger.end();
      await once(logger, 'finish');
    }
    expect(told.map(({ records }) => records)).toEqual([1, 1]);
    const [failure, deadline] = told.map(({ cause }) => cause);
    expect(DeliveryError.is(failure) && failure.code).toBe('UNAVAILABLE');
    expect(deadline).toMatch(/^Error: not delivered in 300 ms/);
  });

  it('emits the failure that records are given up for as a warning of the logger', async () => {
    const { logger, transport, warnings } = start(
      { maxDelayMs: 0, retry: { baseMs: 10, capMs: 20, maxAgeMs: 200 }, closeTimeoutMs: 100 },
      { down: true },
    );
    logger.on('warn', () => {
      throw new Error('a bug of the application');
    });
    logger.info('x');
    await until(() => warnings.length > 0);
    expect(warnings[0]).toMatchObject({ name: 'DeliveryError', code: 'UNAVAILABLE' });
    await until(() => transport.stats().callbackErrors > 0);
  });
});

describe('a thread that does not read', () => {
  const budget = 1_000_000;
  const line = 'x'.repeat(1000);

  it('fills no more than the budget, a fifth of it with warnings only, and does not delay flush and end beyond their timeouts', async () => {
    const { logger, transport } = start({ maxBufferBytes: budget, closeTimeoutMs: 100 });
    logger.info('<block>');
    await nextTurn();
    for (let i = 0; i < 2000; i++) logger.info(line);
    const { pending: ordinary, dropped } = transport.stats();
    expect(ordinary * 1000).toBeGreaterThan(budget * 0.7);
    expect(ordinary * 1000).toBeLessThan(budget * 0.8);
    expect(dropped['buffer-full']).toBe(2001 - ordinary);
    for (let i = 0; i < 2000; i++) logger.warn(line);
    const stats = transport.stats();
    expect(stats.pending * 1000).toBeGreaterThan(budget * 0.9);
    expect(stats.bufferBytes).toBeLessThanOrEqual(budget);
    expect(await transport.flush({ timeoutMs: 50 })).toMatchObject({ pending: stats.pending });
    logger.end();
    await once(logger, 'finish');
    expect(transport.stats()).toMatchObject({ pending: 0, dropped: { undeliverable: stats.pending }, bufferBytes: 0 });
  });

  it('is informed later of drops in the main thread, and states them in the logs', async () => {
    const { logger, transport, stored } = start({ maxBufferBytes: budget });
    for (let i = 0; i < 2000; i++) logger.info(line);
    expect(transport.stats().dropped['buffer-full']).toBeGreaterThan(1000);
    logger.warn('the last');
    await transport.flush();
    logger.end();
    await once(logger, 'finish');
    const { dropped } = transport.stats();
    expect(stored().at(-1)).toContain(`logferry: ${dropped['buffer-full']} records dropped (buffer-full)`);
  });
});

describe('a thread that dies', () => {
  it.each(['<exit>', '<throw>'])(
    'is reported, and replaced by another, then by the main thread: %s',
    async (poison) => {
      const complaint = vi.spyOn(process, 'emitWarning');
      const { logger, transport, warnings, stored } = start({ maxDelayMs: 600_000 });
      logger.info('delivered');
      await transport.flush();
      logger.info('lost');
      logger.info(poison);
      await until(() => warnings.length === 1);
      expect(warnings[0]).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(/another one takes its/),
      });
      expect(transport.stats()).toMatchObject({ received: 3, delivered: 1, pending: 0, dropped: { undeliverable: 2 } });
      logger.info('goes on');
      await transport.flush();
      expect(stored().slice(0, 2)).toEqual(['delivered', 'goes on']);
      expect(transport.stats()).toMatchObject({
        received: 4,
        delivered: 2,
        concurrency: 4,
        lastError: { code: 'UNAVAILABLE' },
      });

      logger.info(poison);
      await until(() => warnings.length === 2);
      logger.info('in the turn in which it is known');
      expect(warnings[1]).toMatchObject({
        message: expect.stringMatching(/are shipped from the main thread from now on/),
      });
      logger.info('in process');
      await transport.flush();
      expect(transport.stats()).toMatchObject({ received: 7, delivered: 4, pending: 0, dropped: { undeliverable: 3 } });
      expect(stored().slice(-2)).toEqual(['in the turn in which it is known', 'in process']);
      expect(complaint).not.toHaveBeenCalled();
    },
  );

  it('is forgiven after ten minutes without another death', async () => {
    const jump = jumpingClock();
    const { logger, transport, warnings } = start();
    for (let death = 1; death <= 3; death++) {
      logger.info('<exit>');
      await until(() => warnings.length === death);
      expect(warnings.at(-1)?.message).toContain('another one takes its place');
      jump(600_000);
    }
    logger.info('goes on');
    expect(await transport.flush()).toMatchObject({ delivered: 1, dropped: { undeliverable: 3 } });
  });

  it('hands the records that it has not read to its successor', async () => {
    const { logger, transport, warnings, stored } = start();
    for (let death = 1; death <= 2; death++) {
      logger.info('<exit>');
      while (warnings.length < death) {
        logger.info(`after death ${death - 1}`);
        await nextTurn();
      }
    }
    const { received, delivered, dropped } = await transport.flush();
    expect(delivered).toBeGreaterThan(0);
    expect(stored()).toHaveLength(delivered);
    expect(delivered + dropped.undeliverable).toBe(received);
  });

  // With "spill" the dying thread writes the others down, too, which it cannot tell: what is not known counts as lost.
  it.each([
    ['journal', 1],
    ['spill', 6],
  ] as const)(
    'leaves on disk what it had there, and its successor delivers that and counts it as recovered: %s',
    async (mode, lost) => {
      const spool = { directory: join(folder, 'spool'), mode };
      const before = start({ spool, closeTimeoutMs: 0 }, { down: true });
      for (let i = 0; i < 10; i++) before.logger.info('of a dead process');
      await until(() => hasAsked(before.transport));
      before.logger.end();
      await once(before.logger, 'finish');
      expect(before.transport.stats()).toMatchObject({ spooled: 10, pending: 0 });

      const { logger, transport, warnings, stored } = start({ spool }, { gate: join(folder, 'gate') });
      for (let i = 0; i < 5; i++) logger.info('of this process');
      await until(() => transport.stats().inFlight > 0 && transport.stats().replayed.records === 10);
      expect(transport.stats()).toMatchObject({ received: 5, recovered: 10, pending: 15, spooled: 0 });
      const [owned = ''] = readdirSync(spool.directory, { recursive: true, encoding: 'utf8' });
      for (const name of readdirSync(join(spool.directory, owned)))
        utimesSync(join(spool.directory, owned, name), 0, 0);
      logger.info('<exit>');
      await until(() => warnings.some(({ message }) => message.includes('another one takes its place')));
      const dropped = { undeliverable: lost };
      assertBalanced(transport.stats());
      expect(transport.stats()).toMatchObject({ received: 6, delivered: 0, dropped });
      await until(() => transport.stats().recovered === 25);
      assertBalanced(transport.stats());
      appendFileSync(join(folder, 'gate'), 'open');
      await until(() => transport.stats().delivered === 15);
      expect(stored()).toHaveLength(15);
      expect(transport.stats()).toMatchObject({ received: 6, recovered: 25, pending: 0, dropped });
      expect(transport.stats().spool.segments).toBeLessThan(2);
      assertBalanced(transport.stats());
    },
  );

  it('ends a flush that waits for it', async () => {
    const { logger, transport } = start();
    logger.info('<exit>');
    expect(await transport.flush()).toMatchObject({ received: 1, pending: 0, dropped: { undeliverable: 1 } });
  });

  it('ends a close that waits for it, and is told as the cause of its losses', async () => {
    const { logger, transport, warnings } = start({ closeTimeoutMs: 60_000 });
    logger.info('<exit>');
    logger.end();
    await once(logger, 'finish');
    expect(transport.stats()).toMatchObject({ received: 1, pending: 0, dropped: { undeliverable: 1 } });
    await until(() => warnings.length === 1);
    expect(warnings[0]?.message).toBe('the worker thread has ended (by itself); its records are lost');
  });
});

describe('a thread that is closed', () => {
  it('is not told as dead, whichever of its reply and its end arrives first', async () => {
    const failures: unknown[] = [];
    for (let round = 0; round < 24; round++) {
      const shipper = createShipper(createFileDestination({ file: join(folder, 'stored.log') }), { thread: true });
      shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'x', fields: {} });
      await shipper.flush();
      const closed = shipper.close();
      // Both wait for this thread then.
      const blocksFromMs = performance.now() + (round % 12);
      while (performance.now() < blocksFromMs) await nextTurn();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
      await closed;
      failures.push(shipper.stats().lastError);
    }
    expect(failures.filter(Boolean)).toEqual([]);
  });
});

describe('a thread that cannot start', () => {
  /** Its Worker fails from the given start on, as where the system has no threads or files left, or no working directory. */
  const child = (failsFrom: number, isGone: boolean, ...acts: readonly string[]): string => `
    import { mkdtempSync, rmdirSync } from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    import threads from 'node:worker_threads';
    let starts = 0;
    threads.Worker = class extends threads.Worker {
      constructor(...all) {
        if (++starts >= ${failsFrom}) throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
        super(...all);
      }
    };
    syncBuiltinESMExports();
    const { assertBalanced, createShipper } = await import('@logferry/core');
    const { createFileDestination } = await import('./file-destination.mjs');
    const folder = mkdtempSync(${JSON.stringify(join(tmpdir(), 'logferry-gone-'))});
    process.chdir(folder);
    rmdirSync(folder);
    if (!${isGone}) process.chdir('/');
    const failures = [];
    const onFailure = ({ message }) => failures.push(message);
    const shipper = createShipper(createFileDestination({ file: '/dev/null' }), { thread: true }, { onFailure });
    const log = (text) => shipper.accept({ time: Date.now(), level: 'info', urgent: false, text, fields: {} });
    for (const act of ${JSON.stringify(acts)}) {
      if (act === 'release') await shipper.release();
      else log(act);
      await shipper.flush();
      while (act === '<exit>' && failures.length === 0) await new Promise(setImmediate);
    }
    while (!failures.at(-1)?.includes('main thread')) await new Promise((resolve) => setTimeout(resolve, 5));
    log('in this thread');
    const report = await shipper.close();
    assertBalanced(report);
    process.stderr.write(JSON.stringify([report.received, report.delivered, report.dropped.undeliverable, failures.length]));
  `;

  it.each<[string, number, boolean, readonly string[], string]>([
    ['at construction', 1, false, [], '[1,1,0,2]'],
    ['with the first record after it was released', 2, false, ['release', 'next'], '[2,2,0,2]'],
    ['after the death of another', 2, false, ['<exit>', 'next'], '[3,2,1,2]'],
    ['in a working directory that is gone', 99, true, [], '[1,1,0,2]'],
  ])('%s is told, and ships in the main thread', async (_when, failsFrom, isGone, acts, expected) => {
    const { code, stderr } = await runCode(child(failsFrom, isGone, ...acts));
    expect(stderr).toContain(expected);
    expect(code).toBe(0);
  });
});

describe('ready() of a thread', () => {
  const line = { level: 'info', urgent: false, text: 'x'.repeat(1000), fields: {} };

  it('lets a load of five budgets through without a loss', async () => {
    const destination: Destination = createFileDestination({ file: join(folder, 'stored.log'), delayMs: 5 });
    const shipper = createShipper(destination, { thread: true, maxBufferBytes: 4 * 1024 * 1024, maxBatchEvents: 1000 });
    for (let chunk = 0; chunk < 100; chunk++) {
      await shipper.ready();
      for (let i = 0; i < 200; i++) expect(shipper.accept({ ...line, time: Date.now() })).toBe(true);
    }
    expect(await shipper.close({ timeoutMs: 30_000 })).toMatchObject({ received: 20_000, delivered: 20_000 });
  });

  it('resolves when the thread is gone for good', async () => {
    const destination: Destination = createFileDestination({
      file: join(folder, 'stored.log'),
      gate: join(folder, 'no'),
    });
    const shipper = createShipper(destination, { thread: true, maxBufferBytes: 1024 * 1024 });
    for (let i = 0; i < 700; i++) shipper.accept({ ...line, time: Date.now() });
    const ready = shipper.ready();
    for (let deaths = 0; deaths < 10; deaths++) shipper.accept({ ...line, text: '<exit>', time: Date.now() });
    await ready;
    await shipper.close({ timeoutMs: 100 });
  });
});

it('a thread reads the environment as it is when it is read', async () => {
  vi.stubEnv('LOGFERRY_TEST_LATE', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { logger, transport, stored } = start({}, { environment: 'LOGFERRY_TEST_LATE' });
  process.env.LOGFERRY_TEST_LATE = 'set after the transport was made';
  logger.info('x');
  await transport.flush();
  expect(stored()).toEqual(['x set after the transport was made']);
});

describe('a thread that is released', () => {
  it('ends when all is settled; the next record starts another, which is no death', async () => {
    const destination: Destination = createFileDestination({ file: join(folder, 'stored.log') });
    const shipper = createShipper(destination, { thread: true });
    const record = { time: 1, level: 'info', urgent: false, text: 'x', fields: {} };
    for (let round = 1; round <= 5; round++) {
      shipper.accept(record);
      expect(await shipper.release()).toMatchObject({ received: round, delivered: round, pending: 0 });
    }
    expect(shipper.stats()).toMatchObject({ delivered: 5, lastError: undefined });
    expect(await shipper.close()).toMatchObject({ delivered: 5 });
  });

  it('ends with each configure() of a winston logger', async () => {
    const lives = join(folder, 'lives.log');
    const make = (): DestinationTransport => {
      const destination: Destination = createFileDestination({ file: join(folder, 'stored.log'), lives });
      const transport = new DestinationTransport({ destination, thread: true });
      started.push(transport);
      return transport;
    };
    const logger = winston.createLogger({ transports: [make()] });
    for (let round = 0; round < 5; round++) {
      logger.info(`round ${round}`);
      await nextTurn();
      logger.configure({ transports: [make()] });
    }
    const count = (what: string): number => readFileSync(lives, 'utf8').split(what).length - 1;
    await until(() => count('made') === 6 && count('closed') === 5);
  });

  it('goes on while a record is pending', async () => {
    const destination: Destination = createFileDestination({ file: '', down: true });
    const shipper = createShipper(destination, { thread: true });
    shipper.accept({ time: 1, level: 'info', urgent: false, text: 'x', fields: {} });
    expect(await shipper.release({ timeoutMs: 10 })).toMatchObject({ pending: 1 });
    expect(await shipper.close({ timeoutMs: 0 })).toMatchObject({ dropped: { undeliverable: 1 } });
  });
});

/** Lets the system's monotonic clock jump, until the test ends. */
function jumpingClock(): (ms: number) => void {
  const { monotonic } = systemClock;
  let jumpedMs = 0;
  const spy = vi.spyOn(systemClock, 'monotonic').mockImplementation(() => monotonic() + jumpedMs);
  onTestFinished(() => spy.mockRestore());
  return (ms) => {
    jumpedMs += ms;
  };
}
