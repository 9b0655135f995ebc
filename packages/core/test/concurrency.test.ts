import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError, type SendOutcome } from '../src/index.js';
import type { VirtualClock } from '../src/testing/virtual-clock.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

/** A destination whose requests the test ends one by one, in their order. */
function manual(): { destination: RecordingDestination; respond: (outcome: SendOutcome | DeliveryError) => void } {
  const destination = new RecordingDestination();
  const asked: ((outcome: SendOutcome | DeliveryError) => void)[] = [];
  destination.respond = () =>
    new Promise((resolve, reject) => {
      asked.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  return { destination, respond: (outcome) => asked.shift()?.(outcome) };
}

const throttled = new DeliveryError('THROTTLED', 'slow down');
const unavailable = new DeliveryError('UNAVAILABLE', 'down');

it('keeps at most `concurrency` requests in flight', async () => {
  const { destination, respond } = manual();
  const { shipper, clock } = start({ maxBatchEvents: 1, concurrency: 3 }, { destination });
  for (let i = 0; i < 10; i++) shipper.accept(record(String(i)));
  await clock.settle();
  for (let i = 0; i < 10; i++) {
    respond(accepted);
    await clock.settle();
  }
  expect(destination.mostInFlight).toBe(3);
  expect(destination.stored).toHaveLength(10);
});

it('tries a new route with one batch, and sends the others after its delivery', async () => {
  const { destination, respond } = manual();
  const { shipper, clock } = start({ maxBatchEvents: 1, concurrency: 4 }, { destination });
  for (let i = 0; i < 10; i++) shipper.accept(record(String(i)));
  await clock.settle();
  expect(destination.inFlight).toBe(1);
  respond(new DeliveryError('AGAIN', 'the stream is to be created'));
  await clock.settle();
  expect(destination.inFlight).toBe(1);
  respond(accepted);
  await clock.settle();
  expect(destination.inFlight).toBe(4);
});

it('halves concurrency once for requests that were throttled together, and raises it again slowly', async () => {
  const { destination, respond } = manual();
  const { shipper, clock } = start({ maxBatchEvents: 1, concurrency: 8 }, { destination });
  for (let i = 0; i < 200; i++) shipper.accept(record(String(i), { level: `route ${i}` }));
  await clock.settle();
  for (let i = 0; i < 8; i++) respond(throttled);
  await clock.settle();
  expect(shipper.stats().concurrency).toBe(4);
  const seen = new Set<number>();
  for (let i = 0; i < 50; i++) {
    respond(accepted);
    await clock.settle();
    seen.add(shipper.stats().concurrency);
  }
  expect([...seen]).toEqual([4, 5, 6, 7, 8]);
});

it('sends one batch at a time on each route when ordered, and in order of acceptance through failures', async () => {
  const destination = new RecordingDestination();
  let calls = 0;
  destination.respond = async () => {
    if (calls++ % 3 === 0) throw unavailable;
    return accepted;
  };
  const { shipper, clock } = start({ maxBatchEvents: 2, ordered: true }, { destination });
  for (let i = 0; i < 20; i++) shipper.accept(record(String(i), { time: 1000 - i }));
  await clock.advance(60_000);
  expect(destination.mostInFlight).toBe(1);
  expect(destination.texts).toEqual(Array.from({ length: 20 }, (_, i) => String(i % 2 === 0 ? i + 1 : i - 1)));
});

it('runs several routes side by side when ordered', async () => {
  const { destination } = manual();
  const { shipper, clock } = start({ maxBatchEvents: 1, ordered: true, concurrency: 4 }, { destination });
  for (let i = 0; i < 8; i++) shipper.accept(record(String(i), { level: `route ${i % 2}` }));
  await clock.settle();
  expect(destination.mostInFlight).toBe(2);
});

it('gives a failing route at most one slot until its next success', async () => {
  const destination = new RecordingDestination();
  let bad = 0;
  let mostBad = 0;
  destination.respond = async (batch) => {
    if (batch.route !== 'bad') return accepted;
    mostBad = Math.max(mostBad, ++bad);
    await new Promise((resolve) => setImmediate(resolve));
    bad--;
    throw unavailable;
  };
  const { shipper, clock } = start({ maxBatchEvents: 1, maxDelayMs: 0, concurrency: 4 }, { destination });
  shipper.accept(record('first', { level: 'bad' }));
  await clock.advance(1);
  for (let i = 0; i < 50; i++) shipper.accept(record(String(i), { level: 'bad' }));
  await clock.advance(20_000);
  expect(mostBad).toBe(1);
});

it('shares the slots among routes: the one with the fewest requests in flight goes next, although others have waited longer', async () => {
  const { destination, respond } = manual();
  const { shipper, clock } = start({ maxBatchEvents: 1, concurrency: 2 }, { destination });
  shipper.accept(record('x', { level: 'quiet' }));
  await clock.settle();
  for (const level of ['busy', 'busy', 'quiet']) shipper.accept(record('x', { level }));
  await clock.settle();
  respond(accepted);
  await clock.settle();
  expect(destination.attempts.map((batch) => batch.route)).toEqual(['quiet', 'busy', 'quiet']);
});

it('serves other routes first when one hangs', async () => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => (batch.route === 'hangs' ? new Promise(() => {}) : accepted);
  const { shipper, clock } = start({ maxBatchEvents: 1, concurrency: 4 }, { destination });
  for (let i = 0; i < 20; i++) {
    shipper.accept(record(String(i), { level: 'hangs' }));
    shipper.accept(record(String(i), { level: `fine ${i}` }));
  }
  await clock.settle();
  expect(destination.stored).toHaveLength(20);
});

it('covers every batch in flight or waiting when two flushes overlap', async () => {
  const { destination, respond } = manual();
  const { shipper, clock } = start({ concurrency: 1 }, { destination });
  const done: string[] = [];
  shipper.accept(record('a'));
  void shipper.flush().then(() => done.push('first'));
  await clock.settle();
  shipper.accept(record('b'));
  void shipper.flush().then(() => done.push('second'));
  await clock.settle();
  expect(done).toEqual([]);
  respond(accepted);
  await clock.settle();
  expect(done).toEqual(['first']);
  respond(accepted);
  await clock.settle();
  expect(done).toEqual(['first', 'second']);
});

/** A service on which a healthy route responds after 50 ms, and all others hang. */
function hangingExcept(healthy: string, clock: () => VirtualClock): RecordingDestination {
  const destination = new RecordingDestination();
  destination.respond = ({ route }, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new DeliveryError('TIMEOUT', 'for the test')));
      if (route === healthy) clock().setTimer(() => resolve(accepted), 50);
    });
  return destination;
}

it.each([
  ['every 5 s', 5000],
  ['every 2 minutes', 120_000],
])('a route that works %s waits no longer than alone beside 100 routes that hang', async (_, everyMs) => {
  let clock: VirtualClock | undefined;
  const destination = hangingExcept('healthy', () => clock as VirtualClock);
  const started = start({}, { destination });
  clock = started.clock;
  const { shipper } = started;
  const acceptedAtMs: number[] = [];
  const storedAtMs: number[] = [];
  shipper.accept(record('0', { level: 'healthy' }));
  await clock.advance(2000);
  expect(destination.texts).toEqual(['0']);
  for (let atMs = 0; atMs < 2_400_000; atMs += 500) {
    if (atMs % 20_000 === 0) for (let i = 0; i < 100; i++) shipper.accept(record('x', { level: `hangs ${i}` }));
    if (atMs % everyMs === 0) {
      shipper.accept(record(String(acceptedAtMs.length + 1), { level: 'healthy' }));
      acceptedAtMs.push(atMs);
    }
    await clock.advance(500);
    while (storedAtMs.length < destination.stored.length - 1) storedAtMs.push(atMs + 500);
  }
  await clock.advance(6000);
  while (storedAtMs.length < destination.stored.length - 1) storedAtMs.push(2_406_000);
  expect(storedAtMs).toHaveLength(acceptedAtMs.length);
  const waitsMs = storedAtMs.map((atMs, index) => atMs - (acceptedAtMs[index] ?? 0));
  // Alone it waits for maxDelayMs and the response.
  expect(Math.max(...waitsMs)).toBeLessThanOrEqual(5000 + 1050);
  expect(destination.mostInFlight).toBeLessThanOrEqual(4);
  expect(destination.attempts.filter(({ route }) => route !== 'healthy').length).toBeGreaterThan(100);
  assertBalanced(shipper.stats());
});

it('batches of a route that share a millisecond go one after another, in order of acceptance', async () => {
  const { destination, respond } = manual();
  const { shipper, clock } = start({ maxBatchEvents: 2, concurrency: 4 }, { destination });
  shipper.accept(record('first', { time: 1 }));
  void shipper.flush();
  await clock.settle();
  respond(accepted);
  await clock.settle();
  // Sealed full, by the timer and by a flush.
  for (let i = 0; i < 5; i++) shipper.accept(record(String(i), { time: 7 }));
  await clock.advance(1000);
  shipper.accept(record('5', { time: 7 }));
  void shipper.flush();
  shipper.accept(record('6', { time: 8 }));
  void shipper.flush();
  await clock.settle();
  for (let i = 0; i < 5; i++) {
    expect(destination.inFlight).toBeLessThanOrEqual(i < 2 ? 1 : 2);
    respond(accepted);
    await clock.settle();
  }
  expect(destination.texts).toEqual(['first', '0', '1', '2', '3', '4', '5', '6']);
  assertBalanced(shipper.stats());
});

it('a batch that shares a millisecond with one that backs off, or was halved, waits for it', async () => {
  for (const code of ['UNAVAILABLE', 'TOO_LARGE'] as const) {
    const destination = new RecordingDestination();
    const { shipper, clock } = start({ maxBatchEvents: 4, maxDelayMs: 0 }, { destination });
    shipper.accept(record('first', { time: 1 }));
    await clock.advance(10);
    let failures = 1;
    destination.respond = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (failures-- > 0) throw new DeliveryError(code, 'for the test');
      return accepted;
    };
    for (let i = 0; i < 12; i++) shipper.accept(record(String(i), { time: 7 }));
    await clock.advance(10_000);
    expect(destination.texts.slice(1)).toEqual(Array.from({ length: 12 }, (_, i) => String(i)));
  }
});

it('a full batch leaves the last millisecond to the next one, so that a burst goes in parallel and in order', async () => {
  const { destination, respond } = manual();
  const { shipper, clock } = start({ maxBatchEvents: 100, concurrency: 4 }, { destination });
  for (let i = 0; i < 1000; i++) shipper.accept(record(String(i), { time: 10 + Math.floor(i / 15) }));
  await clock.settle();
  respond(accepted);
  await clock.settle();
  expect(destination.inFlight).toBe(4);
  expect(destination.attempts.map((batch) => batch.events.length)).toEqual([100, 95, 90, 90, 90]);
});

it.each(['TIMEOUT', 'UNAVAILABLE', 'INVALID'] as const)(
  'a route that worked lately goes on when 100 others that worked before fail with %s',
  async (code) => {
    let areDown = false;
    const destination = new RecordingDestination();
    destination.respond = ({ route }, signal) => {
      if (!areDown || route === 'healthy') return accepted;
      const error = new DeliveryError(code, 'for the test');
      if (code !== 'TIMEOUT') throw error;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(error)));
    };
    const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
    for (let i = 0; i < 100; i++) shipper.accept(record('x', { level: `other ${i}` }));
    await clock.advance(10_000);
    shipper.accept(record('x', { level: 'healthy' }));
    await clock.advance(1000);
    areDown = true;
    for (let second = 0; second < 1200; second++) {
      if (second % 10 === 0) for (let i = 0; i < 100; i++) shipper.accept(record('x', { level: `other ${i}` }));
      shipper.accept(record('y', { level: 'healthy' }));
      await clock.advance(1000);
      const late = second + 1 - destination.stored.filter(({ payload }) => payload === 'y').length;
      expect(late).toBeLessThanOrEqual(5);
    }
    expect(destination.mostInFlight).toBeLessThanOrEqual(4);
  },
);

it('keeps the order of acceptance over the boundary of a window of time when ordered', async () => {
  const { shipper, destination, clock } = start({ ordered: true, maxBatchEvents: 5 });
  const boundary = 86_399_999 * 20_500;
  for (let i = 0; i < 10; i++) shipper.accept(record(String(i), { time: boundary - 2 + i }));
  await clock.advance(5000);
  expect(destination.texts.join()).toBe('0,1,2,3,4,5,6,7,8,9');
});
