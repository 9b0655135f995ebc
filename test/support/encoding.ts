import type { Destination, EncodedEvent, LogRecord } from '@logferry/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** A property that tries more texts than the destination contract. */
export function testEncoding(name: string, create: () => Destination): void {
  test(`${name} encodes any text to events within the limits, or refuses it`, () => {
    const destination = create();
    const { maxBytes } = destination.limits;
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', ' ', '\ud800', '\u0000'.repeat(400_000), '😀'.repeat(1_000_000)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const record: LogRecord = { time: Date.now(), level: 'info', urgent: false, text, fields: { message: text } };
        const encoding = destination.encode(record);
        if ('refused' in encoding) return;
        for (const event of [encoding].flat() as EncodedEvent[]) {
          expect((destination.limits.baseBytes?.(event.route) ?? 0) + event.bytes).toBeLessThanOrEqual(maxBytes);
          expect(typeof event.payload !== 'string' || event.payload.isWellFormed()).toBe(true);
          expect(Number.isInteger(event.time)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
}
