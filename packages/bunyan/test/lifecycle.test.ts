import { once } from 'node:events';
import { assertBalanced, DeliveryError, type Drop } from '@logferry/core';
import { MemoryDestination, never } from '@logferry/core/testing';
import bunyan from 'bunyan';
import { describe, expect, test } from 'vitest';
import { destinationStream, type StreamOptions } from '../src/index.js';

/** Batches wait until a flush or a close. */
const patient: StreamOptions = { maxDelayMs: 600_000 };

function start(options: StreamOptions = {}) {
  const destination = new MemoryDestination();
  const entry = destinationStream({ destination, ...patient, ...options });
  const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
  return { destination, stream: entry.stream, logger };
}

describe('flush', () => {
  test('delivers all records logged before the call', async () => {
    const { logger, stream, destination } = start();
    for (let index = 0; index < 100; index++) logger.info(`line ${index}`);
    expect(await stream.flush()).toMatchObject({ received: 100, delivered: 100, pending: 0 });
    expect(destination.texts).toHaveLength(100);
  });

  test('returns at its timeout and drops nothing', async () => {
    const { logger, stream, destination } = start();
    destination.respond = never;
    logger.info('hello');
    expect(await stream.flush({ timeoutMs: 1 })).toMatchObject({ received: 1, delivered: 0, pending: 1 });
  });
});

describe('close', () => {
  test('delivers the pending records and closes the destination', async () => {
    const { logger, stream, destination } = start();
    logger.info('hello');
    expect(await stream.close()).toMatchObject({ delivered: 1, pending: 0 });
    expect(destination.closed).toBe(true);
  });

  test('gives up at its timeout, and counts the rest as undeliverable', async () => {
    const { logger, stream, destination } = start({ onDrop: () => {} });
    destination.respond = never;
    logger.info('hello');
    const report = await stream.close({ timeoutMs: 1 });
    expect(report).toMatchObject({ delivered: 0, pending: 0, dropped: { undeliverable: 1 } });
    assertBalanced(stream.stats());
  });

  test('gives up at closeTimeoutMs', async () => {
    const { logger, stream, destination } = start({ onDrop: () => {}, closeTimeoutMs: 1 });
    destination.respond = never;
    logger.info('hello');
    expect(await stream.close()).toMatchObject({ dropped: { undeliverable: 1 } });
  });

  test('leaves the logger usable, and counts later records as closed', async () => {
    const { logger, stream } = start({ onDrop: () => {} });
    await stream.close();
    logger.info('late');
    expect(stream.stats()).toMatchObject({ received: 1, dropped: { closed: 1 } });
  });
});

test("end closes, calls back and emits 'finish'", async () => {
  const { logger, stream, destination } = start();
  const finished = once(stream, 'finish');
  logger.info('hello');
  await new Promise<void>((resolve) => {
    expect(stream.end(resolve)).toBe(stream);
  });
  await finished;
  expect(destination.texts).toHaveLength(1);
  expect(destination.closed).toBe(true);
});

describe('a failed attempt', () => {
  const failing = (options: StreamOptions = {}) => {
    const started = start({ onDrop: () => {}, ...options });
    started.destination.respond = ({ events }) => {
      if (events.some(({ payload }) => String(payload).includes('bad')))
        throw new DeliveryError('INVALID', 'no such thing');
    };
    return started;
  };

  test('is reported to onError, and then the loss to onDrop', async () => {
    const reports: unknown[] = [];
    const { logger, stream, destination } = failing({
      onError: ({ code }) => reports.push(code),
      onDrop: (drop) => reports.push(drop),
    });
    destination.respond = () => {
      throw new DeliveryError('AUTH', 'no such thing');
    };
    logger.info('x');
    await stream.close();
    expect(reports).toMatchObject(['AUTH', { reason: 'undeliverable', records: 1 }]);
  });

  test("is never an 'error' event, also with reemitErrorEvents", async () => {
    const { stream } = failing({ onError: () => {} });
    const errors: unknown[] = [];
    stream.on('error', (error) => errors.push(error));
    const logger = bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream, reemitErrorEvents: true }] });
    logger.on('error', (error) => errors.push(error));
    for (const text of ['fine', 'bad']) logger.info(text);
    expect(await stream.flush()).toMatchObject({ delivered: 1, dropped: { invalid: 1 } });
    expect(errors).toEqual([]);
  });

  test('does not stop delivery when callbacks throw or reject', async () => {
    const throwing = () => {
      throw new Error('from a callback');
    };
    const rejecting = () => Promise.reject(new Error('from a callback'));
    for (const callback of [throwing, rejecting]) {
      const { logger, stream } = failing({ onError: callback, onDrop: callback, maxBufferBytes: 4096 });
      logger.info('x'.repeat(5000));
      for (const text of ['fine', 'bad']) logger.info(text);
      expect(await stream.flush()).toMatchObject({ delivered: 1, dropped: { 'buffer-full': 1, invalid: 1 } });
    }
  });

  test('throws nothing, and the next record is delivered', async () => {
    const { logger, stream } = failing({ onError: () => {} });
    for (const text of ['bad', 'fine']) logger.info(text);
    expect(await stream.flush()).toMatchObject({ delivered: 1, dropped: { invalid: 1 } });
  });
});

test('logging each loss into the same logger, while the buffer is full, ends', async () => {
  const drops: Drop[] = [];
  const { logger, stream, destination } = start({
    maxBufferBytes: 1024,
    onDrop: (drop) => {
      // Without a limit, a loop would hang the test.
      if (drops.push(drop) < 20) logger.warn('a record is lost');
    },
  });
  destination.respond = never;
  logger.info('fills the buffer');
  logger.info('lost');
  expect(drops).toEqual([]);
  await stream.flush({ timeoutMs: 1 });
  expect(drops).toMatchObject([{ reason: 'buffer-full', records: 1 }]);
  expect(stream.stats()).toMatchObject({ received: 3, dropped: { 'buffer-full': 2 } });
  await stream.close({ timeoutMs: 0 });
});

test('a stream whose service hangs does not delay another', async () => {
  const hanging = start({ maxDelayMs: 0, onDrop: () => {}, closeTimeoutMs: 1 });
  const working = start({ maxDelayMs: 0 });
  hanging.destination.respond = never;
  const logger = bunyan.createLogger({
    name: 'shop',
    streams: [
      { type: 'raw', stream: hanging.stream },
      { type: 'raw', stream: working.stream },
    ],
  });
  for (let index = 0; index < 5000; index++) logger.info(`line ${index}`);
  await working.stream.flush();
  expect(working.destination.texts).toHaveLength(5000);
  expect(hanging.stream.stats()).toMatchObject({ received: 5000, pending: 5000 });
  await hanging.stream.close();
  assertBalanced(hanging.stream.stats());
});
