import type { EncodedEvent, TextDestination } from '@logferry/core';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { createCloudWatch } from '../src/index.js';
import { encoded, messageOf, messages, record } from './support/events.js';

const destination = createCloudWatch({ logGroupName: 'shop', logStreamName: 'web' }) as TextDestination;

function encode(text: string, rest = {}): EncodedEvent {
  return destination.encode(record(text, rest)) as EncodedEvent;
}

it('makes an event of the text, with its size as the service counts it', () => {
  const event = encode('größe "1"', { time: 1_700_000_000_000 });
  expect(event.payload).toBe('{"timestamp":1700000000000,"message":"größe \\"1\\""}');
  expect(event.bytes).toBe(11 + 26);
  expect(event.time).toBe(1_700_000_000_000);
  expect(event.route).toBe('shop:web');
});

it('states the limits of the service', () => {
  const { baseBytes, ...limits } = destination.limits;
  expect(limits).toEqual({
    maxEvents: 10_000,
    maxBytes: 1_048_576,
    maxSpanMs: 86_399_999,
    maxPastMs: 1_209_600_000,
    maxFutureMs: 7_200_000,
  });
  expect(baseBytes?.('shop:web')).toBe(0);
  expect(destination.reads).toBe('text');
});

it('refuses an empty message: the service would refuse the whole batch for it', () => {
  expect(destination.encode(record(''))).toEqual({ refused: 'invalid' });
});

it('replaces lone surrogates, and leaves pairs alone', () => {
  expect(messageOf(encode('a\ud800b'))).toBe('a\ufffdb');
  expect(encode('a\ud800b').bytes).toBe(5 + 26);
  expect(messageOf(encode('😀'))).toBe('😀');
});

it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])(
  'replaces the invalid time %d by the current time',
  (time) => {
    vi.useFakeTimers({ now: 1_700_000_000_123 });
    expect(encode('x', { time }).time).toBe(1_700_000_000_123);
    vi.useRealTimers();
  },
);

it('cuts off fractions of a millisecond', () => {
  expect(encode('x', { time: 5.9 }).payload).toContain('"timestamp":5,');
});

it('writes any text so that the service reads the same text, and counts its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(), (text, time) => {
      const event = encode(text, { time });
      expect(JSON.parse(String(event.payload))).toEqual({ timestamp: time, message: text.toWellFormed() });
      expect(event.bytes).toBe(Buffer.byteLength(text.toWellFormed()) + 26);
    }),
  );
});

it.each([
  ['the default limit', {}, 1_048_550],
  ['a lower maxEventBytes', { maxEventBytes: 262_118 }, 262_118],
  ['a batch limit below the limit of an event', { maxBatchBytes: 2048 }, 2022],
])('does not change a message of exactly the limit, with %s', (_what, options, limit) => {
  for (const character of ['x', 'é', '漢', '😀']) {
    const width = Buffer.byteLength(character);
    const text = character.repeat(Math.floor(limit / width)) + 'x'.repeat(limit % width);
    expect(messages(text, options)).toEqual([text]);
    const [shortened = ''] = messages(`${text}x`, options);
    expect(shortened).not.toBe(`${text}x`);
    expect(Buffer.byteLength(shortened)).toBeLessThanOrEqual(limit);
  }
});

it('lowers the batch limit to maxBatchBytes', () => {
  expect(createCloudWatch({ logGroupName: 'shop', maxBatchBytes: 2048 }).limits.maxBytes).toBe(2048);
});

it('gives the parts of a split message the same time and route', () => {
  const splitting = createCloudWatch({ logGroupName: 'shop', oversize: 'split', maxEventBytes: 256 });
  const parts = encoded(splitting, 'x'.repeat(1000), { time: 7 });
  expect(parts.length).toBeGreaterThan(3);
  for (const { time, route } of parts) expect({ time, route }).toEqual({ time: 7, route: parts[0]?.route });
});

it('encodes any texts together as it encodes each alone', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 300 }), (texts) => {
      const records = texts.map((text) => record(text, { time: 5 }));
      expect(destination.encodeAll?.(records)).toEqual(records.map((each) => destination.encode(each)));
    }),
  );
  for (const texts of [['a\n', '\n b'], ['",\n "', '],['], ['\u2028', '\\', '"', ' '], Array(300).fill('x\n')]) {
    const payloads = destination.encodeAll?.(texts.map((text) => record(text, { time: 5 }))) as EncodedEvent[];
    expect(payloads.map(({ payload }) => JSON.parse(String(payload)).message)).toEqual(texts);
  }
});
