import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { assertBalanced, type Drop } from '@logferry/core';
import { MemoryDestination, never } from '@logferry/core/testing';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import winston from 'winston';
import { CloudWatchTransport } from '../src/cloudwatch.js';
import { DestinationTransport, type TransportOptions } from '../src/index.js';
import { runChild } from './support/run-child.js';

/** Does not fit into {@link tiny}. */
const large = 'x'.repeat(2000);

/** The smallest buffer. */
const tiny: TransportOptions = { maxBufferBytes: 1024, closeTimeoutMs: 1 };

/** Called after the test. */
const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

function loggerOf(transport: DestinationTransport): winston.Logger {
  endings.push(() => new Promise((resolve) => transport.end(resolve)));
  return winston.createLogger({ transports: transport });
}

/** A logger whose buffer is full: the first record takes it, and the service never responds. */
function startFull(options: TransportOptions = {}) {
  const destination = new MemoryDestination();
  destination.respond = never;
  const transport = new DestinationTransport({ destination, ...tiny, ...options });
  const logger = loggerOf(transport);
  logger.info('fills the buffer');
  return { transport, logger };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

describe('onDrop', () => {
  test('is called at the end of the turn, not inside the log call, once for each reason', async () => {
    const drops: Drop[] = [];
    const { transport, logger } = startFull({ onDrop: (drop) => drops.push(drop) });
    for (let index = 0; index < 3; index++) logger.info('dropped');
    transport.log(undefined as never);
    await Promise.resolve();
    expect(drops).toEqual([]);
    expect(transport.stats().dropped).toMatchObject({ 'buffer-full': 3, unencodable: 1 });
    await nextTurn();
    expect(drops).toMatchObject([
      { reason: 'buffer-full', records: 3 },
      { reason: 'unencodable', records: 1, cause: expect.any(TypeError) },
    ]);
  });

  test('is called before flush returns', async () => {
    const drops: Drop[] = [];
    const { transport, logger } = startFull({ onDrop: (drop) => drops.push(drop) });
    setImmediate(() => logger.info('dropped while flush waits for the next turn'));
    await transport.flush({ timeoutMs: 1 });
    expect(drops).toMatchObject([{ reason: 'buffer-full', records: 1 }]);
  });
});

describe('logging each loss into the same logger, while the buffer is full, ends after a few records:', () => {
  /** Most losses that are logged: without it, a loop would hang the test. */
  const LIMIT = 20;

  type Log = (text: string) => void;
  const ways: [string, (log: Log) => unknown][] = [
    ['in the callback', (log) => log('in the callback')],
    ['two records for each loss', (log) => [1, 2].map((part) => log(`part ${part}`))],
    [
      'after an await',
      async (log) => {
        await nextTurn();
        log('after an await');
      },
    ],
    ['from a timer', (log) => setTimeout(() => log('from a timer'))],
  ];

  test.each(ways)('from onDrop, %s', async (_, report) => {
    const drops: Drop[] = [];
    const { transport, logger } = startFull({
      onDrop: (drop) => {
        // The end of the test loses the first record as well.
        if (drop.reason !== 'buffer-full') return;
        if (drops.push(drop) > LIMIT) return;
        return report((text) => logger.warn(text));
      },
    });
    await expectFewRecords(transport, logger);
    expect(drops).toMatchObject([{ reason: 'buffer-full', records: 1 }]);
  });

  describe('from a subscriber of logferry:dropped', () => {
    let service: CloudWatchEmulator;
    beforeAll(async () => {
      service = await startCloudWatch({ strict: true });
    });
    afterAll(() => service.close());

    const startThread = () => {
      const { env, url: endpoint } = service;
      const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
      const credentials = { accessKeyId, secretAccessKey };
      const target = { logGroupName: 'shop', region, endpoint, credentials };
      const transport = new CloudWatchTransport({ ...target, maxBufferBytes: tiny.maxBufferBytes, thread: true });
      const logger = loggerOf(transport);
      logger.info('fits into the buffer');
      return { transport, logger };
    };

    test.each(
      ways.flatMap(([name, report]) => [
        { name, report, form: 'in process', start: () => startFull({ onDrop: () => {} }) },
        { name, report, form: 'with thread: true', start: startThread },
      ]),
    )('$form, $name', async ({ report, start }) => {
      const { transport, logger } = start();
      const drops: unknown[] = [];
      const onDropped = (drop: unknown) => {
        if (drops.push(drop) > LIMIT) return;
        report((text) => logger.warn(text + large));
      };
      subscribe('logferry:dropped', onDropped);
      await expectFewRecords(transport, logger);
      unsubscribe('logferry:dropped', onDropped);
      expect(drops).toMatchObject([{ reason: 'buffer-full', records: 1 }]);
    });
  });

  /** Loses a record, and expects that logging the loss makes one or two records, and those no more. */
  async function expectFewRecords(transport: DestinationTransport, logger: winston.Logger): Promise<void> {
    logger.info(large);
    await expect.poll(() => transport.stats().received).toBeGreaterThan(2);
    await turns(50);
    const stats = transport.stats();
    expect(stats.received).toBeLessThanOrEqual(4);
    expect(stats).toMatchObject({ dropped: { 'buffer-full': stats.received - 1 }, callbackErrors: 0 });
    assertBalanced(stats);
  }
});

describe('process.exit() in the turn of a loss', () => {
  test('calls onDrop', async () => {
    const { code, stdout, stderr } = await runChild('drop.mjs', { ON_DROP: 'stdout' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ reason: 'buffer-full', records: 2 });
    expect(stderr).toBe('');
  });

  test('writes the line on stderr', async () => {
    const { code, stderr } = await runChild('drop.mjs', {});
    expect(code).toBe(0);
    expect(stderr).toBe('[logferry] memory: 2 records lost (buffer-full 2)\n');
  });
});
