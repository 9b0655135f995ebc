import { expect, it } from 'vitest';
import { record } from './support/events.js';
import { start } from './support/shipper.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

it('delivers all records in one signed request, with a body that the SDK did not make', async () => {
  const { emulator, shipper, stored } = await start();
  const texts = ['plain', 'größe', '漢字 😀', '"quoted" \\ \n\t\u0000', '{"level":30,"msg":"json"}'];
  for (const text of texts) shipper.accept(record(text));
  await shipper.flush();
  expect(stored()).toEqual(texts);
  expect(emulator.stats().acceptedPuts).toBe(1);
  expect(emulator.events()[0]).toMatchObject({ logGroupName: 'shop', logStreamName: 'web' });
  expect(shipper.stats()).toMatchObject({ delivered: 5, retries: { AGAIN: 1 } });
});

it('fills a batch to exactly the byte limit', async () => {
  const { emulator, shipper } = await start();
  const half = 'é'.repeat((1_048_576 / 2 - 26) / 2);
  shipper.accept(record(half));
  shipper.accept(record(half));
  await shipper.flush();
  expect(emulator.stats().largestBatch).toEqual({ events: 2, bytes: 1_048_576 });
  shipper.accept(record(half));
  shipper.accept(record(`${half}x`));
  await shipper.flush();
  expect(emulator.stats().acceptedPuts).toBe(3);
});

it('puts up to 10,000 events into a batch', async () => {
  const { emulator, shipper } = await start();
  for (let index = 0; index < 10_001; index++) shipper.accept(record('x'));
  await shipper.flush();
  expect(emulator.stats().largestBatch.events).toBe(10_000);
  expect(emulator.stats()).toMatchObject({ storedEvents: 10_001, acceptedPuts: 2 });
});

it('sends a message of 1,048,550 bytes unchanged, and shortens a larger one', async () => {
  const { shipper, stored } = await start();
  const largest = 'é'.repeat(1_048_550 / 2);
  shipper.accept(record(largest));
  shipper.accept(record(`${largest}x`));
  await shipper.flush();
  // Two concurrent requests may arrive in either order.
  const [shortened, ...others] = stored().filter((text) => text !== largest);
  expect(shortened).toMatch(/^é+… \[truncated from 1048551 bytes\]$/);
  expect([stored().length, others.length]).toEqual([2, 0]);
});

it('delivers control characters, which take six bytes each on the wire', async () => {
  const { shipper, stored } = await start();
  const text = '\u0001'.repeat(1_048_550);
  shipper.accept(record(text));
  await shipper.flush();
  expect(stored()[0] === text).toBe(true);
  expect(shipper.stats().wireBytes).toBeGreaterThan(6 * 1_048_550);
});

it('counts a split message as one record', async () => {
  const { shipper, stored } = await start({ oversize: 'split', maxEventBytes: 256 });
  const text = 'ab漢'.repeat(500);
  shipper.accept(record(text));
  await shipper.flush();
  expect(
    stored()
      .map((part) => part.replace(/^\[.+?\] /, ''))
      .join(''),
  ).toBe(text);
  expect(shipper.stats()).toMatchObject({ received: 1, delivered: 1 });
});

it('shortens an event that is larger than maxBatchBytes', async () => {
  const { emulator, shipper } = await start({ maxBatchBytes: 2048 });
  for (let index = 0; index < 50; index++) shipper.accept(record('x'.repeat(index * 100 + 1)));
  await shipper.flush();
  expect(emulator.stats().storedEvents).toBe(50);
  expect(emulator.stats().largestBatch.bytes).toBe(2048);
});

it('never sends an empty message or an empty batch', async () => {
  const { emulator, shipper, drops } = await start();
  expect(shipper.accept(record(''))).toBe(false);
  await shipper.flush();
  expect(emulator.stats().requests).toEqual({});
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1 }]);
});

it('sends events in order of time, and those of the same time in order of logging', async () => {
  const { shipper, stored } = await start();
  const now = Date.now();
  const offsets: [text: string, offsetMs: number][] = [
    ['c', 0],
    ['a', -1000],
    ['d', 0],
    ['b', -500],
    ['e', 0],
  ];
  for (const [text, offsetMs] of offsets) shipper.accept(record(text, { time: now + offsetMs }));
  await shipper.flush();
  expect(stored()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

it('never lets a batch span 24 hours', async () => {
  const { emulator, shipper } = await start();
  const now = Date.now();
  for (const age of [3 * DAY_MS, 2 * DAY_MS, DAY_MS, 1, 0]) shipper.accept(record('x', { time: now - age }));
  await shipper.flush();
  expect(emulator.stats()).toMatchObject({ storedEvents: 5, acceptedPuts: 4 });
});

it('counts events that the service rejects for their age, and sends nothing twice', async () => {
  const { emulator, shipper, drops, stored } = await start({ retentionInDays: 3 });
  const now = Date.now();
  shipper.accept(record('creates the group'));
  await shipper.flush();
  // Each batch spans less than 24 hours, so both sides of the border are in one batch.
  const aged: [text: string, ageMs: number][] = [
    ['expired', 14 * DAY_MS - HOUR_MS],
    ['expired', 3 * DAY_MS + HOUR_MS],
    ['good', 3 * DAY_MS - HOUR_MS],
    ['good', 0],
  ];
  for (const [text, age] of aged) shipper.accept(record(text, { time: now - age }));
  await shipper.flush();
  expect(stored()).toEqual(['creates the group', 'good', 'good']);
  expect(shipper.stats()).toMatchObject({ delivered: 3, rejected: 2, rejectedByReason: { expired: 2 } });
  expect(drops.flatMap(({ events }) => events.map(({ payload }) => JSON.parse(String(payload)).message))).toEqual([
    'expired',
    'expired',
  ]);
  expect(emulator.stats().requests.PutLogEvents).toBe(2 + 3);
});

it('does not repeat a batch of which the service rejects every event with HTTP 200', async () => {
  const { emulator, shipper } = await start({ retentionInDays: 3 });
  shipper.accept(record('creates the stream'));
  await shipper.flush();
  for (let index = 0; index < 5; index++) shipper.accept(record('expired', { time: Date.now() - 5 * DAY_MS }));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ delivered: 1, rejected: 5, rejectedByReason: { expired: 5 } });
  expect(emulator.stats().requests.PutLogEvents).toBe(3);
});

it('stores a record whose time is more than 14 days ago or 2 hours ahead, with the time now', async () => {
  const { emulator, shipper } = await start();
  const now = Date.now();
  const agesMs = [90 * DAY_MS, 14 * DAY_MS + HOUR_MS, 14 * DAY_MS - HOUR_MS, -HOUR_MS, -3 * HOUR_MS, -30 * DAY_MS];
  for (const age of agesMs) shipper.accept(record(`age ${age}`, { time: now - age }));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ delivered: 6, rejected: 0, redated: 4 });
  const times = new Map(emulator.events().map(({ message, timestamp }) => [message, timestamp]));
  for (const age of agesMs) {
    const expected = age < 14 * DAY_MS && age > -2 * HOUR_MS ? now - age : now;
    expect(times.get(`age ${age}`)).toBeGreaterThanOrEqual(expected);
    expect(times.get(`age ${age}`)).toBeLessThan(expected + 60_000);
  }
});
