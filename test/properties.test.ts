import { createCloudWatch } from '@logferry/cloudwatch';
import { assertBalanced, type Batch, createShipper, type Destination, type TextDestination } from '@logferry/core';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { full } from '../forms.js';
import { shipTo } from './support/clouds.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_BATCH_BYTES = 1_048_576;
const MAX_MESSAGE_BYTES = MAX_BATCH_BYTES - 26;

let cloud: CloudWatchEmulator;
beforeAll(async () => {
  cloud = await startCloudWatch({ strict: true });
});
afterAll(() => cloud.close());

/** Mostly small. Some are at or near the limit of a message, and of some sizes several fill a batch. */
const bytes = fc.oneof(
  { weight: 60, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 2, arbitrary: fc.integer({ min: MAX_MESSAGE_BYTES - 3, max: MAX_MESSAGE_BYTES + 3 }) },
  { weight: 2, arbitrary: fc.integer({ min: MAX_MESSAGE_BYTES / 2 - 30, max: MAX_MESSAGE_BYTES / 2 + 2 }) },
);
const unit = fc.constantFrom('x', '"', '\u0001', 'é', '中', '😀', '\ud800');
/** Mostly now. Others jump back, leave gaps of days, or are outside of the service's window. */
const age = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: -1000, max: 60_000 }) },
  fc.constantFrom(DAY_MS - 1, DAY_MS, DAY_MS + 1, 3 * DAY_MS, 13 * DAY_MS, -HOUR_MS, 15 * DAY_MS, -3 * HOUR_MS),
);
const records = fc.array(fc.record({ bytes, unit, age, repeat: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 10,
});
const oversize = fc.constantFrom('truncate', 'split', 'drop');
const maxBatchEvents = fc.constantFrom(1, 2, 3, 10_000);

it('any records make batches that the service accepts, and each is stored once or accounted for', async () => {
  const seen = { delivered: 0, redated: 0, 'too-large': 0, invalid: 0, split: 0, fullBatches: 0 };
  let run = 0;
  await fc.assert(
    fc.asyncProperty(records, oversize, maxBatchEvents, async (plan, policy, maxEvents) => {
      const logStreamName = `run-${run++}`;
      const destination = createCloudWatch({ ...shipTo(cloud), logStreamName, oversize: policy }) as TextDestination;
      const sent: Batch[] = [];
      const shipper = createShipper(observed(destination, sent), {
        maxBatchEvents: maxEvents,
        dropNotice: false,
        onDrop: () => {},
        onError: () => {},
      });
      const now = Date.now();
      const kept = new Set<number>();
      let id = 0;
      for (const { bytes, unit, age, repeat } of plan) {
        for (let i = 0; i < repeat; i++) {
          const text =
            bytes === 0 ? '' : `#${id}#`.padEnd(id.toString().length + 2 + bytes / Buffer.byteLength(unit), unit);
          const accepted = shipper.accept({ time: now - age, level: 'info', urgent: false, text, fields: {} });
          if (accepted) kept.add(id);
          id++;
        }
      }
      const stats = await shipper.flush().then(() => shipper.stats());
      await shipper.close();
      assertBalanced(stats);
      expect(stats).toMatchObject({ received: id, pending: 0 });
      expect(cloud.stats().violations).toEqual([]);
      for (const batch of sent) expectRules(batch, maxEvents);
      const stored = cloud.events({ logGroupName: 'test', logStreamName });
      const ids = new Set(stored.map((event) => Number(/#(\d+)#/.exec(event.message)?.[1] ?? Number.NaN)));
      if (policy !== 'split') expect(stored).toHaveLength(kept.size);
      for (const each of kept) expect(ids.has(each) || policy === 'split').toBe(true);
      expect(stats.delivered).toBe(kept.size);
      seen.delivered += stats.delivered;
      seen.redated += stats.redated;
      for (const reason of ['too-large', 'invalid'] as const) seen[reason] += stats.dropped[reason];
      if (stored.length > kept.size) seen.split++;
      seen.fullBatches += sent.filter((batch) => batch.bytes === MAX_BATCH_BYTES).length;
    }),
    { numRuns: full ? 1000 : 100 },
  );
  for (const [state, count] of Object.entries(seen)) expect(count, state).toBeGreaterThan(0);
}, 300_000);

function observed(destination: TextDestination, sent: Batch[]): Destination {
  return {
    name: destination.name,
    reads: destination.reads,
    limits: destination.limits,
    encode: (record) => destination.encode(record),
    send: (batch, signal) => {
      // Reads the events now, since they are gone after the delivery.
      sent.push({ route: batch.route, events: batch.events, bytes: batch.bytes });
      return destination.send(batch, signal);
    },
  };
}

function expectRules({ events, bytes }: Batch, maxEvents: number): void {
  const times = events.map((event) => event.time);
  expect(events.length).toBeGreaterThan(0);
  expect(events.length).toBeLessThanOrEqual(maxEvents);
  expect(bytes).toBe(events.reduce((sum, event) => sum + event.bytes, 0));
  expect(bytes).toBeLessThanOrEqual(MAX_BATCH_BYTES);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(DAY_MS);
}
