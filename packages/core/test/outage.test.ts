import { expect, it } from 'vitest';
import { assertBalanced, type DeliveryCode, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

/** A destination that fails with this code until it is repaired. */
function broken(code: DeliveryCode): RecordingDestination & { repair(): void } {
  const destination = new RecordingDestination();
  destination.respond = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new DeliveryError(code, 'for the test');
  };
  return Object.assign(destination, {
    repair() {
      destination.respond = () => accepted;
    },
  });
}

it.each(['UNAVAILABLE', 'NETWORK', 'TIMEOUT'] as const)(
  'after three failures in a row with %s one probe at a time is in flight, with any number of waiting routes',
  async (code) => {
    const destination = broken(code);
    const { shipper, clock } = start({ maxDelayMs: 0, concurrency: 4 }, { destination });
    for (let i = 0; i < 500; i++) shipper.accept(record(String(i), { level: `route ${i}` }));
    await clock.advance(300);
    destination.mostInFlight = 0;
    const before = destination.attempts.length;
    await clock.advance(300_000);
    expect(destination.mostInFlight).toBe(1);
    expect(shipper.stats()).toMatchObject({ concurrency: 1, pending: 500 });
    // The pause doubles from 200 ms to 30 s.
    expect(destination.attempts.length - before).toBeLessThan(20);
    destination.repair();
    await clock.advance(60_000);
    expect(shipper.stats()).toMatchObject({ delivered: 500, concurrency: code === 'TIMEOUT' ? expect.any(Number) : 4 });
    assertBalanced(shipper.stats());
  },
);

it('sends all batches that have not failed after the first success that ends an outage', async () => {
  const destination = broken('UNAVAILABLE');
  const { shipper, clock } = start({ maxBatchEvents: 1, maxDelayMs: 0 }, { destination });
  for (let i = 0; i < 50; i++) shipper.accept(record(String(i)));
  await clock.advance(120_000);
  const { pending } = shipper.stats();
  destination.repair();
  await clock.advance(30_000);
  expect(pending).toBe(50);
  expect(shipper.stats()).toMatchObject({ delivered: 50 });
});

it('a flush in an outage sends one probe at once, and no more', async () => {
  const destination = broken('NETWORK');
  const { shipper, clock } = start({ maxBatchEvents: 1, maxDelayMs: 0 }, { destination });
  for (let i = 0; i < 50; i++) shipper.accept(record(String(i)));
  await clock.advance(120_000);
  const before = destination.attempts.length;
  const flushed = shipper.flush({ timeoutMs: 10 });
  await clock.advance(10);
  await flushed;
  expect(destination.attempts.length - before).toBe(1);
});

it('one failing route among healthy ones is no outage, and keeps the concurrency', async () => {
  const destination = new RecordingDestination();
  destination.respond = async (batch) => {
    if (batch.route === 'bad') throw new DeliveryError('TIMEOUT', 'for the test');
    return accepted;
  };
  const { shipper, clock } = start({ maxDelayMs: 0, concurrency: 4 }, { destination });
  for (let second = 0; second < 100; second++) {
    shipper.accept(record('x', { level: 'bad' }));
    for (let i = 0; i < 10; i++) shipper.accept(record('y', { level: `fine ${i}` }));
    await clock.advance(1000);
  }
  expect(shipper.stats()).toMatchObject({ delivered: 1000, concurrency: 4 });
});

it('throttling is no outage: the service responds', async () => {
  const destination = broken('THROTTLED');
  const { shipper, clock } = start({ maxDelayMs: 0, concurrency: 4 }, { destination });
  for (let i = 0; i < 8; i++) shipper.accept(record(String(i), { level: `route ${i}` }));
  await clock.advance(200);
  expect(destination.attempts).toHaveLength(8);
});

it('drops records at retry.maxAgeMs that got no attempt in a long outage', async () => {
  const destination = broken('UNAVAILABLE');
  const { shipper, clock, drops } = start(
    { maxBatchEvents: 1, maxDelayMs: 0, retry: { maxAgeMs: 60_000 } },
    { destination },
  );
  for (let i = 0; i < 50; i++) shipper.accept(record(String(i)));
  await clock.advance(59_000);
  expect(shipper.stats().pending).toBe(50);
  await clock.advance(1000);
  expect(shipper.stats()).toMatchObject({ pending: 0, dropped: { expired: 50 }, inFlight: 0 });
  expect(drops.every((drop) => drop.reason === 'expired')).toBe(true);
  expect(destination.attempts.length).toBeLessThan(20);
  assertBalanced(shipper.stats());
});

it('a route whose batches fail in a row pauses, and the others do not', async () => {
  const destination = new RecordingDestination();
  destination.respond = async (batch) => {
    if (batch.route === 'bad') throw new DeliveryError('UNAVAILABLE', 'for the test');
    return accepted;
  };
  const { shipper, clock } = start({ maxBatchEvents: 1, maxDelayMs: 0 }, { destination });
  for (let i = 0; i < 200; i++) {
    shipper.accept(record('x', { level: 'bad' }));
    shipper.accept(record('y', { level: 'fine' }));
    await clock.advance(100);
  }
  expect(shipper.stats().delivered).toBe(200);
  // 20 s of a backoff that doubles from 200 ms, not 200 batches with an attempt each.
  expect(destination.attempts.filter((batch) => batch.route === 'bad').length).toBeLessThan(15);
});

it('delivers each record of a batch that were all refused, when ordered, while other routes back off', async () => {
  const destination = new RecordingDestination();
  let isWrong = true;
  destination.respond = (batch) => {
    if (batch.route !== 'info') throw new DeliveryError('THROTTLED', 'slow down');
    if (isWrong) throw new DeliveryError('INVALID', 'no');
    return accepted;
  };
  const { shipper, clock } = start({ ordered: true }, { destination });
  for (let i = 0; i < 17; i++) shipper.accept(record(String(i)));
  await clock.advance(2000);
  for (const level of ['b', 'c', 'd']) shipper.accept(record('x', { level }));
  await clock.advance(2000);
  isWrong = false;
  await clock.advance(120_000);
  expect(destination.texts.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => i));
});

it('an outage ends with the first route that works, also when a probe meets one that needs an operator', async () => {
  const destination = broken('NETWORK');
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  for (const level of ['a', 'b', 'c', 'd']) shipper.accept(record('x', { level }));
  await clock.advance(60_000);
  let locked: string | undefined;
  destination.respond = ({ route }) => {
    locked ??= route;
    if (route === locked) throw new DeliveryError('AUTH', 'no');
    return accepted;
  };
  const closed = shipper.close();
  await clock.advance(5000);
  expect(await closed).toMatchObject({ delivered: 3, dropped: { undeliverable: 1 } });
});

it('a working route has its turn among many that fail, also with one slot', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ maxDelayMs: 0, concurrency: 1 }, { destination });
  destination.respond = async ({ route }) => {
    await new Promise<void>((resolve) => clock.setTimer(resolve, 100));
    if (route !== 'fine') throw new DeliveryError('AUTH', 'no');
    return accepted;
  };
  for (let i = 0; i < 1000; i++) shipper.accept(record('x', { level: `bad ${i}` }));
  await clock.advance(100_000);
  for (let second = 0; second < 100; second++) {
    shipper.accept(record('y', { level: 'fine' }));
    await clock.advance(1000);
  }
  expect(destination.stored.length).toBeGreaterThan(95);
});
