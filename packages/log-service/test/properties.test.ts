import {
  assertBalanced,
  type Batch,
  createShipper,
  type Destination,
  type FieldsDestination,
  type SendOutcome,
} from '@logferry/core';
import { startLogService } from '@logferry/emulators';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { full } from '../../../forms.js';
import { createLogService } from '../src/index.js';
import { anyFields, anyKey, anyText, RESERVED } from './support/any-fields.js';
import { bodyOf } from './support/bodies.js';
import { encoded, record, shop } from './support/records.js';

it('encodes any fields as a JSON object of strings, with its exact size and valid keys', () => {
  const destination = shop();
  fc.assert(
    fc.property(anyFields, (input) => {
      const events = encoded(destination, record(input));
      expect(events).toHaveLength(1);
      const [event] = events;
      const payload = String(event?.payload);
      expect(event?.bytes).toBe(Buffer.byteLength(payload) + 1);
      expect(payload.isWellFormed()).toBe(true);
      const entries = Object.entries(JSON.parse(payload));
      const own = Object.entries(input).filter(
        ([, each]) => !['undefined', 'function', 'symbol'].includes(typeof each),
      );
      expect(entries.length).toBeLessThanOrEqual(own.length + 3);
      // Only the size of the text shows a duplicate key.
      expect(JSON.stringify(Object.fromEntries(entries)).length).toBe(payload.length);
      for (const [name, stored] of entries) {
        expect(typeof stored).toBe('string');
        expect((name + stored).isWellFormed()).toBe(true);
        expect(Buffer.byteLength(name)).toBeGreaterThanOrEqual(1);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(128);
        expect(RESERVED).not.toContain(name);
        expect(name.startsWith('__tag__:')).toBe(false);
      }
    }),
    { numRuns: full ? 2000 : 200 },
  );
});

it('stores each text unchanged', () => {
  fc.assert(
    fc.property(fc.dictionary(anyKey, anyText, { maxKeys: 6 }), (input) => {
      const [event] = encoded(shop(), record(input, { level: 'no such level' }));
      const { time, seq, level, ...rest } = JSON.parse(String(event?.payload ?? '{}'));
      expect(Object.values(rest).sort()).toEqual(
        Object.values(input)
          .map((each) => each.toWellFormed())
          .sort(),
      );
    }),
    { numRuns: full ? 1000 : 250 },
  );
});

it('writes plain data as JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (data) => {
      const [event] = encoded(shop(), record({ data: { data } }));
      expect(JSON.parse(String(event?.payload)).data).toBe(JSON.stringify({ data }));
    }),
    { numRuns: full ? 1000 : 250 },
  );
});

/** The destination with another `send`. */
function observed(destination: FieldsDestination, send: (batch: Batch) => Promise<SendOutcome>): Destination {
  const { name, reads, limits } = destination;
  return { name, reads, limits, encode: (input) => destination.encode(input), send };
}

it('makes valid bodies within the limits of any records', async () => {
  const policy = fc.constantFrom('truncate', 'split', 'drop');
  const limits = fc.constantFrom({ maxBatchBytes: 1024 }, { maxBatchBytes: 20_000 }, { maxBatchEvents: 2 }, {});
  await fc.assert(
    fc.asyncProperty(fc.array(anyFields, { maxLength: 12 }), policy, limits, async (inputs, oversize, lowered) => {
      const { maxBatchBytes = 3_000_000, maxBatchEvents = 4096 } = lowered;
      const destination = shop({ oversize, maxBatchBytes, topic: '主题', tags: { a: '"' } });
      const logs: unknown[] = [];
      const send = async (batch: Batch): Promise<SendOutcome> => {
        const { events, bytes } = batch;
        const body = Buffer.from(bodyOf(batch)).toString();
        expect(bytes).toBe(Buffer.byteLength(body) + 1);
        expect(bytes).toBeLessThanOrEqual(maxBatchBytes);
        expect(events.length).toBeLessThanOrEqual(maxBatchEvents);
        const parsed = JSON.parse(body);
        expect(parsed).toMatchObject({ __topic__: '主题', __source__: 'host', __tags__: { a: '"' } });
        logs.push(...parsed.__logs__);
        return { rejected: [], wireBytes: 0 };
      };
      const shipper = createShipper(observed(destination, send), { ...lowered, onDrop: () => {} });
      const accepted = inputs.filter((input) => shipper.accept(record(input)));
      const report = await shipper.close();
      assertBalanced(report);
      expect(report.delivered).toBe(accepted.length);
      expect(new Set(logs.map((log) => (log as { seq: string }).seq)).size).toBe(accepted.length);
    }),
    { numRuns: full ? 1000 : 250 },
  );
}, 60_000);

it('sends any records in requests that the service takes: at most 3,000,000 bytes and 4,096 logs', async () => {
  const emulator = await startLogService({ strict: true });
  onTestFinished(() => emulator.close());
  const plan = fc.array(
    fc.record({
      bytes: fc.oneof(
        { weight: 4, arbitrary: fc.nat(2000) },
        { weight: 4, arbitrary: fc.nat(200) },
        { weight: 1, arbitrary: fc.constantFrom(999_999, 1_000_000, 1_000_001, 2_999_700, 4_000_000) },
      ),
      unit: fc.constantFrom('x', '"', '\u0001', 'é', '中', '😀', '\ud800'),
      repeat: fc.constantFrom(1, 2, 50, 5000),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const policy = fc.constantFrom('truncate', 'split', 'drop');
  const filled = { byBytes: 0, byEvents: 0 };
  let run = 0;
  await fc.assert(
    fc.asyncProperty(plan, policy, fc.constantFrom(undefined, 100_000), async (records, oversize, maxBatchBytes) => {
      const topic = `run ${run++}`;
      const destination = createLogService({ ...emulator.target, topic, oversize, maxBatchBytes, compression: 'none' });
      const sent: { readonly events: number; readonly bytes: number; readonly body: number }[] = [];
      const shipper = createShipper(
        observed(destination, (batch) => {
          sent.push({ events: batch.events.length, bytes: batch.bytes, body: bodyOf(batch).length });
          return destination.send(batch, AbortSignal.timeout(60_000));
        }),
        { maxBatchBytes, onDrop: () => {}, maxBufferBytes: 500_000_000 },
      );
      let id = 0;
      const accepted = new Set<string>();
      for (const { bytes, unit, repeat } of records) {
        for (let i = 0; i < (bytes > 2000 ? 1 : repeat); i++) {
          const label = String(id++);
          if (shipper.accept(record({ id: label, text: unit.repeat(bytes / Buffer.byteLength(unit)) })))
            accepted.add(label);
        }
      }
      const report = await shipper.close({ timeoutMs: 60_000 });
      assertBalanced(report);
      expect(report).toMatchObject({ received: id, delivered: accepted.size, pending: 0 });
      const stored = new Set(emulator.events({ topic }).map((event) => event.fields.id));
      expect(stored).toEqual(accepted);
      for (const { events, bytes, body } of sent) {
        expect(body).toBe(bytes - 1);
        expect(bytes).toBeLessThanOrEqual(maxBatchBytes ?? 3_000_000);
        expect(events).toBeLessThanOrEqual(4096);
        if (bytes > 2_990_000) filled.byBytes++;
        if (events === 4096) filled.byEvents++;
      }
    }),
    { numRuns: full ? 60 : 20 },
  );
  expect(emulator.stats().violations).toEqual([]);
  expect(filled.byBytes).toBeGreaterThan(full ? 3 : 0);
  expect(filled.byEvents).toBeGreaterThan(full ? 1 : 0);
}, 120_000);
