import { uncompressSync } from 'lz4-napi';
import { compressBlock, compressBound } from 'lz4js';
import { describe, expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { compress } from '../src/send/compress.js';
import { lz4 } from '../src/send/lz4.js';
import { makeBody, makeNoise, sizeOf } from './support/bodies.js';
import { type Block, decodesWithLiblz4, hasLiblz4 } from './support/liblz4.js';
import { decodeStrictly } from './support/strict-lz4.js';

/** `npm run lz4-corpus` sets a larger number. Then the sizes are log-uniform. */
const BODIES = Number(process.env.LOGFERRY_LZ4_BODIES ?? (full ? 1000 : 100));
const SKEW = BODIES > 1000 ? 1 : 4;

/** The block that lz4js alone makes. */
function plainLz4js(raw: Buffer): Uint8Array {
  const block = Buffer.alloc(compressBound(raw.length));
  return block.subarray(0, compressBlock(raw, block, 0, raw.length, new Uint32Array(1 << 16)));
}

function decodesStrictly({ raw, block }: Block): boolean {
  try {
    return decodeStrictly(block, raw.length).equals(raw);
  } catch {
    return false;
  }
}

/** lz4-napi expects the size before the block. */
function decodesWithNapi({ raw, block }: Block): boolean {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(raw.length);
  return uncompressSync(Buffer.concat([size, block])).equals(raw);
}

it(`makes blocks of ${BODIES} bodies that strict decoders read, which refuse some of plain lz4js`, {
  timeout: 60_000 + BODIES * 100,
}, async () => {
  const askLiblz4 = hasLiblz4();
  const ours = { bodies: 0, bytes: 0, blocks: 0, bad: 0, badWithNapi: 0, badWithLiblz4: 0 };
  const lz4js = { blocks: 0, bad: 0, badWithLiblz4: 0 };
  for (let first = 0; first < BODIES; first += 50) {
    const blocks: Block[] = [];
    const plainBlocks: Block[] = [];
    for (let seed = first; seed < Math.min(first + 50, BODIES); seed++) {
      const bytes = sizeOf(seed, SKEW);
      const raw = seed % 20 === 0 ? makeNoise(seed, bytes) : makeBody(seed, bytes);
      const block = await lz4(raw);
      const plain = plainLz4js(raw);
      ours.bodies++;
      ours.bytes += raw.length;
      if (block) blocks.push({ raw, block });
      if (plain.length > 0) plainBlocks.push({ raw, block: plain });
    }
    ours.blocks += blocks.length;
    ours.bad += blocks.filter((each) => !decodesStrictly(each)).length;
    ours.badWithNapi += blocks.filter((each) => !decodesWithNapi(each)).length;
    lz4js.blocks += plainBlocks.length;
    lz4js.bad += plainBlocks.filter((each) => !decodesStrictly(each)).length;
    if (!askLiblz4) continue;
    ours.badWithLiblz4 += (await decodesWithLiblz4(blocks)).filter((ok) => !ok).length;
    lz4js.badWithLiblz4 += (await decodesWithLiblz4(plainBlocks)).filter((ok) => !ok).length;
  }
  console.log(`${askLiblz4 ? 'with' : 'WITHOUT'} liblz4; ours`, ours, 'plain lz4js', lz4js);
  expect(ours).toMatchObject({ bodies: BODIES, bad: 0, badWithNapi: 0, badWithLiblz4: 0 });
  expect(ours.blocks).toBeGreaterThan(BODIES * 0.9);
  expect(lz4js.bad).toBeGreaterThan(BODIES * 0.02);
  if (askLiblz4) expect(lz4js.badWithLiblz4).toBe(lz4js.bad);
});

it('makes valid blocks of bodies of any length, also around the limits of a run of literals', async () => {
  for (let size = 0; size < 600; size++) {
    for (const raw of [Buffer.alloc(size, 'x'), makeBody(size, size), repeatAfter(size)]) {
      const block = await lz4(raw);
      if (block) expect(decodeStrictly(block, raw.length).equals(raw), `${raw.length} bytes`).toBe(true);
    }
  }
});

/** Noise after a repetition, so that the last run of literals has this length. */
function repeatAfter(size: number): Buffer {
  return Buffer.concat([Buffer.from('abcdefghabcdefgh'), makeNoise(size, size)]);
}

it('returns nothing for a body without repetitions', async () => {
  for (const bytes of [0, 1, 12, 13, 25, 1000, 3_000_000]) {
    const raw = makeNoise(bytes, bytes);
    expect(await compress(raw, 'lz4'), `${bytes} bytes`).toBeUndefined();
  }
});

it('returns nothing for a body that does not get smaller', async () => {
  const raw = Buffer.concat([Buffer.from('abcdabcd'), makeNoise(1, 600)]);
  expect((await lz4(raw))?.length).toBeGreaterThanOrEqual(raw.length);
  expect(await compress(raw, 'lz4')).toBeUndefined();
  expect(await compress(makeNoise(1, 600), 'deflate')).toBeUndefined();
});

it('makes the same block of the same body again, also while it compresses another', async () => {
  const [a, b] = [makeBody(1, 50_000), makeBody(2, 50_000)];
  const [first, other, again] = await Promise.all([lz4(a), lz4(b), lz4(a)]);
  expect(again).toEqual(first);
  for (const [raw, block] of [
    [a, first],
    [b, other],
  ] as const) {
    expect(decodeStrictly(block ?? Buffer.alloc(0), raw.length).equals(raw)).toBe(true);
  }
});

it('has neither a frame nor a size before the block', async () => {
  const raw = Buffer.from(JSON.stringify({ text: 'abc'.repeat(100) }));
  const block = (await lz4(raw)) ?? Buffer.alloc(0);
  expect(block.subarray(0, 4).toString('hex')).not.toBe('04224d18');
  expect(block.readUInt32LE(0)).not.toBe(raw.length);
  // The text itself comes right after the token and the length of the first literals.
  expect(block.indexOf('{"text":"abc')).toBeLessThanOrEqual(2);
});

describe('the strict decoder of these tests', () => {
  const token = (literals: number, match: number): number => (literals << 4) | match;
  const letters = (count: number): number[] => [...Buffer.from('abcdefghijklmnopqrstuvwxyz').subarray(0, count)];
  const OFFSET_1 = [1, 0];

  it('takes a match that starts 12 bytes before the end', () => {
    const block = [token(1, 0), ...letters(1), ...OFFSET_1, token(8, 0), ...letters(8)];
    expect(decodeStrictly(Uint8Array.from(block), 13).toString()).toBe('aaaaaabcdefgh');
  });

  it.each([
    [
      'a match that starts less than 12 bytes before the end',
      [token(1, 0), ...letters(1), ...OFFSET_1, token(7, 0), ...letters(7)],
      12,
    ],
    ['less than 5 literals at the end', [token(1, 4), ...letters(1), ...OFFSET_1, token(4, 0), ...letters(4)], 13],
    ['a match at the end', [token(1, 9), ...letters(1), ...OFFSET_1], 14],
    ['an offset of 0', [token(1, 0), ...letters(1), 0, 0, token(8, 0), ...letters(8)], 13],
    ['an offset before the beginning', [token(1, 0), ...letters(1), 2, 0, token(8, 0), ...letters(8)], 13],
    ['another size', [token(8, 0), ...letters(8)], 9],
    ['literals that are missing', [token(9, 0), ...letters(8)], 9],
  ])('refuses %s', (_what, block, size) => {
    expect(() => decodeStrictly(Uint8Array.from(block), size)).toThrow();
  });
});
