import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const unavailable = new DeliveryError('UNAVAILABLE', 'down');

it('flush sends waiting records at once, and returns a report', async () => {
  const { shipper, destination } = start();
  shipper.accept(record('a'));
  expect(await shipper.flush()).toMatchObject({ received: 1, delivered: 1, rejected: 0, spooled: 0, pending: 0 });
  expect(destination.texts).toEqual(['a']);
});

it('flush resolves at once when nothing is pending', async () => {
  const { shipper } = start();
  expect(await shipper.flush()).toMatchObject({ received: 0, pending: 0 });
});

it('flush ends backoffs, and waits for the delivery', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('AUTH', 'no');
  };
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  shipper.accept(record('a'));
  await clock.advance(1000);
  destination.respond = () => accepted;
  expect(await shipper.flush()).toMatchObject({ delivered: 1 });
});

it('flush does not wait for records accepted after the call', async () => {
  const { shipper, destination } = start();
  shipper.accept(record('a'));
  const flushed = shipper.flush();
  shipper.accept(record('b'));
  expect(await flushed).toMatchObject({ received: 2, delivered: 1, pending: 1 });
  expect(destination.texts).toEqual(['a']);
});

it('flush with a timeout returns in time and drops nothing', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => new Promise(() => {});
  const { shipper, clock } = start({}, { destination });
  shipper.accept(record('a'));
  const flushed = shipper.flush({ timeoutMs: 500 });
  await clock.advance(500);
  expect(await flushed).toMatchObject({ delivered: 0, pending: 1 });
});

it('close delivers pending records, refuses later ones, and closes the destination once', async () => {
  const { shipper, destination, drops } = start();
  shipper.accept(record('a'));
  const closed = shipper.close();
  expect(shipper.accept(record('late'))).toBe(false);
  expect(await closed).toMatchObject({ received: 2, delivered: 1, dropped: { closed: 1 } });
  expect(await shipper.close()).toBe(await closed);
  expect(destination.closed).toBe(1);
  expect(drops).toMatchObject([{ reason: 'closed', records: 1 }]);
  assertBalanced(shipper.stats());
});

it('close gives up at its deadline: it aborts requests and counts pending records, and the ledger adds up', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => new Promise(() => {});
  const { shipper, clock, drops } = start({ closeTimeoutMs: 3000, maxBatchEvents: 1, concurrency: 2 }, { destination });
  for (let i = 0; i < 5; i++) shipper.accept(record(String(i), { level: `route ${i}` }));
  const closed = shipper.close();
  const flushed = shipper.flush();
  await clock.advance(2999);
  expect(destination.signals.some((signal) => signal.aborted)).toBe(false);
  await clock.advance(1);
  const report = await closed;
  expect(report).toMatchObject({ delivered: 0, pending: 0, dropped: { undeliverable: 5 } });
  expect(await flushed).toEqual(report);
  shipper.accept(record('after the end'));
  expect(await shipper.flush()).toMatchObject({ received: 6, dropped: { undeliverable: 5, closed: 1 } });
  expect(destination.signals).toHaveLength(2);
  expect(destination.signals.every((signal) => signal.aborted)).toBe(true);
  expect(drops.reduce((sum, drop) => sum + drop.records, 0)).toBe(6);
  expect(shipper.stats()).toMatchObject({ bufferBytes: 0, inFlight: 0, ambiguous: 2 });
});

it('a response after the deadline of close changes nothing', async () => {
  const destination = new RecordingDestination();
  let respondLate = (): void => {};
  destination.respond = () =>
    new Promise((resolve) => {
      respondLate = () => resolve(accepted);
    });
  const { shipper, clock } = start({}, { destination });
  shipper.accept(record('a'));
  const closed = shipper.close({ timeoutMs: 100 });
  await clock.advance(100);
  const report = await closed;
  respondLate();
  await clock.settle();
  expect(shipper.stats()).toMatchObject(report);
  expect(report).toMatchObject({ delivered: 0, pending: 0, dropped: { undeliverable: 1 } });
});

it('close retries a failed request before its deadline', async () => {
  const destination = new RecordingDestination();
  let failures = 3;
  destination.respond = () => {
    if (failures-- > 0) throw unavailable;
    return accepted;
  };
  const { shipper, clock } = start({}, { destination });
  shipper.accept(record('a'));
  const closed = shipper.close();
  await clock.advance(1400);
  expect(await closed).toMatchObject({ delivered: 1 });
});

it('close does not wait for an attempt that cannot start before the deadline', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('AUTH', 'no');
  };
  const { shipper } = start({ closeTimeoutMs: 5000 }, { destination });
  shipper.accept(record('a'));
  expect(await shipper.close()).toMatchObject({ dropped: { undeliverable: 1 } });
});

it('close makes one try in spite of a Retry-After that ends after the deadline, and no more', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('THROTTLED', 'slow down', { retryAfterMs: 60_000 });
  };
  const { shipper, clock } = start({ maxDelayMs: 0, closeTimeoutMs: 5000 }, { destination });
  shipper.accept(record('a'));
  await clock.advance(1000);
  expect(await shipper.close()).toMatchObject({ dropped: { undeliverable: 1 } });
  expect(destination.attempts).toHaveLength(2);
});

it('close resets backoffs, so that the last attempts still happen after a long outage', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw unavailable;
  };
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  shipper.accept(record('a'));
  await clock.advance(120_000);
  const before = destination.attempts.length;
  const closed = shipper.close();
  await clock.advance(5000);
  await closed;
  expect(destination.attempts.length - before).toBeGreaterThanOrEqual(5);
});

it('close retries until its deadline, also when a backoff would be longer', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw unavailable;
  };
  const { shipper, clock } = start({ retry: { baseMs: 60_000, capMs: 600_000 } }, { destination });
  shipper.accept(record('a'));
  const closed = shipper.close();
  await clock.advance(4900);
  destination.respond = () => accepted;
  await clock.advance(100);
  expect(await closed).toMatchObject({ delivered: 1 });
});

it('close does not wait longer for a destination whose own close hangs', async () => {
  const destination = new RecordingDestination();
  destination.close = () => new Promise(() => {});
  const { shipper, clock } = start({ closeTimeoutMs: 1000 }, { destination });
  const closed = shipper.close();
  await clock.advance(1000);
  expect(await closed).toMatchObject({ pending: 0 });
});

it('only the timer of a running flush or close keeps the process alive', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ maxDelayMs: 1000 }, { destination });
  shipper.accept(record('waits for the timer'));
  await clock.settle();
  expect(clock.timersHeld).toBe(0);
  destination.respond = () => {
    throw unavailable;
  };
  await clock.advance(1000);
  expect(clock.timersHeld).toBe(0);
  destination.respond = () => new Promise(() => {});
  await clock.advance(1000);
  expect(shipper.stats().inFlight).toBe(1);
  expect(clock.timersHeld).toBe(0);
  const flushed = shipper.flush({ timeoutMs: 100 });
  expect(clock.timersHeld).toBe(1);
  await clock.advance(100);
  await flushed;
  expect(clock.timersHeld).toBe(0);
  const closed = shipper.close();
  await clock.settle();
  expect(clock.timersHeld).toBe(1);
  await clock.advance(5000);
  await closed;
  expect(clock.timersHeld).toBe(0);
});

it('close leaves time after each attempt for another: a throttled batch gets many, however long its backoff is', async () => {
  const destination = new RecordingDestination();
  let throttlings = 20;
  destination.respond = () => {
    if (throttlings-- > 0) throw new DeliveryError('THROTTLED', 'slow down');
    return accepted;
  };
  const { shipper, clock } = start({ retry: { throttledBaseMs: 4900 } }, { destination });
  shipper.accept(record('a'));
  const closed = shipper.close({ timeoutMs: 5000 });
  await clock.advance(5000);
  expect(await closed).toMatchObject({ delivered: 1, pending: 0 });
});
