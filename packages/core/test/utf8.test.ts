import fc from 'fast-check';
import { expect, it } from 'vitest';
import { endOfSlice } from '../src/index.js';

it('endOfSlice finds the longest slice that fits, and never cuts a character', () => {
  const text = fc.string({ unit: 'binary' }).map((given) => given.toWellFormed());
  fc.assert(
    fc.property(text, fc.nat(40), (given, maxBytes) => {
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
