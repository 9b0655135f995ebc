import { createCloudWatch } from '@logferry/cloudwatch';
import { assertBalanced, type Batch, createShipper, type Destination, type TextDestination } from '@logferry/core';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
    { numRuns: 500 },
  );
  for (const [state, count] of Object.entries(seen)) expect(count, state).toBeGreaterThan(0);
}, 300_000);

/** Any value that a field may have. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  fc.constantFrom('acme', 'aws/x', 'a:b*c', '../x', '', 'x'.repeat(600)),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.date(),
  fc.constantFrom(null, undefined, [], ['x'], {}, { x: 1 }),
);
const tenant = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id: value }) },
  value,
  value.map((id) => Object.assign(new (class Tenant {})(), { id })),
  fc.integer().map((id) => JSON.stringify({ id })),
);
const routed = fc.array(
  fc.record({
    tenant,
    region: value,
    age: fc.integer({ min: -HOUR_MS, max: 13 * DAY_MS }),
    level: fc.constantFrom('info', 'warn'),
  }),
  { minLength: 20, maxLength: 20 },
);

/** The text of a value by the rule in the README, and `otherwise` for one without. */
function textOf(of: unknown, otherwise: string): string {
  if (of instanceof Date) return Number.isNaN(of.getTime()) ? otherwise : of.toISOString();
  if (!['string', 'number', 'boolean', 'bigint'].includes(typeof of)) return otherwise;
  return ['', 'NaN', 'Infinity', '-Infinity'].includes(`${of}`) ? otherwise : `${of}`;
}

/** The group and the stream of a record by the rule in the README: a second time, without our code. */
function placeOf(prefix: string, of: { tenant: unknown; region: unknown; level: string }, time: number): string {
  const owner = typeof of.tenant === 'string' && of.tenant.startsWith('{"id"') ? JSON.parse(of.tenant) : of.tenant;
  const name = prefix + textOf(Object(owner).id, 'nobody');
  const group = Array.from({ length: Math.min(512, name.length) }, (_, index) =>
    name.charAt(index).replace(/[^\w.\-/#]/, '-'),
  );
  const date = new Date(time);
  const day = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()].map((part) =>
    `${part}`.padStart(2, '0'),
  );
  const stream = `${day.join('-')}/${of.level}/${textOf(of.region, 'none')}`.split(/[:*]/).join('-');
  return `${group.join('')} | ${stream.slice(0, 512).replace(/\p{Surrogate}/gu, '\ufffd')}`;
}

it('any record is stored in the group and the stream that its own time, level and fields name, from this thread and from another', async () => {
  const template = { logStreamName: '{date:yyyy-MM-dd}/{level}/{field:region}' };
  const shippers = ['own/', 'thread/'].map((prefix) => {
    const logGroupName = `${prefix}{field:tenant.id|nobody}`;
    const destination = createCloudWatch({ ...shipTo(cloud), ...template, logGroupName });
    return { prefix, shipper: createShipper(destination, { thread: prefix === 'thread/' }) };
  });
  let records = 0;
  await fc.assert(
    fc.asyncProperty(routed, async (plan) => {
      const before = cloud.events().length;
      const expected: string[] = [];
      for (const { age, level, ...fields } of plan) {
        const time = Date.now() - age;
        for (const { prefix, shipper } of shippers) {
          const text = String(records++);
          expect(shipper.accept({ time, level, urgent: false, text, fields })).toBe(true);
          expected.push(`${text}: ${placeOf(prefix, { ...fields, level }, time)}`);
        }
      }
      for (const { shipper } of shippers) await shipper.flush();
      const stored = cloud.events().slice(before);
      const places = stored.map((event) => `${event.message}: ${event.logGroupName} | ${event.logStreamName}`);
      expect(places.sort()).toEqual(expected.sort());
    }),
    { numRuns: 4 },
  );
  for (const { shipper } of shippers) assertBalanced(await shipper.close());
  expect(cloud.stats().violations).toEqual([]);
}, 120_000);

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
