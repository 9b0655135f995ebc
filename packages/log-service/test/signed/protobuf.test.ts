import type { EncodedEvent } from '@logferry/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { full } from '../../../../forms.js';
import { ProtobufForm } from '../../src/encode/protobuf-form.js';
import type { LogServiceOptions } from '../../src/index.js';
import { anyFields } from '../support/any-fields.js';
import { encoded, eventsOf, record, shop } from '../support/records.js';
import { type DecodedLog, decodeEvent, decodeLogGroup, signedShop } from '../support/signed.js';

const TIME = 1_700_000_000_123;
const MB = 1_000_000;

/** The logs that a record becomes. */
function logsOf(
  fields: Readonly<Record<string, unknown>>,
  options: Partial<LogServiceOptions> = {},
  rest: Parameters<typeof record>[1] = {},
): readonly DecodedLog[] {
  return eventsOf(signedShop(options), record(fields, { time: TIME, ...rest })).map(decodeEvent);
}

function fieldsOf(...input: Parameters<typeof logsOf>): Readonly<Record<string, string>> {
  return Object.fromEntries(logsOf(...input)[0]?.fields ?? []);
}

function millisecondsOf({ seconds, nanoseconds }: DecodedLog): number {
  return seconds * 1000 + Math.floor(nanoseconds / MB);
}

it('writes any fields as web tracking does, with the time of the event, for an independent decoder', () => {
  const json = shop({ timeField: 'Ω time', sequenceField: 'Ω seq' });
  const signed = signedShop({ topic: '主题', tags: { env: 'test', '"': '中' } });
  // As far as the window of the service and whole seconds of 32 bits reach.
  const time = fc.integer({ min: 0, max: 4_199_999_999_999 });
  fc.assert(
    fc.property(fc.array(fc.tuple(anyFields, time), { minLength: 1, maxLength: 5 }), (inputs) => {
      const records = inputs.map(([fields, at]) => record(fields, { time: at }));
      const events = records.flatMap((each) => eventsOf(signed, each));
      const { route } = events[0] as EncodedEvent;
      const body = new ProtobufForm().bodyOf({ route, events, bytes: 0, separator: '' });
      const { logs, topic, source, tags } = decodeLogGroup(body);
      expect([topic, source, tags]).toEqual(['主题', 'host', { env: 'test', '"': '中' }]);
      expect(body.length).toBe(
        events.reduce((sum, { bytes }) => sum + bytes, signed.limits.baseBytes?.(route) ?? Number.NaN),
      );
      expect(logs.map(millisecondsOf)).toEqual(records.map((each) => each.time));
      for (const [index, log] of logs.entries()) {
        const [event] = encoded(json, records[index] as (typeof records)[number]);
        const expected = Object.entries(JSON.parse(event?.payload ?? '{}')).filter(([key]) => !key.startsWith('Ω'));
        expect(Object.fromEntries(log.fields)).toEqual(Object.fromEntries(expected));
        expect(log.fields).toHaveLength(expected.length);
      }
    }),
    { numRuns: full ? 10_000 : 400 },
  );
});

it('keeps the order of the records of a millisecond in their nanoseconds, also of destinations side by side', () => {
  const destinations = [signedShop(), signedShop({ topic: 'other' })];
  const logs = Array.from({ length: 3000 }, (_, index) => {
    const [event] = eventsOf(
      destinations[index % 2] as never,
      record({ index }, { time: TIME + Math.floor(index / 1000) }),
    );
    return decodeEvent(event as EncodedEvent);
  });
  const times = logs.map(({ seconds, nanoseconds }) => BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
  for (const [index, time] of times.slice(1).entries()) expect(time > (times[index] as bigint)).toBe(true);
  expect(logs.map(millisecondsOf)).toEqual(logs.map((_, index) => TIME + Math.floor(index / 1000)));
});

it('keeps the order also of a million records in milliseconds that go back and forth', () => {
  const form = new ProtobufForm();
  const label = form.labelOf('a');
  const last = new Map<number, number>();
  let disorders = 0;
  for (let index = 0; index < 1_200_000; index++) {
    // Later than all other times here.
    const time = 4_200_000_000_000 + Math.floor(index / 400_000) * 2 + (index % 2);
    form.begin(time);
    form.add(label, 'b', 10);
    const payload = form.end() as Buffer;
    const nanoseconds = payload.readUInt32LE(payload.length - 4);
    if (nanoseconds <= (last.get(time) ?? -1)) disorders++;
    last.set(time, nanoseconds);
    if (Math.floor(nanoseconds / MB) !== time % 1000) throw new Error(`${nanoseconds} is not in ${time}`);
  }
  expect(disorders).toBe(0);
});

it('leaves the payloads of earlier records as they are, across many buffers', () => {
  const destination = signedShop();
  const texts = Array.from({ length: 3000 }, (_, index) => `${index} ${'é'.repeat(index % 700)}`);
  const events = texts.flatMap((text) => eventsOf(destination, record({ text })));
  expect(events.map((event) => Object.fromEntries(decodeEvent(event).fields).text)).toEqual(texts);
});

it.each([0, 1, 63, 64, 65, 126, 127, 128, 16_383, 16_384, 65_535, 65_536, 200_000, 999_999])(
  'writes texts of %d characters with their exact size',
  (length) => {
    for (const unit of ['x', 'é', '中', '😀', '\ud800']) {
      const text = unit.repeat(Math.floor(Math.min(length, MB / 4) / unit.length));
      const mixed = `${'a'.repeat(text.length)}é`;
      expect(fieldsOf({ text, mixed, end: '.' })).toEqual({
        level: 'info',
        text: text.toWellFormed(),
        mixed,
        end: '.',
      });
    }
  },
);

it.each([
  ['a time that is that of the event', { time: TIME }, {}],
  ['the same as text', { time: new Date(TIME).toISOString() }, {}],
  ['another time', { time: TIME - 1 }, { time: String(TIME - 1) }],
  ['what is no time', { time: 'tomorrow' }, { time: 'tomorrow' }],
  ['a sequence number of its own', { seq: 7 }, { seq: '7' }],
])('stores the time of the event once: %s', (_, fields, expected) => {
  expect(fieldsOf(fields)).toEqual({ level: 'info', ...expected });
});

it('has a field for time and sequence number if asked', () => {
  const options = { timeField: 'at', sequenceField: 'n' };
  expect(fieldsOf({ at: 'mine', time: 'x' }, options)).toEqual({
    level: 'info',
    at: new Date(TIME).toISOString(),
    n: expect.stringMatching(/^\d{12}$/),
    at_: 'mine',
    time: 'x',
  });
});

it('refuses a record without anything to store', () => {
  expect(signedShop().encode({ time: TIME, urgent: false, level: '', fields: { time: TIME, nothing: null } })).toEqual({
    refused: 'invalid',
  });
});

describe('a record that is too large', () => {
  const options = { maxBatchBytes: 20_000 } as const;

  it('is shortened to the limit of a request', () => {
    const [log, ...more] = logsOf({ a: 'a'.repeat(30_000), b: '中'.repeat(300), c: 'c' }, options);
    expect(more).toEqual([]);
    const { a, ...others } = Object.fromEntries(log?.fields ?? []);
    expect(a).toMatch(/^a{18000,}… \[truncated from 30000 bytes\]$/);
    expect(others).toEqual({ level: 'info', b: '中'.repeat(300), c: 'c' });
  });

  it('is split into parts with its time, in order', () => {
    const logs = logsOf({ a: 'é'.repeat(30_000), c: 'c' }, { ...options, oversize: 'split' });
    expect(logs.length).toBeGreaterThan(3);
    const parts = logs.map(({ fields }) => Object.fromEntries(fields).a ?? '');
    expect(parts.map((part) => part.replace(/^\[.*?\] ?/, '')).join('')).toContain('é'.repeat(1000));
    for (const log of logs) expect(millisecondsOf(log)).toBe(TIME);
    const order = logs.map(({ nanoseconds }) => nanoseconds);
    expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
  });

  it('is dropped if so asked', () => {
    expect(logsOf({ a: 'a'.repeat(30_000) }, { ...options, oversize: 'drop' })).toEqual([]);
  });

  it('fits in any case, whatever its fields are', () => {
    const policy = fc.constantFrom('truncate', 'split', 'drop');
    const size = fc.constantFrom(1024, 20_000, 3_000_000);
    fc.assert(
      fc.property(anyFields, policy, size, (fields, oversize, maxBatchBytes) => {
        const destination = signedShop({ oversize, maxBatchBytes, topic: 'a' });
        const events = eventsOf(destination, record(fields, { time: TIME }));
        if (oversize !== 'drop') expect(events.length).toBeGreaterThan(0);
        for (const event of events) {
          const { limits } = destination;
          expect(event.bytes).toBe(event.payload.length);
          expect(event.bytes + (limits.baseBytes?.(event.route) ?? 0)).toBeLessThanOrEqual(maxBatchBytes);
          const log = decodeEvent(event);
          expect(millisecondsOf(log)).toBe(TIME);
          for (const [, value] of log.fields) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(MB);
        }
      }),
      { numRuns: full ? 2000 : 150 },
    );
  });

  it('has values of at most 1 MB, although a request may have 10 MB', () => {
    const fields = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`f${index}`, 'x'.repeat(1_100_000)]));
    const [log] = logsOf(fields, { maxBatchBytes: 10_000_000 });
    const sizes = log?.fields.slice(1).map(([, value]) => value.length) ?? [];
    expect(sizes).toHaveLength(9);
    expect(Math.min(...sizes)).toBeGreaterThan(MB - 10);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MB);
  });
});
