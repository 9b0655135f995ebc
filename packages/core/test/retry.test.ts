import { expect, it } from 'vitest';
import { assertBalanced, type DeliveryCode, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start, watchAttempts } from './support/start.js';

/** A destination that throws these errors, one for each request, and then accepts. */
function failing(...codes: DeliveryError[]): RecordingDestination {
  const destination = new RecordingDestination();
  const left = [...codes];
  destination.respond = () => {
    const error = left.shift();
    if (error) throw error;
    return accepted;
  };
  return destination;
}

const error = (code: DeliveryCode, options = {}): DeliveryError =>
  new DeliveryError(code, `a ${code} for the test`, options);

/** The times of the attempts, in whole milliseconds after the first. */
async function attemptTimes(destination: RecordingDestination, random: number, options = {}): Promise<number[]> {
  const times: number[] = [];
  const { shipper, clock } = start({ maxDelayMs: 0, ...options }, { destination, random: () => random });
  const respond = destination.respond;
  destination.respond = (batch, signal) => {
    times.push(clock.monotonic());
    return respond(batch, signal);
  };
  shipper.accept(record('x'));
  await clock.advance(1_000_000);
  assertBalanced(shipper.stats());
  return times.map((time) => Math.round(time - (times[0] ?? 0)));
}

it.each([
  ['UNAVAILABLE', [200, 600, 1400]],
  ['NETWORK', [200, 600, 1400]],
  ['TIMEOUT', [200, 600, 1400]],
  ['THROTTLED', [1000, 3000, 7000]],
] as const)('retries %s with a backoff that doubles', async (code, times) => {
  const destination = failing(error(code), error(code), error(code));
  expect(await attemptTimes(destination, 0.999_999_9)).toEqual([0, ...times]);
});

it('draws the backoff between nothing and its ceiling: full jitter', async () => {
  expect(await attemptTimes(failing(error('UNAVAILABLE'), error('UNAVAILABLE')), 0)).toEqual([0, 0, 0]);
  expect(await attemptTimes(failing(error('UNAVAILABLE'), error('UNAVAILABLE')), 0.5)).toEqual([0, 100, 300]);
});

it('caps the backoff at retry.capMs', async () => {
  const destination = failing(...Array.from({ length: 5 }, () => error('UNAVAILABLE')));
  const retry = { baseMs: 100, capMs: 300 };
  expect(await attemptTimes(destination, 0.999_999_9, { retry })).toEqual([0, 100, 300, 600, 900, 1200]);
});

it('never retries sooner than the service asked', async () => {
  const destination = failing(error('THROTTLED', { retryAfterMs: 7000 }));
  expect(await attemptTimes(destination, 0)).toEqual([0, 7000]);
});

it.each(['AUTH', 'NOT_FOUND', 'MISCONFIGURED'] as const)('retries %s every 30 to 60 s', async (code) => {
  expect(await attemptTimes(failing(error(code)), 0)).toEqual([0, 30_000]);
  expect(await attemptTimes(failing(error(code)), 0.999_999_9)).toEqual([0, 60_000]);
});

it('repeats a batch once, and at once, when the destination throws AGAIN', async () => {
  expect(await attemptTimes(failing(error('AGAIN')), 0.999_999_9)).toEqual([0, 0]);
  expect(await attemptTimes(failing(error('AGAIN'), error('AGAIN')), 0.999_999_9)).toEqual([0, 0, 200]);
});

it('counts an AGAIN that is ambiguous, and does not tell it', async () => {
  const again = new DeliveryError('AGAIN', 'a used connection broke', { ambiguous: true });
  const errors: unknown[] = [];
  const { shipper, clock } = start({ onError: (error) => errors.push(error) }, { destination: failing(again) });
  shipper.accept(record('x'));
  await clock.advance(1000);
  expect(shipper.stats()).toMatchObject({ delivered: 1, ambiguous: 1, retries: { AGAIN: 1 } });
  expect(shipper.stats().lastError).toBeUndefined();
  expect(errors).toEqual([]);
});

it('repeats a batch at once for another AGAIN after a backoff', async () => {
  const destination = failing(error('AGAIN'), error('UNAVAILABLE'), error('AGAIN'));
  expect(await attemptTimes(destination, 0.999_999_9)).toEqual([0, 0, 200, 200]);
});

it('passes the same batch object to every attempt', async () => {
  const destination = failing(error('UNAVAILABLE'), error('AGAIN'));
  await attemptTimes(destination, 0);
  expect(destination.attempts).toHaveLength(3);
  expect(new Set(destination.attempts).size).toBe(1);
});

it('drops a record as expired when it still fails at retry.maxAgeMs', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw error('UNAVAILABLE');
  };
  const retry = { baseMs: 1000, capMs: 4000, maxAgeMs: 9000 };
  const times: number[] = [];
  const { shipper, clock, drops } = start({ maxDelayMs: 0, retry }, { destination, random: () => 0.999_999_9 });
  shipper.accept(record('x'));
  for (let second = 0; second < 20; second++) {
    await clock.advance(1000);
    times.push(destination.attempts.length);
  }
  expect(times.slice(0, 10)).toEqual([2, 2, 3, 3, 3, 3, 4, 4, 4, 4]);
  expect(drops).toMatchObject([{ reason: 'expired', records: 1 }]);
  expect(shipper.stats()).toMatchObject({ pending: 0, bufferBytes: 0 });
  assertBalanced(shipper.stats());
});

it('counts age on a clock that does not jump', async () => {
  const destination = failing(error('UNAVAILABLE'));
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  shipper.accept(record('x'));
  await clock.settle();
  clock.jump(365 * 86_400_000);
  await clock.advance(200);
  clock.jump(-2 * 365 * 86_400_000);
  expect(shipper.stats().delivered).toBe(1);
});

it('aborts an attempt at requestTimeoutMs and retries, even if the destination never settles', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => new Promise(() => {});
  const errors = watchAttempts();
  const { shipper, clock } = start({ maxDelayMs: 0, requestTimeoutMs: 5000 }, { destination });
  shipper.accept(record('x'));
  await clock.advance(4999);
  expect(destination.signals[0]?.aborted).toBe(false);
  destination.respond = () => accepted;
  await clock.advance(1 + 200);
  expect(destination.signals[0]?.aborted).toBe(true);
  expect(errors).toMatchObject([
    { code: 'TIMEOUT', ambiguous: true, message: 'recording: no response within 5000 ms' },
  ]);
  expect(shipper.stats()).toMatchObject({ delivered: 1, ambiguous: 1, inFlight: 0 });
});

it.each([
  ['TIMEOUT', 'to shop at 10.0.0.1:443: aborted'],
  ['NETWORK', 'to shop at 10.0.0.1:443: aborted: no response within 5000 ms'],
] as const)('reports the text of a destination that ends an aborted attempt with %s', async (code, message) => {
  const destination = new RecordingDestination();
  destination.respond = (_, signal) =>
    new Promise((_resolve, reject) => {
      const failure = new DeliveryError(code, 'to shop at 10.0.0.1:443: aborted', { ambiguous: true });
      signal.addEventListener('abort', () => reject(failure));
    });
  const errors = watchAttempts();
  const { shipper, clock } = start({ maxDelayMs: 0, requestTimeoutMs: 5000 }, { destination });
  shipper.accept(record('x'));
  await clock.advance(5000);
  expect(errors).toMatchObject([{ code: 'TIMEOUT', ambiguous: true, message }]);
});

it.each(['THROTTLED', 'AUTH', 'NOT_FOUND'] as const)(
  'keeps the code of a response (%s) whose rest did not come before the end of the attempt',
  async (code) => {
    const destination = new RecordingDestination();
    destination.respond = (_, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new DeliveryError(code, 'said'))),
      );
    const errors = watchAttempts();
    const { shipper, clock } = start({ maxDelayMs: 0, requestTimeoutMs: 5000 }, { destination });
    shipper.accept(record('x'));
    await clock.advance(5000);
    expect(errors).toMatchObject([{ code, ambiguous: false, message: 'said' }]);
  },
);

it('ignores the late response of an aborted attempt', async () => {
  const destination = new RecordingDestination();
  let respondLate = (): void => {};
  destination.respond = () => new Promise((resolve) => (respondLate = () => resolve(accepted)));
  const { shipper, clock } = start({ maxDelayMs: 0, requestTimeoutMs: 1000 }, { destination });
  shipper.accept(record('x'));
  await clock.advance(1000);
  destination.respond = () => accepted;
  respondLate();
  await clock.advance(1000);
  expect(shipper.stats()).toMatchObject({ received: 1, delivered: 1, pending: 0, requests: 2 });
  assertBalanced(shipper.stats());
});

it.each([
  ['throws something that is no DeliveryError', () => Promise.reject(new RangeError('a bug'))],
  ['throws before it returns a promise', () => JSON.parse('{')],
  ['resolves with nothing', () => undefined as never],
])('keeps the records and says so when a destination %s', async (_, bug) => {
  const destination = new RecordingDestination();
  const errors = watchAttempts();
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  const send = destination.send.bind(destination);
  destination.send = bug;
  shipper.accept(record('x'));
  await clock.advance(10);
  expect(errors).toMatchObject([{ code: 'UNAVAILABLE' }]);
  destination.send = send;
  await clock.advance(1000);
  expect(shipper.stats().delivered).toBe(1);
});

it('isolates one bad record among many by halving, loses exactly that one, and keeps the order', async () => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => {
    if (batch.events.some((event) => event.payload === '617')) throw error('INVALID');
    return accepted;
  };
  const { shipper, drops } = start({ ordered: true }, { destination });
  for (let i = 0; i < 1000; i++) shipper.accept(record(String(i)));
  await shipper.flush();
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1, events: [{ payload: '617' }] }]);
  expect(destination.texts).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)).filter((text) => text !== '617'));
  expect(destination.attempts.length).toBeLessThanOrEqual(2 * 10 + 4);
  expect(destination.violations).toEqual([]);
  assertBalanced(shipper.stats());
});

it('halves a batch that is too large, and drops a single record that is still too large', async () => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => {
    if (batch.bytes > 100) throw error('TOO_LARGE');
    return accepted;
  };
  const { shipper, drops } = start({}, { destination });
  for (const size of [20, 200, 20, 20, 20, 20]) shipper.accept(record('x'.repeat(size)));
  await shipper.flush();
  expect(drops).toMatchObject([{ reason: 'too-large', records: 1, events: [{ bytes: 210 }] }]);
  expect(destination.stored).toHaveLength(5);
  assertBalanced(shipper.stats());
});

it('reports events that the service rejects one by one, by reason, and never sends them again', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => ({
    rejected: [
      { index: 0, reason: 'too-old' },
      { index: 1, reason: 'too-old' },
      { index: 4, reason: 'too-new' },
      { index: 99, reason: 'invalid' },
    ],
    wireBytes: 77,
  });
  const { shipper, clock, drops } = start({}, { destination });
  for (let i = 0; i < 5; i++) shipper.accept(record(String(i), { time: i }));
  await clock.advance(100_000);
  expect(destination.attempts).toHaveLength(1);
  expect(drops).toMatchObject([
    { reason: 'too-old', records: 2, from: 0, to: 1, events: [{ payload: '0' }, { payload: '1' }] },
    { reason: 'too-new', records: 1, from: 4, to: 4, events: [{ payload: '4' }] },
  ]);
  const stats = shipper.stats();
  expect(stats).toMatchObject({
    delivered: 2,
    rejected: 3,
    rejectedByReason: { 'too-old': 2, 'too-new': 1 },
    wireBytes: 77,
  });
  assertBalanced(stats);
});

it('reports AUTH, NOT_FOUND and MISCONFIGURED at most once a minute', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw error('AUTH');
  };
  const { shipper, clock, errors } = start({ maxDelayMs: 0 }, { destination, random: () => 0 });
  shipper.accept(record('x'));
  await clock.advance(179_000);
  expect(destination.attempts).toHaveLength(6);
  expect(errors).toHaveLength(3);
});

it('counts a record once that was refused, waits for the search to end, and expires or is given up meanwhile', async () => {
  const destination = new RecordingDestination();
  let refusals = 9;
  destination.respond = () => (refusals-- > 0 ? Promise.reject(error('INVALID')) : new Promise(() => {}));
  const retry = { maxAgeMs: 10_000 };
  const { shipper, clock, drops } = start({ concurrency: 1, retry, requestTimeoutMs: 60_000 }, { destination });
  for (let i = 0; i < 16; i++) shipper.accept(record(String(i)));
  await clock.advance(20_000);
  void shipper.close();
  await clock.advance(5000);
  expect(drops.reduce((sum, drop) => sum + drop.records, 0)).toBe(16);
  expect(shipper.stats()).toMatchObject({ pending: 0, bufferBytes: 0 });
  assertBalanced(shipper.stats());
});
