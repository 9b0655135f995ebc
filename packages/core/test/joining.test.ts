import { expect, it } from 'vitest';
import { assertBalanced, type Batch, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { type Started, start } from './support/start.js';

function down(): never {
  throw new DeliveryError('NETWORK', 'connect ECONNREFUSED');
}

/** Logs one record a second, with the number of the second. */
async function logEachSecond({ shipper, clock }: Started, seconds: number, from = 0): Promise<void> {
  for (let second = from; second < from + seconds; second++) {
    shipper.accept(record(String(second), { time: clock.now() }));
    await clock.advance(1000);
  }
}

it.each([false, true])(
  '600 records, one a second in an outage, arrive in at most 5 requests (ordered: %s)',
  async (ordered) => {
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const started = start({ ordered }, { random });
    const { shipper, destination, clock } = started;
    destination.respond = down;
    await logEachSecond(started, 600);
    destination.respond = () => accepted;
    const before = destination.attempts.length;
    await clock.advance(30_000);
    expect(destination.attempts.length - before).toBeLessThanOrEqual(5);
    expect(destination.stored.map(({ payload }) => Number(payload)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 600 }, (_, second) => second),
    );
    expect(shipper.stats()).toMatchObject({ delivered: 600, pending: 0, bufferBytes: 0 });
    expect(destination.violations).toEqual([]);
  },
);

it('keeps what waits in an outage in few batches, whose memory is counted', async () => {
  const started = start();
  const { shipper, destination } = started;
  destination.respond = down;
  await logEachSecond(started, 400);
  const { bufferBytes, pending } = shipper.stats();
  expect(pending).toBe(400);
  // A record takes its text and 40 bytes, a batch 1,536. One takes in the records of a sixteenth of retry.maxAgeMs.
  expect(bufferBytes).toBeLessThan(400 * 43 + 12 * 1536);
  expect(bufferBytes).toBeGreaterThan(400 * 41 + 7 * 1536);
});

it('drops the oldest record first with overflow drop-oldest, though the batches of its route wait as one', async () => {
  const options = { overflow: 'drop-oldest', maxBufferBytes: 16_384, concurrency: 1, requestTimeoutMs: 1e9 } as const;
  const { shipper, destination, clock, drops } = start(options);
  destination.respond = () => new Promise(() => {});
  shipper.accept(record('slow', { level: 'slow' }));
  await clock.advance(1000);
  for (let i = 0; i < 40; i++) {
    shipper.accept(record(String(i).padEnd(300, '.'), { level: i % 5 === 0 ? 'other' : 'info' }));
    await clock.advance(2000);
  }
  const dropped = drops.flatMap(({ events }) => events.map(({ payload }) => Number.parseInt(String(payload), 10)));
  expect(dropped.length).toBeGreaterThan(10);
  expect(dropped).toEqual([...dropped].sort((a, b) => a - b));
});

it('joins what came before and after flushes, which may be of every record', async () => {
  const { shipper, destination, clock } = start();
  destination.respond = down;
  for (let i = 0; i < 20; i++) {
    shipper.accept(record(String(i), { time: i }));
    const flushed = shipper.flush({ timeoutMs: 100 });
    await clock.advance(100);
    await flushed;
    await clock.advance(10_000);
  }
  destination.respond = () => accepted;
  const { length } = destination.attempts;
  await clock.advance(60_000);
  expect(shipper.stats().pending).toBe(0);
  expect(destination.attempts.length - length).toBeLessThanOrEqual(5);
});

it('joins the records of callers that each log one and flush it', async () => {
  const { shipper, destination, clock } = start();
  destination.respond = () => new Promise((resolve) => void clock.setTimer(() => resolve(accepted), 300));
  const flushes: Promise<unknown>[] = [];
  for (let i = 0; i < 500; i++) {
    shipper.accept(record(String(i), { time: i }));
    flushes.push(shipper.flush());
    await clock.advance(20);
  }
  await clock.advance(1000);
  await Promise.all(flushes);
  expect(destination.attempts.length).toBeLessThan(150);
});

it('delivers in close() what was flushed record by record in an outage', async () => {
  const { shipper, destination, clock } = start();
  destination.respond = down;
  for (let i = 0; i < 300; i++) {
    shipper.accept(record(String(i), { time: i }));
    void shipper.flush();
    await clock.advance(50);
  }
  destination.respond = () => new Promise((resolve) => void clock.setTimer(() => resolve(accepted), 300));
  const closed = shipper.close();
  await clock.advance(6000);
  expect((await closed).dropped.undeliverable).toBe(0);
});

it('does not let a batch that could go wait for one that backs off, since another joined it', async () => {
  const { shipper, destination, clock } = start({ retry: { maxAgeMs: 3_600_000 } });
  destination.respond = ({ events }) => (events.some(({ payload }) => payload === 'never') ? down() : accepted);
  const time = clock.now();
  shipper.accept(record('never', { time }));
  await clock.advance(1000);
  for (let i = 1; i <= 60; i++) {
    shipper.accept(record(String(i), { time: time + (i % 2 === 0 ? i : -i) }));
    await clock.advance(1000);
  }
  await clock.advance(600_000);
  expect(shipper.stats()).toMatchObject({ delivered: 60, pending: 1 });
});

it('joins what waits for a slot, in order of acceptance within a millisecond', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ concurrency: 1, maxDelayMs: 0 }, { destination });
  let respond = (): void => {};
  destination.respond = () => new Promise((resolve) => (respond = () => resolve(accepted)));
  for (const [text, time] of [
    ['a', 5],
    ['b', 7],
    ['c', 6],
    ['d', 7],
    ['e', 6],
  ] as const) {
    shipper.accept(record(text, { time }));
    await clock.settle();
  }
  respond();
  await clock.settle();
  expect(destination.attempts.map(payloadsOf)).toEqual([['a'], ['c', 'e', 'b', 'd']]);
});

it.each([
  ['events', { maxEvents: 3 }, [1, 3, 3]],
  // An event of one character has 11 bytes.
  ['bytes', { maxBytes: 25 }, [1, 2, 2, 2]],
  ['span of time', { maxSpanMs: 2 }, [1, 3, 3]],
])('joins no more %s than a request takes', async (_, limits, sizes) => {
  const destination = new RecordingDestination(limits);
  const { shipper, clock } = start({ concurrency: 1, maxDelayMs: 0 }, { destination });
  let respond = (): void => {};
  destination.respond = () => new Promise((resolve) => (respond = () => resolve(accepted)));
  for (let i = 0; i < 7; i++) {
    shipper.accept(record(String(i), { time: i }));
    await clock.settle();
  }
  for (let i = 0; i < 7; i++) {
    respond();
    await clock.settle();
  }
  expect(destination.attempts.map(({ events }) => events.length)).toEqual(sizes);
  expect(destination.violations).toEqual([]);
});

it('keeps a batch back that shares a millisecond with one that has joined the batch before it', async () => {
  const destination = new RecordingDestination({ maxEvents: 2 });
  const { shipper, clock } = start({ concurrency: 3, maxDelayMs: 0 }, { destination });
  const log = async (level: string, text: string, time: number): Promise<void> => {
    shipper.accept(record(text, { level, time }));
    await clock.settle();
  };
  // A route that has worked may have several requests in flight.
  for (const level of ['a', 'b', 'c']) await log(level, 'proof', 0);
  const responds: (() => void)[] = [];
  destination.respond = () => new Promise((resolve) => responds.push(() => resolve(accepted)));
  for (const level of ['a', 'b', 'c']) await log(level, 'busy', 0);
  for (const [text, time] of [
    ['first', 1],
    ['second', 5],
    ['third', 5],
  ] as const) {
    await log('a', text, time);
    await log('b', `beside the ${text}`, time);
  }
  for (const respond of responds) respond();
  await clock.settle();
  expect(destination.attempts.map(payloadsOf)).toContainEqual(['first', 'second']);
  expect(destination.attempts.map(payloadsOf)).not.toContainEqual(['third']);
  expect(responds).toHaveLength(5);
});

it('joins no batch that shares a millisecond with another one in flight', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ concurrency: 2, maxDelayMs: 0 }, { destination });
  const responds = new Map<string, () => void>();
  destination.respond = (batch) =>
    new Promise((resolve) => responds.set(payloadsOf(batch).join(), () => resolve(accepted)));
  const log = async (text: string, time: number, level = 'info'): Promise<void> => {
    shipper.accept(record(text, { time, level }));
    await clock.settle();
  };
  await log('proof', 1);
  responds.get('proof')?.();
  await clock.settle();
  await log('a', 7);
  await log('other', 7, 'other route');
  await log('b', 3);
  await log('c', 7);
  responds.get('other')?.();
  await clock.settle();
  expect(destination.attempts.map(payloadsOf)).toEqual([['proof'], ['a'], ['other'], ['b']]);
});

it('joins what is left of a batch whose oldest events were evicted', async () => {
  const destination = new RecordingDestination();
  const options = { concurrency: 1, maxDelayMs: 0, overflow: 'drop-oldest', maxBufferBytes: 13_500 } as const;
  const { shipper, clock, drops } = start(options, { destination });
  let respond = (): void => {};
  destination.respond = () =>
    new Promise((resolve) => {
      respond = () => resolve(accepted);
    });
  for (const texts of [['first'], ['a', 'b', 'c', 'd', 'e'], ['f', 'g', 'h', 'i', 'j']]) {
    for (const [time, text] of texts.entries())
      shipper.accept(record(text.padEnd(600, '.'), { time, urgent: 'abcde'.includes(text) }));
    await clock.settle();
  }
  respond();
  await clock.settle();
  const lost = drops.flatMap(({ events }) => events.map(({ payload }) => payload[0]));
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.length).toBeLessThan(3);
  const sent = (destination.attempts[1] as Batch).events.map(({ payload }) => payload[0]);
  expect(sent.sort()).toEqual([...'abcdefghij'].filter((text) => !lost.includes(text)));
  expect(destination.violations).toEqual([]);
  respond();
  await clock.settle();
  expect(shipper.stats()).toMatchObject({ pending: 0, bufferBytes: 0, delivered: 11 - lost.length });
});

it('retries a batch as it is: what waits joins another one', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ maxDelayMs: 0, concurrency: 1 }, { destination });
  destination.respond = () => (destination.attempts.length < 5 ? down() : accepted);
  shipper.accept(record('first'));
  await clock.settle();
  for (const text of ['second', 'third', 'fourth']) {
    shipper.accept(record(text));
    await clock.settle();
  }
  await clock.advance(60_000);
  const { attempts } = destination;
  const firsts = attempts.filter((batch) => payloadsOf(batch).includes('first'));
  expect(firsts.length).toBeGreaterThan(2);
  expect(new Set(firsts).size).toBe(1);
  expect(attempts.map(payloadsOf)).toEqual(expect.arrayContaining([['second'], ['third', 'fourth']]));
});

it.each(['NETWORK', 'THROTTLED', 'AUTH'] as const)(
  'tries two batches of a route that fails with %s, and no third',
  async (code) => {
    for (const jitter of [0.01, 0.3, 0.5, 0.999]) {
      let calls = 0;
      const started = start({}, { random: () => (calls++ % 3 === 0 ? jitter : 1 - jitter) });
      const { destination } = started;
      destination.respond = () => {
        throw new DeliveryError(code, 'for the test');
      };
      await logEachSecond(started, 300);
      expect(new Set(destination.attempts).size).toBeLessThanOrEqual(2);
    }
  },
);

it('tries two batches of a failing route in turn, so that one which always fails holds back no other', async () => {
  const destination = new RecordingDestination();
  const started = start({ retry: { maxAgeMs: 3_600_000 } }, { destination });
  destination.respond = (batch) => (payloadsOf(batch).includes('0') ? down() : accepted);
  await logEachSecond(started, 60);
  await started.clock.advance(60_000);
  expect(started.shipper.stats()).toMatchObject({ delivered: 59, pending: 1 });
});

it('gives the records of a joined batch the time of the youngest', async () => {
  const destination = new RecordingDestination();
  const started = start({ retry: { maxAgeMs: 60_000, capMs: 5000 } }, { destination });
  const { shipper, clock, drops } = started;
  destination.respond = down;
  await logEachSecond(started, 50);
  // The first two batches are tried until they are too old. Then the others are tried, as one batch.
  await clock.advance(50_000);
  destination.respond = () => accepted;
  await clock.advance(60_000);
  const lost = drops.reduce((sum, { records }) => sum + records, 0);
  expect(shipper.stats()).toMatchObject({ pending: 0, delivered: 50 - lost });
  expect(lost).toBeLessThan(10);
  assertBalanced(shipper.stats());
});

function payloadsOf({ events }: Batch): string[] {
  return events.map(({ payload }) => String(payload));
}
