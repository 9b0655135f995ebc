import { once } from 'node:events';
import { assertBalanced } from '@logferry/core';
import { MemoryDestination, never } from '@logferry/core/testing';
import { describe, expect, test, vi } from 'vitest';
import winston from 'winston';
import { DestinationTransport, type TransportOptions } from '../src/index.js';

/** Batches wait until a flush or a close. */
const patient: TransportOptions = { maxDelayMs: 600_000 };

function start(options: TransportOptions = patient) {
  const destination = new MemoryDestination();
  const transport = new DestinationTransport({ destination, ...options });
  const logger = winston.createLogger({
    format: winston.format.printf((info) => `${info.message}`),
    transports: transport,
  });
  return { destination, transport, logger };
}

test('log calls back at once, once and without an error', () => {
  const { transport } = start();
  const calls: unknown[][] = [];
  transport.log({ level: 'info', message: 'hello' }, (...args: unknown[]) => calls.push(args));
  expect(calls).toEqual([[]]);
});

describe('a write by any other stream or caller', () => {
  const hello = { level: 'info', message: 'hello', [Symbol.for('level')]: 'info', [Symbol.for('message')]: 'hello' };

  test('calls back when the record is taken', async () => {
    const { transport } = start();
    await new Promise((resolve) => transport.write(hello, resolve));
    await new Promise((resolve) => transport.write(hello, 'utf8', resolve));
    await new Promise((resolve) => transport.write(hello, undefined, resolve));
    expect(transport.stats().received).toBe(3);
  });

  test('keeps its position while the stream is corked', () => {
    const { transport, destination } = start();
    const write = (text: string, callback?: () => void) =>
      transport.write({ ...hello, [Symbol.for('message')]: text }, callback as never);
    transport.cork();
    write('a', () => {});
    write('b');
    transport.uncork();
    expect(destination.records.map(({ text }) => text)).toEqual(['a', 'b']);
  });

  test("is never an 'error' event: null is counted as unencodable, a record after the end as closed", async () => {
    const { logger, transport } = start({ ...patient, onDrop: () => {} });
    const errors: unknown[] = [];
    logger.on('error', (error) => errors.push(error));
    transport.write(null);
    await new Promise<void>((resolve) => transport.end(resolve));
    transport.write(hello);
    logger.info('late');
    await new Promise(setImmediate);
    expect(errors).toEqual([]);
    expect(transport.stats().dropped).toMatchObject({ unencodable: 1, closed: 2 });
    assertBalanced(transport.stats());
  });

  test('never causes backpressure', () => {
    const { transport } = start();
    expect(Array.from({ length: 100 }, () => transport.write(hello))).toEqual(Array(100).fill(true));
    expect(transport.writableLength).toBe(0);
  });
});

describe('flush', () => {
  test('delivers also records that the logger kept while it had no transport', async () => {
    const { transport, destination } = start();
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
    const logger = winston.createLogger();
    logger.info('early');
    complaint.mockRestore();
    logger.add(transport);
    await transport.flush();
    expect(destination.texts).toEqual(['{"level":"info","message":"early"}']);
  });

  test('delivers records logged in the same turn', async () => {
    const { logger, transport, destination } = start();
    for (let index = 0; index < 100; index++) logger.info(`line ${index}`);
    const report = await transport.flush();
    expect(destination.texts).toHaveLength(100);
    expect(report).toMatchObject({ received: 100, delivered: 100, pending: 0 });
  });

  test('returns at its timeout and drops nothing', async () => {
    const { logger, transport, destination } = start();
    destination.respond = never;
    logger.info('hello');
    expect(await transport.flush({ timeoutMs: 1 })).toMatchObject({ received: 1, delivered: 0, pending: 1 });
  });
});

describe('a transport that is removed', () => {
  test('delivers its records', async () => {
    const { logger, transport, destination } = start();
    const delivered = new Promise<void>((resolve) => {
      destination.respond = () => resolve();
    });
    logger.info('hello');
    await new Promise(setImmediate);
    logger.remove(transport);
    await delivered;
    expect(transport.stats().received).toBe(1);
  });

  test("works when it is added again, and inherits the logger's level", async () => {
    const { logger, transport, destination } = start();
    for (const round of [1, 2, 3]) {
      logger.info(`info ${round}`);
      logger.debug(`debug ${round}`);
      await transport.flush();
      logger.remove(transport);
      logger.add(transport);
    }
    expect(destination.texts).toEqual(['info 1', 'info 2', 'info 3']);
  });

  test('takes over the levels of the next logger that it is added to', async () => {
    const { logger, transport, destination } = start();
    logger.remove(transport);
    const syslog = winston.createLogger({ levels: winston.config.syslog.levels, transports: transport });
    syslog.warning('hello');
    await transport.flush();
    expect(destination.record).toMatchObject({ level: 'warning', urgent: true });
  });

  test('flushes every time, not only the first', async () => {
    const { logger, transport, destination } = start();
    for (const round of [1, 2]) {
      const delivered = new Promise<void>((resolve) => {
        destination.respond = () => resolve();
      });
      logger.info(`round ${round}`);
      await new Promise(setImmediate);
      logger.configure({ transports: transport });
      await delivered;
    }
    await transport.flush();
    expect(destination.texts).toHaveLength(2);
  });
});

test('close gives up at closeTimeoutMs, drops nothing and leaves the transport usable', async () => {
  const { logger, transport, destination } = start({ ...patient, closeTimeoutMs: 1 });
  let release = (): void => {};
  destination.respond = () =>
    new Promise((resolve) => {
      release = resolve;
    });
  logger.info('first');
  expect(await transport.close()).toMatchObject({ delivered: 0, pending: 1 });
  destination.respond = () => {};
  release();
  logger.info('second');
  expect(await transport.close({ timeoutMs: 10_000 })).toMatchObject({ delivered: 2, pending: 0 });
  expect(destination.closed).toBe(false);
});

describe('logger.end()', () => {
  test("delivers everything before 'finish', and closes the destination", async () => {
    const { logger, transport, destination } = start();
    for (let index = 0; index < 1000; index++) logger.info(`line ${index}`);
    logger.end();
    await once(logger, 'finish');
    expect(destination.texts).toHaveLength(1000);
    expect(destination.closed).toBe(true);
    assertBalanced(transport.stats());
  });

  test('takes no longer than closeTimeoutMs, and counts the rest as undeliverable', async () => {
    const { logger, transport, destination } = start({ ...patient, closeTimeoutMs: 1, onDrop: () => {} });
    destination.respond = never;
    logger.info('hello');
    logger.end();
    await once(logger, 'finish');
    expect(transport.stats()).toMatchObject({ delivered: 0, pending: 0, dropped: { undeliverable: 1 } });
  });

  test('waits for a transport that has been ended before', async () => {
    const { logger, transport, destination } = start();
    logger.info('hello');
    await new Promise(setImmediate);
    transport.end();
    logger.end();
    await once(logger, 'finish');
    expect(destination.texts).toEqual(['hello']);
  });

  test('a later record is counted as closed', async () => {
    const { logger, transport } = start({ ...patient, onDrop: () => {} });
    logger.end();
    await once(logger, 'finish');
    let called = 0;
    transport.log({ level: 'info', message: 'late' }, () => called++);
    expect(called).toBe(1);
    expect(transport.stats().dropped.closed).toBe(1);
    assertBalanced(transport.stats());
  });
});

describe("the event 'logged'", () => {
  test('is emitted for records taken, not for records dropped', async () => {
    const { transport } = start({ ...patient, maxBufferBytes: 1024, onDrop: () => {} });
    const logged: unknown[] = [];
    transport.on('logged', (info) => logged.push(info));
    const info = { level: 'info', message: 'hello', [Symbol.for('message')]: 'hello' };
    transport.log(info);
    expect(logged).toEqual([]);
    transport.log({ ...info, [Symbol.for('message')]: 'x'.repeat(2000) });
    await new Promise(setImmediate);
    expect(logged).toEqual([info]);
    expect(logged[0]).toBe(info);
  });
});

test('two transports ship side by side, and a hanging one stalls neither the other nor the logger', async () => {
  const hanging = new MemoryDestination();
  hanging.respond = never;
  const working = new MemoryDestination();
  const stuck = new DestinationTransport({ destination: hanging, maxDelayMs: 0, onDrop: () => {}, closeTimeoutMs: 1 });
  const free = new DestinationTransport({ destination: working, maxDelayMs: 0 });
  const logger = winston.createLogger({ transports: [stuck, free] });
  for (let index = 0; index < 5000; index++) {
    logger.info(`line ${index}`);
    if (index % 100 === 0) await new Promise(setImmediate);
  }
  await free.flush();
  expect(working.texts).toHaveLength(5000);
  expect(stuck.stats()).toMatchObject({ received: 5000, pending: 5000 });
  logger.end();
  await once(logger, 'finish');
  assertBalanced(stuck.stats());
  assertBalanced(free.stats());
});
