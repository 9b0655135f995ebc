import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const DAY_MS = 86_400_000;

/** A service that answers the first requests with Retry-After, and then works. */
function asking(retryAfterMs: number, requests = 1): RecordingDestination {
  const destination = new RecordingDestination();
  destination.respond = () => {
    if (requests-- > 0) throw new DeliveryError('THROTTLED', 'slow down', { retryAfterMs });
    return accepted;
  };
  return destination;
}

it('batches that are asked to wait for a day are tried again after nine tenths of retry.maxAgeMs, all of their route', async () => {
  const { shipper, clock } = start({ maxDelayMs: 0, maxBatchEvents: 1 }, { destination: asking(DAY_MS) });
  for (let i = 0; i < 20; i++) shipper.accept(record('x'));
  await clock.advance(809_000);
  expect(shipper.stats()).toMatchObject({ pending: 20 });
  await clock.advance(2000);
  expect(shipper.stats()).toMatchObject({ delivered: 20, pending: 0 });
});

it('a flush delivers a batch that is asked to wait for a day', async () => {
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination: asking(DAY_MS) });
  shipper.accept(record('x'));
  await clock.advance(10);
  expect(await shipper.flush()).toMatchObject({ delivered: 1 });
});

it('close delivers a batch that is asked to wait for a day, before it and within it', async () => {
  for (const beforeMs of [10, 0]) {
    const { shipper, clock } = start({ maxDelayMs: 0 }, { destination: asking(DAY_MS) });
    shipper.accept(record('x'));
    if (beforeMs > 0) await clock.advance(beforeMs);
    const closed = shipper.close();
    await clock.advance(5000);
    expect(await closed).toMatchObject({ delivered: 1, dropped: { undeliverable: 0 } });
  }
});

it('close tries a batch once in spite of Retry-After, and then gives it up without waiting', async () => {
  const destination = asking(DAY_MS, 100);
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  shipper.accept(record('x'));
  const closed = shipper.close({ timeoutMs: 5000 });
  await clock.advance(3000);
  expect(await closed).toMatchObject({ dropped: { undeliverable: 1 } });
  expect(destination.attempts).toHaveLength(2);
  assertBalanced(shipper.stats());
});

it('Retry-After holds back its whole route, and no other', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ maxBatchEvents: 1, maxDelayMs: 0 }, { destination });
  shipper.accept(record('first', { level: 'asked' }));
  shipper.accept(record('first', { level: 'free' }));
  await clock.advance(10);
  destination.respond = ({ route }) => {
    if (route === 'asked') throw new DeliveryError('THROTTLED', 'slow down', { retryAfterMs: 8000 });
    return accepted;
  };
  shipper.accept(record('second', { level: 'asked' }));
  await clock.advance(10);
  const before = destination.attempts.filter(({ route }) => route === 'asked').length;
  for (let i = 0; i < 10; i++) for (const level of ['asked', 'free']) shipper.accept(record(String(i), { level }));
  await clock.advance(7900);
  expect(destination.attempts.filter(({ route }) => route === 'asked')).toHaveLength(before);
  expect(destination.stored.filter(({ route }) => route === 'free')).toHaveLength(11);
  destination.respond = () => accepted;
  await clock.advance(1000);
  expect(shipper.stats()).toMatchObject({ delivered: 23, pending: 0 });
});

it('Retry-After of two routes holds back all routes', async () => {
  const destination = asking(8000, 2);
  const { shipper, clock } = start({ maxBatchEvents: 1, maxDelayMs: 0, concurrency: 2 }, { destination });
  for (const level of ['a', 'b', 'c', 'd']) for (let i = 0; i < 5; i++) shipper.accept(record('x', { level }));
  await clock.advance(7999);
  expect(destination.attempts).toHaveLength(2);
  await clock.advance(1001);
  expect(shipper.stats()).toMatchObject({ delivered: 20, pending: 0 });
});

it('Retry-After of a route outlives the eviction of its only batch', async () => {
  const destination = new RecordingDestination();
  destination.respond = ({ route }) => {
    if (route === 'asked') throw new DeliveryError('THROTTLED', 'slow down', { retryAfterMs: 600_000 });
    return accepted;
  };
  const options = { maxDelayMs: 0, maxBatchEvents: 1, overflow: 'drop-oldest', maxBufferBytes: 8192 } as const;
  const { shipper, clock } = start(options, { destination });
  shipper.accept(record('a', { level: 'asked' }));
  await clock.advance(10);
  for (let i = 0; i < 12; i++) shipper.accept(record('f'.repeat(1000), { level: 'fine' }));
  await clock.advance(10);
  shipper.accept(record('b', { level: 'asked' }));
  await clock.advance(1000);
  expect(destination.attempts.filter(({ route }) => route === 'asked')).toHaveLength(1);
});
