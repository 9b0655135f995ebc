import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { assertBalanced, createHttpClient, DeliveryError, nextTurn, systemClock } from '../src/index.js';
import { serve } from './support/http-server.js';
import { accepted, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const MINUTE = 60_000;
const down = (): never => {
  throw new DeliveryError('UNAVAILABLE', 'down');
};

it('the time in which the process was frozen is no part of the age of records', async () => {
  const { shipper, destination, clock, drops } = start({ maxDelayMs: 0, maxBatchEvents: 1 });
  destination.respond = down;
  for (let i = 0; i < 5; i++) shipper.accept(record('x'));
  await clock.advance(MINUTE);
  for (let i = 0; i < 3; i++) {
    await clock.standStill(60 * MINUTE);
    await clock.advance(100);
  }
  expect(drops).toEqual([]);
  destination.respond = () => accepted;
  await clock.advance(MINUTE);
  expect(shipper.stats()).toMatchObject({ delivered: 5, pending: 0 });
  assertBalanced(shipper.stats());
});

it('takes a pause of a failing destination that ended while another record had to come first for no standstill', async () => {
  const retry = { maxAgeMs: 10_000 };
  const options = { maxDelayMs: 0, maxBatchEvents: 1, ordered: true, concurrency: 1, requestTimeoutMs: 617, retry };
  const { shipper, destination, clock, drops } = start(options, { random: () => 0.5 });
  destination.respond = () => new Promise(() => {});
  for (let i = 0; i < 3; i++) {
    shipper.accept(record(`${i}`));
    await clock.advance(1100);
  }
  for (const expired of [1, 2, 3]) {
    // A request in flight ends first.
    await clock.advance(10_000 + 1100 * (expired - 1) + 700 - clock.monotonic());
    expect(drops.reduce((sum, { records }) => sum + records, 0)).toBe(expired);
  }
});

it('records still expire after retry.maxAgeMs of time in which the process ran', async () => {
  const { shipper, destination, clock } = start({ maxDelayMs: 0, retry: { maxAgeMs: 10 * MINUTE } });
  destination.respond = down;
  shipper.accept(record('x'));
  await clock.advance(4 * MINUTE);
  await clock.standStill(30 * MINUTE);
  await clock.advance(5 * MINUTE);
  expect(shipper.stats()).toMatchObject({ pending: 1 });
  await clock.advance(MINUTE + 10_000);
  expect(shipper.stats()).toMatchObject({ pending: 0, dropped: { expired: 1 } });
});

it('a record that comes after the process was frozen is not older or younger for it', async () => {
  const { shipper, destination, clock } = start({ maxDelayMs: 0, retry: { maxAgeMs: MINUTE } });
  destination.respond = down;
  shipper.accept(record('before'));
  await clock.advance(30_000);
  await clock.standStill(60 * MINUTE);
  shipper.accept(record('after'));
  await clock.advance(25_000);
  expect(shipper.stats()).toMatchObject({ pending: 2 });
  // The last wake-up before was up to 5 s earlier.
  await clock.advance(10_000);
  expect(shipper.stats()).toMatchObject({ pending: 1 });
  await clock.advance(24_999);
  expect(shipper.stats()).toMatchObject({ pending: 1 });
  await clock.advance(1);
  expect(shipper.stats()).toMatchObject({ pending: 0, dropped: { expired: 2 } });
});

it('waits are over when the process goes on: what is due is sent at once', async () => {
  const { shipper, destination, clock } = start({ retry: { baseMs: 20_000, capMs: 30_000 } });
  destination.respond = down;
  shipper.accept(record('x'));
  await clock.advance(5000);
  destination.respond = () => accepted;
  await clock.standStill(10 * MINUTE);
  expect(shipper.stats()).toMatchObject({ delivered: 1 });
});

it.each(['TIMEOUT', 'NETWORK'] as const)(
  'a request whose response did not come while the process was frozen is made again at once, and is no failure: %s',
  async (code) => {
    const { shipper, destination, clock, errors } = start({ maxDelayMs: 0 });
    let fail = (_: DeliveryError): void => {};
    destination.respond = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    shipper.accept(record('x'));
    await clock.advance(1000);
    destination.respond = () => accepted;
    await clock.standStill(10 * MINUTE);
    if (code === 'NETWORK') fail(new DeliveryError(code, 'socket hang up', { ambiguous: true }));
    await clock.settle();
    expect(shipper.stats()).toMatchObject({ delivered: 1, ambiguous: 1, retries: { AGAIN: 1 } });
    expect(shipper.stats().lastError).toBeUndefined();
    expect(errors).toEqual([]);
  },
);

it('a request that has no response after its time is a time-out, also if one before was cut short', async () => {
  const { shipper, destination, clock } = start({ maxDelayMs: 0 });
  destination.respond = () => new Promise(() => {});
  shipper.accept(record('x'));
  await clock.advance(1000);
  await clock.standStill(10 * MINUTE);
  expect(destination.attempts).toHaveLength(2);
  await clock.advance(29_999);
  expect(shipper.stats().lastError).toBeUndefined();
  await clock.advance(1);
  expect(shipper.stats().lastError).toMatchObject({ code: 'TIMEOUT' });
});

it('no request goes over a connection whose time was over while the process was frozen: the network may know it no more', async () => {
  const { url, sockets } = await serve((_, response) => response.end());
  const client = createHttpClient();
  const post = async (): Promise<number> => {
    const request = { url, method: 'POST', headers: {}, body: 'x', signal: AbortSignal.timeout(20_000) };
    const { status } = await client.request(request);
    // The connection is free in the next turn.
    await nextTurn();
    return status;
  };
  await post();
  await post();
  expect(sockets).toHaveLength(1);
  // The wall clock goes on while a machine is frozen.
  for (const jumpMs of [60_000, -120_000]) {
    vi.setSystemTime(Date.now() + jumpMs);
    expect(await post()).toBe(200);
  }
  expect(sockets).toHaveLength(3);
  vi.useRealTimers();
  client.close();
});

it('a timer that was due while the process was blocked lets what came meanwhile be read first, which may cancel it', async () => {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker("require('node:worker_threads').workerData.port.postMessage('came')", {
    eval: true,
    workerData: { port: port2 },
    transferList: [port2],
  });
  const called: string[] = [];
  const cancelled = systemClock.setTimer(() => called.push('cancelled timer'), 20);
  const timer = new Promise<void>((resolve) => {
    systemClock.setTimer(() => {
      called.push('timer');
      resolve();
    }, 20);
  });
  port1.on('message', () => {
    called.push('message');
    cancelled.cancel();
  });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  await timer;
  expect(called).toEqual(['message', 'timer']);
  port1.close();
  await worker.terminate();
});
