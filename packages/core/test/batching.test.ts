import { expect, it } from 'vitest';
import { assertBalanced } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const DAY_MS = 86_400_000;

it('sends a lone record maxDelayMs after it was accepted', async () => {
  const { shipper, destination, clock } = start({ maxDelayMs: 1000 });
  shipper.accept(record('a'));
  await clock.advance(999);
  expect(destination.attempts).toHaveLength(0);
  await clock.advance(1);
  expect(destination.texts).toEqual(['a']);
});

it('does not let later records prolong the wait of the first', async () => {
  const { shipper, destination, clock } = start({ maxDelayMs: 1000 });
  for (let i = 0; i < 10; i++) {
    shipper.accept(record(String(i)));
    await clock.advance(150);
  }
  expect(destination.attempts[0]?.events.map((event) => event.payload)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
});

it('seals a batch at maxEvents and sends it in the next turn, without waiting for the timer', async () => {
  const { shipper, destination, clock } = start({ maxBatchEvents: 3 });
  for (const text of ['a', 'b', 'c', 'd']) shipper.accept(record(text));
  expect(destination.attempts).toHaveLength(0);
  await clock.settle();
  expect(destination.attempts.map((batch) => batch.events.length)).toEqual([3]);
});

it('seals a batch before a record would break the byte limit, and fills it to the last byte', async () => {
  const { shipper, destination, clock } = start({ maxBatchBytes: 1024 });
  shipper.accept(record('x'.repeat(502)));
  shipper.accept(record('y'.repeat(502)));
  shipper.accept(record('z'));
  await clock.advance(1000);
  expect(destination.attempts.map((batch) => batch.bytes)).toEqual([1024, 11]);
  expect(destination.violations).toEqual([]);
});

it('counts baseBytes of the route', async () => {
  const destination = new RecordingDestination({ maxBytes: 2000, baseBytes: (route) => route.length * 100 });
  const { shipper, clock } = start({}, { destination });
  for (let i = 0; i < 4; i++) shipper.accept(record('x'.repeat(490), { level: 'sixsix' }));
  await clock.advance(1000);
  expect(destination.attempts.map((batch) => [batch.bytes, batch.events.length])).toEqual([
    [1600, 2],
    [1600, 2],
  ]);
  expect(destination.violations).toEqual([]);
});

it('never lets a batch span more time than the limit when time jumps forward or backward', async () => {
  const { shipper, destination, clock } = start();
  const base = Date.UTC(2026, 0, 10);
  const jumps = [0, DAY_MS - 1, DAY_MS, -1, 3 * DAY_MS, 0, DAY_MS / 2, 3 * DAY_MS + 1];
  for (const jump of jumps) shipper.accept(record('x', { time: base + jump }));
  await clock.advance(1000);
  expect(destination.violations).toEqual([]);
  expect(destination.stored).toHaveLength(jumps.length);
  expect(destination.attempts.length).toBeLessThan(jumps.length - 2);
});

it('batches records of several windows of time side by side: interleaved days cost a request each, not one a record', async () => {
  const { shipper, destination } = start();
  const base = Date.UTC(2026, 0, 10, 12);
  for (let i = 0; i < 10_000; i++) shipper.accept(record(String(i), { time: base + i - (i % 2) * 3 * DAY_MS }));
  expect(await shipper.flush()).toMatchObject({ delivered: 10_000 });
  expect(destination.violations).toEqual([]);
  expect(destination.attempts).toHaveLength(2);
});

it('keeps at most 16 open batches of a route, and seals the oldest for another window', async () => {
  const { shipper, destination, clock } = start();
  const base = Date.UTC(2026, 0, 10, 12);
  for (let day = 0; day < 20; day++) shipper.accept(record(String(day), { time: base + day * DAY_MS }));
  await clock.settle();
  expect(destination.texts).toEqual(['0', '1', '2', '3']);
});

it('each open batch of a route keeps maxDelayMs, and the budget counts each', async () => {
  const { shipper, destination, clock } = start();
  const base = Date.UTC(2026, 0, 10, 12);
  shipper.accept(record('a', { time: base }));
  await clock.advance(600);
  shipper.accept(record('b', { time: base + 2 * DAY_MS }));
  expect(shipper.stats().bufferBytes).toBe(2 * (1536 + 41));
  await clock.advance(400);
  expect(destination.texts).toEqual(['a']);
  await clock.advance(600);
  expect(destination.texts).toEqual(['a', 'b']);
});

it('lets a lone batch wait for the part of maxDelayMs that chance decides, at least half, unless that cost a request lately', async () => {
  const { shipper, destination, clock } = start({}, { random: () => 0.5 });
  const sentAtMs: number[] = [];
  destination.respond = async () => {
    sentAtMs.push(clock.monotonic());
    return accepted;
  };
  const logAt = async (atMs: number): Promise<void> => {
    await clock.advance(atMs - clock.monotonic());
    shipper.accept(record('x'));
  };
  for (const atMs of [0, 700, 2000, 2800, 4900, 18_700, 18_800]) await logAt(atMs);
  await clock.advance(5000);
  // The record at 2800 could have gone with that of 2000. Up to 18,800 the next wait for all of maxDelayMs.
  expect(sentAtMs).toEqual([750, 2750, 3800, 5900, 19_700]);
  await logAt(30_000);
  await clock.advance(5000);
  expect(sentAtMs.at(-1)).toBe(30_750);
  expect(destination.stored).toHaveLength(8);
});

it('lets a record that comes just when maxDelayMs is over go with the batch before it, and seals none early meanwhile', async () => {
  const { shipper, destination, clock } = start({}, { random: () => 0 });
  let isLogging = true;
  const log = (): void => {
    if (!isLogging) return;
    shipper.accept(record('x'));
    clock.setTimer(log, 1000);
  };
  log();
  await clock.advance(16_900);
  isLogging = false;
  await clock.advance(1000);
  // The first was sealed early. From then on each has two.
  expect(destination.attempts.length).toBe(9);
});

it('lets no batch wait shorter beside others that are open', async () => {
  const { shipper, destination, clock } = start({}, { random: () => 0 });
  for (const level of ['alone', 'beside']) {
    shipper.accept(record(level, { level }));
    await clock.advance(100);
  }
  await clock.advance(300);
  expect(destination.texts).toEqual(['alone']);
  await clock.advance(599);
  expect(destination.texts).toEqual(['alone']);
  await clock.advance(1);
  expect(destination.texts).toEqual(['alone', 'beside']);
});

it('sorts a batch by time and keeps the order of acceptance among equal times', async () => {
  const { shipper, destination, clock } = start();
  for (const [text, time] of [
    ['c1', 30],
    ['a1', 10],
    ['c2', 30],
    ['b1', 20],
    ['a2', 10],
  ] as const) {
    shipper.accept(record(text, { time }));
  }
  await clock.advance(1000);
  expect(destination.texts).toEqual(['a1', 'a2', 'b1', 'c1', 'c2']);
});

it('keeps routes apart, each with its own batch', async () => {
  const { shipper, destination, clock } = start();
  for (const level of ['info', 'warn', 'info']) shipper.accept(record(level, { level }));
  await clock.advance(1000);
  expect(destination.attempts.map((batch) => [batch.route, batch.events.length])).toEqual([
    ['info', 2],
    ['warn', 1],
  ]);
  expect(destination.violations).toEqual([]);
});

it('forgets idle routes: more routes than the limit of live routes pass through, one after another', async () => {
  const { shipper, destination, clock } = start({ maxDelayMs: 10 });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5000; i++) expect(shipper.accept(record('x', { level: `${round}/${i}` }))).toBe(true);
    await shipper.flush();
  }
  await clock.settle();
  expect(destination.stored).toHaveLength(15_000);
});

it('drops a record as too-many-routes when ten thousand routes are live', async () => {
  const { shipper, clock, drops } = start();
  for (let i = 0; i < 10_000; i++) shipper.accept(record('x', { level: `route ${i}` }));
  expect(shipper.accept(record('x', { level: 'one more' }))).toBe(false);
  expect(shipper.accept(record('x', { level: 'route 7' }))).toBe(true);
  await clock.settle();
  expect(drops).toMatchObject([{ reason: 'too-many-routes', records: 1 }]);
  assertBalanced(shipper.stats());
});

it('counts a route once while it has records that wait and others in flight, and no more when they are settled', async () => {
  const { shipper, destination, clock, drops } = start({ maxRoutes: 2, maxDelayMs: 10 });
  const log = (route: string): boolean => shipper.accept(record(route, { level: route }));
  let answer = (): void => {};
  destination.respond = () =>
    new Promise((resolve) => {
      answer = () => resolve(accepted);
    });
  expect(log('a')).toBe(true);
  await clock.advance(10);
  expect(destination.inFlight).toBe(1);
  // One record of it waits while another is in flight.
  expect([log('a'), log('b'), log('c'), log('a'), log('b')]).toEqual([true, true, false, true, true]);
  await clock.settle();
  expect(drops).toMatchObject([{ reason: 'too-many-routes', records: 1, cause: expect.any(Error) }]);
  destination.respond = () => accepted;
  answer();
  await shipper.flush();
  expect([log('c'), log('d'), log('a')]).toEqual([true, true, false]);
  await shipper.flush();
  assertBalanced(shipper.stats());
});

it('frees the route of records that drop-oldest evicts', async () => {
  const { shipper } = start({ maxRoutes: 2, maxBufferBytes: 8192, overflow: 'drop-oldest', dropNotice: false });
  const log = (route: string, bytes: number): boolean => shipper.accept(record('x'.repeat(bytes), { level: route }));
  expect([log('a', 500), log('b', 4500)]).toEqual([true, true]);
  expect(shipper.stats().dropped['buffer-full']).toBe(1);
  expect([log('c', 10), log('d', 10)]).toEqual([true, false]);
  await shipper.flush();
  assertBalanced(shipper.stats());
});

it('has as many routes as the destination says, unless the option says otherwise', async () => {
  const make = () => Object.assign(new RecordingDestination(), { maxRoutes: 1 });
  for (const [options, most] of [
    [{}, 1],
    [{ maxRoutes: 3 }, 3],
  ] as const) {
    const { shipper } = start(options, { destination: make() });
    const taken = ['a', 'b', 'c', 'd'].filter((level) => shipper.accept(record('x', { level })));
    expect(taken).toHaveLength(most);
    await shipper.close();
  }
});

it('takes 15,000 tiny records in one turn without breaking the limit of events', async () => {
  const { shipper, destination } = start();
  for (let i = 0; i < 15_000; i++) shipper.accept(record('x'));
  const report = await shipper.flush();
  expect(destination.attempts.map((batch) => batch.events.length)).toEqual([10_000, 5000]);
  expect(report.delivered).toBe(15_000);
  expect(destination.violations).toEqual([]);
});

it('drops an event that is larger than a batch as too-large', async () => {
  const { shipper, clock, drops } = start({ maxBatchBytes: 1024 });
  expect(shipper.accept(record('x'.repeat(1014)))).toBe(true);
  expect(shipper.accept(record('x'.repeat(1015)))).toBe(false);
  await clock.settle();
  expect(drops).toMatchObject([{ reason: 'too-large', records: 1 }]);
  assertBalanced(shipper.stats());
});
