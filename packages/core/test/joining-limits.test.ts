import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const throttled = new DeliveryError('THROTTLED', 'slow down');
const unavailable = new DeliveryError('UNAVAILABLE', 'down');

/** A shipper whose requests are throttled so many times at first, on one route, or on all. */
function throttledFor(times: number, options = {}, onlyRoute?: string) {
  const destination = new RecordingDestination();
  let left = times;
  destination.respond = async ({ route }) => {
    if (left > 0 && (onlyRoute ?? route) === route) {
      left--;
      throw throttled;
    }
    return accepted;
  };
  return start(options, { destination });
}

/** Has the service throttle until batches wait for others, and then delivers all. */
async function throttledAlready(options = {}) {
  const started = throttledFor(3, options);
  const { shipper, clock } = started;
  for (let second = 0; second < 12 && shipper.stats().retries.THROTTLED !== 3; second++) {
    shipper.accept(record('first'));
    await clock.advance(1000);
  }
  await shipper.flush();
  started.destination.attempts.length = 0;
  started.destination.stored.length = 0;
  await clock.advance(1);
  return started;
}

it('forgets a single throttling within seconds: a record waits for maxDelayMs again', async () => {
  const { shipper, destination, clock } = throttledFor(1);
  for (let second = 0; second < 10; second++) {
    shipper.accept(record(`${second}`));
    await clock.advance(1000);
  }
  shipper.accept(record('last'));
  await clock.advance(1000);
  expect(destination.texts.at(-1)).toBe('last');
});

it('forgets throttling while nothing is logged', async () => {
  const { shipper, destination, clock } = await throttledAlready();
  await clock.advance(3_600_000);
  shipper.accept(record('later'));
  await clock.advance(1000);
  expect(destination.texts).toEqual(['later']);
});

it('lets only the batches of a throttled route wait for others', async () => {
  const { shipper, destination, clock } = throttledFor(3, {}, 'hot');
  const arrivals: number[] = [];
  for (let second = 0; second < 20; second++) {
    for (const level of ['hot', 'cool']) shipper.accept(record(level, { level }));
    await clock.advance(1000);
    arrivals.push(destination.texts.filter((text) => text === 'cool').length);
  }
  expect(arrivals).toEqual(arrivals.map((_, second) => second + 1));
});

it('drops no record as buffer-full because batches wait for others: they go once half of the budget is used', async () => {
  const { shipper, destination, clock, drops } = await throttledAlready({ maxBufferBytes: 32 * 1024 });
  const log = async (records: number, everyMs: number): Promise<void> => {
    for (let i = 0; i < records; i++) {
      shipper.accept(record('x'.repeat(1000)));
      await clock.advance(everyMs);
    }
  };
  await log(10, 100);
  expect(destination.attempts).toEqual([]);
  // They would fill the budget before their own batch is due.
  await log(22, 20);
  expect(drops).toEqual([]);
  await clock.advance(600);
  await log(60, 100);
  expect(drops).toEqual([]);
  await shipper.flush();
  assertBalanced(shipper.stats());
});

it('does not let ready() wait for batches that wait for others', async () => {
  const { shipper, clock } = await throttledAlready({ maxBufferBytes: 32 * 1024 });
  const startMs = clock.monotonic();
  for (let portion = 0; portion < 5; portion++) {
    for (let i = 0; i < 20; i++) shipper.accept(record('x'.repeat(1000)));
    const ready = shipper.ready();
    await clock.advance(10);
    await ready;
  }
  expect(clock.monotonic() - startMs).toBeLessThan(100);
  expect(shipper.stats().dropped['buffer-full']).toBe(0);
});

it('sends what fills a request at once, though more batches are sealed behind it', async () => {
  const { shipper, destination, clock } = await throttledAlready({ maxBatchEvents: 10 });
  const day = 86_400_000;
  const time = Date.UTC(2025, 11, 20);
  // Each day has a batch of its own, and none joins that of another day.
  for (let i = 0; i < 3; i++) shipper.accept(record(`day ${i}`, { time: time + i * 2 * day }));
  await clock.advance(1000);
  expect(destination.texts).toContain('day 0');
  expect(destination.texts).toContain('day 1');
});

it('does not prolong the wait of a batch by those that are sealed while it has no slot', async () => {
  const { shipper, destination, clock } = await throttledAlready({ concurrency: 1 });
  let answer = (): void => {};
  destination.respond = ({ route }) =>
    route === 'slow' ? new Promise((resolve) => (answer = () => resolve(accepted))) : accepted;
  shipper.accept(record('first'));
  await clock.advance(1000);
  shipper.accept(record('slow', { level: 'slow' }));
  for (let second = 0; second < 20; second++) {
    await clock.advance(1000);
    shipper.accept(record(`${second}`));
  }
  answer();
  await clock.advance(1);
  expect(destination.texts).toContain('first');
});

it('sends all requests that are full before the last batch waits for others', async () => {
  const { shipper, destination, clock } = await throttledAlready({ maxBatchEvents: 10, concurrency: 1 });
  let answer = (): void => {};
  destination.respond = ({ route }) =>
    route === 'slow' ? new Promise((resolve) => (answer = () => resolve(accepted))) : accepted;
  shipper.accept(record('slow', { level: 'slow' }));
  await clock.advance(1000);
  for (let second = 0; second < 4; second++) {
    for (let i = 0; i < 6; i++) shipper.accept(record('x'));
    await clock.advance(1000);
  }
  answer();
  await clock.advance(1);
  // Three requests of one batch each could not take another; the last waits for others.
  expect(destination.texts.filter((text) => text === 'x').length).toBe(18);
});

it('lets the backoffs of failures and of throttling grow while a service fails and throttles by turns', async () => {
  const { shipper, destination, clock } = start({ retry: { maxAgeMs: 7_200_000 } });
  let turn = 0;
  destination.respond = async () => {
    throw turn++ % 2 === 0 ? unavailable : throttled;
  };
  for (let route = 0; route < 20; route++) shipper.accept(record('x', { level: `route ${route}` }));
  await clock.advance(600_000);
  const { length } = destination.attempts;
  await clock.advance(600_000);
  expect(destination.attempts.length - length).toBeLessThan(60);
});

it('keeps nothing of the wait once a batch has gone, and sets no timer for it again and again', async () => {
  const { shipper, clock } = await throttledAlready();
  for (let i = 0; i < 100; i++) shipper.accept(record('x', { level: `route ${i}` }));
  await clock.advance(60_000);
  expect(shipper.stats().pending).toBe(0);
  expect(clock.timers).toBe(0);
});

it('sends at once what a frozen process flushes at the end of each invocation, while the service throttles', async () => {
  const { shipper, destination, clock } = await throttledAlready();
  for (let invocation = 1; invocation <= 5; invocation++) {
    shipper.accept(record(`${invocation}`));
    await shipper.flush({ timeoutMs: 1000 });
    expect(destination.stored).toHaveLength(invocation);
    await clock.standStill(60_000);
  }
});

it('sends on a flush all batches of a route that wait, also those that do not fit in one request', async () => {
  const { shipper, destination, clock } = await throttledAlready({ maxBatchEvents: 10, concurrency: 1 });
  let answer = (): void => {};
  destination.respond = ({ route }) =>
    route === 'slow' ? new Promise((resolve) => (answer = () => resolve(accepted))) : accepted;
  shipper.accept(record('slow', { level: 'slow' }));
  await clock.advance(1000);
  for (const text of ['a', 'b']) {
    for (let i = 0; i < 6; i++) shipper.accept(record(text));
    await clock.advance(1000);
  }
  const flushed = shipper.flush();
  answer();
  await clock.advance(1);
  expect((await flushed).pending).toBe(0);
});

it('delivers within close() what waits for others', async () => {
  const { shipper, destination, clock } = await throttledAlready();
  shipper.accept(record('first'));
  await clock.advance(1000);
  expect(destination.texts).toEqual([]);
  shipper.accept(record('second'));
  const closing = shipper.close();
  await clock.advance(1);
  await closing;
  expect(destination.texts).toEqual(['first', 'second']);
  assertBalanced(shipper.stats());
});

it('keeps the order of a route whose batches wait for others', async () => {
  const { shipper, destination, clock } = await throttledAlready({ ordered: true });
  for (let second = 0; second < 20; second++) {
    shipper.accept(record(`${second}`));
    await clock.advance(1000);
  }
  await shipper.flush();
  expect(destination.texts).toEqual(Array.from({ length: 20 }, (_, second) => `${second}`));
});

it('holds batches no longer after a time in which the process stood still', async () => {
  const { shipper, destination, clock } = await throttledAlready();
  shipper.accept(record('x'));
  await clock.advance(1000);
  await clock.standStill(3_600_000);
  expect(destination.texts).toEqual(['x']);
});

it('lets batches wait for others with maxDelayMs: 0, too, for retry.throttledBaseMs', async () => {
  const { shipper, destination, clock } = await throttledAlready({ maxDelayMs: 0, retry: { throttledBaseMs: 2000 } });
  for (let i = 0; i < 10; i++) {
    shipper.accept(record(`${i}`));
    await clock.advance(100);
  }
  expect(destination.attempts).toEqual([]);
  await clock.advance(20_000);
  expect(destination.attempts).toHaveLength(1);
  expect(destination.stored).toHaveLength(10);
});

it('waits for others no longer when the service has asked for a wait that is over', async () => {
  const destination = new RecordingDestination();
  let left = 3;
  destination.respond = async () => {
    if (left-- > 0) throw new DeliveryError('THROTTLED', 'slow down', { retryAfterMs: 10_000 });
    return accepted;
  };
  const { shipper, clock } = start({}, { destination });
  shipper.accept(record('first'));
  await clock.advance(1000);
  for (let second = 0; second < 29; second++) {
    shipper.accept(record(`${second}`));
    await clock.advance(1000);
  }
  expect(destination.stored).toEqual([]);
  await clock.advance(1000);
  // What came meanwhile has waited long enough, and goes with the first request that may, or right after it.
  expect(destination.texts).toContain('first');
  expect(destination.texts).toContain('20');
});

it('sends the batches of 10,000 throttled routes', async () => {
  const routes = 10_000;
  const { shipper, destination, clock } = throttledFor(3 * routes, { maxRoutes: routes, concurrency: 50 });
  for (let i = 0; i < routes; i++) shipper.accept(record('x', { level: `route ${i}` }));
  for (let minute = 0; minute < 60 && shipper.stats().pending > 0; minute++) await clock.advance(60_000);
  expect(destination.stored).toHaveLength(routes);
});

it('does not let the rest of a batch that is cut to size wait with newer ones for others', async () => {
  const { shipper, destination, clock } = await throttledAlready({ concurrency: 1, maxBatchEvents: 100 });
  destination.respond = async ({ events }) => {
    if (events.length > 10) throw new DeliveryError('TOO_LARGE', 'too large');
    return accepted;
  };
  const day = 86_400_000;
  const log = (records: number, time: number): void => {
    for (let i = 0; i < records; i++) shipper.accept(record('old', { time }));
  };
  // It learns the size that passes.
  log(20, clock.now());
  await shipper.flush();
  destination.stored.length = 0;
  let answer = (): void => {};
  const { respond } = destination;
  destination.respond = () => new Promise((resolve) => (answer = () => resolve(accepted)));
  shipper.accept(record('slow', { level: 'slow' }));
  await clock.advance(1000);
  log(20, clock.now() - day);
  await clock.advance(60_000);
  shipper.accept(record('new', { time: clock.now() + 60_000 }));
  await clock.advance(1000);
  destination.respond = respond;
  answer();
  await clock.advance(1);
  expect(destination.texts.filter((text) => text === 'old')).toHaveLength(20);
});

it('lets no batch wait for others while memory is scarce, also not those behind a request that is full', async () => {
  const { shipper, destination, clock } = await throttledAlready({
    concurrency: 3,
    maxBatchEvents: 10,
    maxBufferBytes: 64 * 1024,
    requestTimeoutMs: 60_000,
  });
  for (const level of ['x', 'y', 'z']) shipper.accept(record('first', { level }));
  await shipper.flush();
  await clock.advance(1);
  destination.attempts.length = 0;
  const responds: (() => void)[] = [];
  destination.respond = () => new Promise((resolve) => responds.push(() => resolve(accepted)));
  for (const level of ['x', 'y', 'z']) shipper.accept(record('busy', { level }));
  await clock.advance(1000);
  for (let i = 0; i < 14; i++) shipper.accept(record(String(i).padEnd(3000, '.')));
  await clock.advance(1000);
  // Who waits for room logs nothing more.
  void shipper.ready();
  await clock.advance(1);
  for (const respond of responds.splice(0)) respond();
  await clock.advance(0);
  expect(destination.attempts.map(({ events }) => events.length)).toEqual([1, 1, 1, 10, 4]);
});
