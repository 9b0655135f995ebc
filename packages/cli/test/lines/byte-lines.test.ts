import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteLines } from '../../src/lines/byte-lines.js';

type Told = [kind: 'line' | 'too long', text: string, endOffset: number];

function split(chunks: Iterable<Uint8Array | string>, maxChars = 10_000): Told[] {
  const told: Told[] = [];
  const lines = new ByteLines(maxChars, {
    onLine: (line, endOffset) => told.push(['line', line, endOffset]),
    onTooLong: (head, endOffset) => told.push(['too long', head, endOffset]),
  });
  for (const chunk of chunks) lines.read(chunk);
  lines.end();
  return told;
}

/** Each byte in the same memory, as a reader with one buffer hands them on. */
function* bytewise(bytes: Uint8Array): Generator<Uint8Array> {
  const memory = new Uint8Array(1);
  for (const byte of bytes) {
    memory[0] = byte;
    yield memory;
  }
}

it('knows where lines with LF, CR LF and without an end end', () => {
  expect(split(['one\r\ntwo\n\nthr', 'ee\r', '\nfour'])).toEqual([
    ['line', 'one', 5],
    ['line', 'two', 9],
    ['line', '', 10],
    ['line', 'three', 17],
    ['line', 'four', 21],
  ]);
});

it('counts bytes of characters with several', () => {
  expect(split(['größe\n', '😀\nx\n'])).toEqual([
    ['line', 'größe', 8],
    ['line', '😀', 13],
    ['line', 'x', 15],
  ]);
});

it('keeps a carriage return inside of a line', () => {
  expect(split(['10 %\r20 %\r\n'])).toEqual([['line', '10 %\r20 %', 11]]);
});

it('leaves out a byte order mark at the beginning only', () => {
  expect(split(['\ufeffone\n\ufefftwo\n'])).toEqual([
    ['line', 'one', 7],
    ['line', '\ufefftwo', 14],
  ]);
});

it('replaces invalid bytes', () => {
  expect(split([Buffer.from([0x61, 0xff, 0xc3, 0x0a, 0xe2, 0x82])])).toEqual([
    ['line', 'a\ufffd\ufffd', 4],
    ['line', '\ufffd', 6],
  ]);
});

describe('a line that is too long', () => {
  it('is told by its first 1,000 characters, and the next line is read', () => {
    const input = `${'äx'.repeat(5000)}\nnext\n`;
    const told: Told[] = [
      ['too long', 'äx'.repeat(500), 15_001],
      ['line', 'next', 15_006],
    ];
    expect(split([input], 9999)).toEqual(told);
    expect(split(bytewise(Buffer.from(input)), 9999)).toEqual(told);
    expect(split([input], 10_000)[0]?.[0]).toBe('line');
  });

  it('does not take memory without bound', () => {
    const megabyte = new Uint8Array(1024 * 1024).fill(0x61);
    const lines = new ByteLines(10_000, { onLine: () => {}, onTooLong: () => {} });
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 100; count++) lines.read(megabyte);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 1024 * 1024);
  });
});

it('gives the same lines for any split of the input', () => {
  const piece = fc.constantFrom('\n', '\r\n', '\r', 'a', 'ä', '€', '😀', '\ufeff', ' ', '{', 'x'.repeat(30));
  const bytes = fc.oneof(
    fc.array(piece).map((pieces) => new Uint8Array(Buffer.from(pieces.join('')))),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.constantFrom(0x0a, 0x0d, 0xff, 0xc3, 0xa4, 0x61)).map((all) => Uint8Array.from(all)),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat({ max: 100 })), fc.integer({ min: 1, max: 40 }), (input, cuts, maxChars) => {
      const whole = split([input], maxChars);
      expect(split(bytewise(input), maxChars)).toEqual(whole);
      const edges = [0, ...cuts.filter((cut) => cut < input.length).sort((a, b) => a - b), input.length];
      expect(
        split(
          edges.slice(1).map((end, index) => input.subarray(edges[index], end)),
          maxChars,
        ),
      ).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});
