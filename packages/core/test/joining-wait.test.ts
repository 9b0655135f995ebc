import { expect, it } from 'vitest';
import { DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const throttled = new DeliveryError('THROTTLED', 'slow down');
const unavailable = new DeliveryError('UNAVAILABLE', 'down');

/** A shipper that gets a record each second, and how many records each request since then had. */
function steady(answers: readonly DeliveryError[], options = {}) {
  const destination = new RecordingDestination();
  const left = [...answers];
  const sizes: number[] = [];
  destination.respond = async (batch) => {
    const error = left.shift();
    if (error) throw error;
    sizes.push(batch.events.length);
    return accepted;
  };
  const { shipper, clock } = start({ maxDelayMs: 1000, ...options }, { destination });
  const run = async (seconds: number, recordsPerSecond = 1): Promise<readonly number[]> => {
    sizes.length = 0;
    for (let second = 0; second < seconds; second++) {
      for (let i = 0; i < recordsPerSecond; i++) shipper.accept(record('x'));
      await clock.advance(1000);
    }
    return [...sizes];
  };
  return { shipper, destination, clock, run };
}

it('joins more records in a request while the service throttles, and fewer again when it has not throttled for a while', async () => {
  const { run } = steady([throttled, throttled]);
  await run(5);
  expect((await run(15)).length).toBeLessThan(10);
  await run(30);
  expect(Math.max(...(await run(20)))).toBe(1);
});

it('waits no longer than retry.capMs for records to join', async () => {
  const { run } = steady(Array(10).fill(throttled), { retry: { capMs: 5000 } });
  await run(60);
  const largest = Math.max(...(await run(20)));
  expect(largest).toBeGreaterThan(2);
  expect(largest).toBeLessThanOrEqual(5);
});

it('does not let records wait that fill a request', async () => {
  const { run } = steady([throttled, throttled, throttled], { maxBatchEvents: 10 });
  await run(30);
  const [, ...full] = await run(10, 10);
  expect(full.length).toBeGreaterThan(7);
  expect(new Set(full)).toEqual(new Set([10]));
});

it('sends at once on a flush what waits for others to join', async () => {
  const { shipper, destination, clock, run } = steady([throttled, throttled]);
  await run(10);
  for (let i = 0; i < 3; i++) shipper.accept(record('x'));
  await clock.advance(1000);
  expect(shipper.stats().pending).toBeGreaterThan(0);
  await shipper.flush();
  expect(shipper.stats().pending).toBe(0);
  expect(destination.stored).toHaveLength(13);
});

it('backs off anew when the service throttles after an outage: it is there again', async () => {
  const { shipper, run } = steady([...Array(12).fill(unavailable), throttled], { retry: { maxAgeMs: 7_200_000 } });
  const { requests } = await untilThrottled(shipper, run);
  await run(4);
  expect(shipper.stats().requests).toBeGreaterThan(requests);
  expect(shipper.stats().delivered).toBeGreaterThan(0);
});

async function untilThrottled(
  shipper: ReturnType<typeof start>['shipper'],
  run: (seconds: number) => Promise<unknown>,
): Promise<{ readonly requests: number }> {
  for (let seconds = 0; seconds < 1000; seconds++) {
    const stats = shipper.stats();
    if (stats.lastError?.code === 'THROTTLED') return stats;
    await run(1);
  }
  throw new Error('the service was not asked again');
}

it('joins more records in a request after an outage, when all processes come back', async () => {
  const { shipper, run } = steady(Array(6).fill(unavailable), { retry: { throttledBaseMs: 4000 } });
  for (let seconds = 0; seconds < 60 && shipper.stats().delivered === 0; seconds++) await run(1);
  expect((await run(8)).length).toBeLessThan(6);
  await run(20);
  expect((await run(20)).length).toBeGreaterThan(18);
});
