import fc from 'fast-check';
import { expect, it } from 'vitest';
import { endOfSlice, findCap, MAX_PART_HEADER_BYTES, split, truncate } from '../src/index.js';

const text = fc.string({ unit: 'binary' }).map((given) => given.toWellFormed());

it('endOfSlice finds the longest slice that fits, and never cuts a character', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 100 }), fc.nat(1000), (piece, times, maxBytes) => {
      const given = piece.repeat(times);
      const end = endOfSlice(given, 0, maxBytes);
      const slice = given.slice(0, end);
      const next = String.fromCodePoint(given.codePointAt(end) ?? 0);
      expect(slice.isWellFormed()).toBe(true);
      expect(Buffer.byteLength(slice)).toBeLessThanOrEqual(maxBytes);
      if (end < given.length) expect(Buffer.byteLength(slice + next)).toBeGreaterThan(maxBytes);
    }),
    { numRuns: 1000 },
  );
});

it('truncate leaves the longest beginning that fits together with its mark', () => {
  expect(truncate('é'.repeat(100), 64)).toBe(`${'é'.repeat(17)}… [truncated from 200 bytes]`);
  const long = '中'.repeat(4_194_305);
  expect(truncate(long, 64)).toBe(`${'中'.repeat(8)}… [truncated from 4194305 characters]`);
  expect(truncate(truncate(long, 1000), 64)).toBe(truncate(long, 64));
  const double = (codePoint: number): number => (codePoint === 0x78 ? 2 : 1);
  expect(truncate('x'.repeat(100), 64, double)).toBe(`${'x'.repeat(17)}… [truncated from 100 bytes]`);
});

it('split makes numbered parts that keep every limit and together are the text', () => {
  const limit = (max: number) => fc.integer({ min: MAX_PART_HEADER_BYTES + 4, max });
  fc.assert(
    fc.property(text, limit(60), limit(60), (given, maxBytes, maxCharacters) => {
      const parts = split(given, { maxBytes }, { maxBytes: maxCharacters, bytesOf: () => 1 });
      const headers = parts.map((part) => /^\[(\d+)\/(\d+) ([\da-f]{8})\] /.exec(part) as RegExpExecArray);
      expect(headers.map((header) => header[1])).toEqual(parts.map((_, index) => String(index + 1)));
      expect(headers.every((header) => header[2] === String(parts.length) && header[3] === headers[0]?.[3])).toBe(true);
      for (const part of parts) {
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(maxBytes);
        expect([...part].length).toBeLessThanOrEqual(maxCharacters);
      }
      expect(parts.map((part, index) => part.slice(headers[index]?.[0].length)).join('')).toBe(given);
    }),
    { numRuns: 1000 },
  );
});

it('findCap finds the largest cap with which all sizes fit, and none if they fit without a cap', () => {
  expect(findCap([10, 100, 100], 110)).toBe(50);
  expect(findCap([10, 20], 30)).toBeUndefined();
  expect(findCap([], 0)).toBeUndefined();
  fc.assert(
    fc.property(fc.array(fc.nat(100), { minLength: 1 }), fc.nat(1000), (sizes, room) => {
      const total = (cap: number): number => sizes.reduce((sum, size) => sum + Math.min(size, cap), 0);
      const cap = findCap(sizes, room);
      if (cap === undefined) expect(total(Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(room);
      else {
        expect(total(cap)).toBeLessThanOrEqual(room);
        expect(total(cap + 1)).toBeGreaterThan(room);
      }
    }),
    { numRuns: 1000 },
  );
});
