import { describe, expect, it } from 'vitest';
import { decodeLz4Block } from '../src/log-service/lz4.js';
import { encodeLz4Block, lz4Block } from './lz4-encoder.js';

const decode = (block: Uint8Array, rawSize: number) => decodeLz4Block(block, rawSize).toString('latin1');

/** 'abcd', a match of 8 bytes, and these literals. */
const matchThen = (literals: string) => lz4Block([{ literals: 'abcd', match: { offset: 4, length: 8 } }, { literals }]);

describe('a valid LZ4 block is decoded', () => {
  it('of 0, 1 and 4 literals only', () => {
    expect(decode(Buffer.from([0x00]), 0)).toBe('');
    expect(decode(Buffer.from([0x10, 0x61]), 1)).toBe('a');
    expect(decode(Buffer.from('\x40abcd', 'latin1'), 4)).toBe('abcd');
  });

  it.each([14, 15, 16, 15 + 254, 15 + 255, 15 + 256, 15 + 510, 100_000])('of %i literals', (length) => {
    const raw = 'x'.repeat(length);
    expect(decode(lz4Block([{ literals: raw }]), length)).toBe(raw);
  });

  it('with a match', () => {
    // Token: 4 literals, a match of 4 + 4; offset 4; token: 5 literals.
    const block = Buffer.from('\x44abcd\x04\x00\x50vwxyz', 'latin1');
    expect(decode(block, 17)).toBe('abcdabcdabcdvwxyz');
  });

  it('with a match that overlaps its own output', () => {
    const block = lz4Block([{ literals: 'a', match: { offset: 1, length: 300 } }, { literals: 'vwxyz' }]);
    expect(decode(block, 306)).toBe(`${'a'.repeat(301)}vwxyz`);
  });

  it('with the largest offset, 65,535', () => {
    const literals = 'needle'.padEnd(65_535, '.');
    const block = lz4Block([{ literals, match: { offset: 65_535, length: 7 } }, { literals: '12345' }]);
    expect(decode(block, 65_547)).toBe(`${literals}needle.12345`);
  });

  it('with a last match that starts 12 bytes before the end, and 5 literals after it', () => {
    const block = lz4Block([{ literals: 'abcd', match: { offset: 4, length: 7 } }, { literals: 'vwxyz' }]);
    expect(decode(block, 16)).toBe('abcdabcdabcvwxyz');
  });

  it('to the bytes that were encoded: JSON, random bytes and zeros of many lengths', () => {
    const json = JSON.stringify(
      Array.from({ length: 2000 }, (_, n) => ({ n, message: `order ${n * 7} 订单 shipped` })),
    );
    const random = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (Math.imul(n, 2_654_435_761) >>> 13) & 255));
    for (const raw of [Buffer.from(json), random, Buffer.alloc(70_000), Buffer.alloc(0)]) {
      for (const length of [raw.length, 5, 12, 13, 14, 15, 16, 17, 20, 1000, 65_536, 65_550]) {
        const part = raw.subarray(0, length);
        const block = encodeLz4Block(part);
        expect(decodeLz4Block(block, part.length).equals(part), `${length} bytes`).toBe(true);
      }
    }
    expect(encodeLz4Block(Buffer.from(json)).length).toBeLessThan(json.length / 2);
  });
});

describe('an LZ4 block is refused', () => {
  it.each([
    ['that is empty', Buffer.alloc(0), 0, 'the block does not end with literals'],
    [
      'with a last match that starts 11 bytes before the end',
      matchThen('vwx'),
      15,
      'less than 12 bytes before the end',
    ],
    [
      'with a last match that starts 11 bytes before the end, and 5 literals after it',
      lz4Block([{ literals: 'abcd', match: { offset: 4, length: 6 } }, { literals: 'vwxyz' }]),
      15,
      'the last match starts less than 12 bytes before the end',
    ],
    ['that ends with 4 literals', matchThen('wxyz'), 16, 'the last 5 bytes are not all literals'],
    [
      'that ends with a match',
      lz4Block([{ literals: 'abcd', match: { offset: 4, length: 20 } }]),
      24,
      'the last 5 bytes are not all literals',
    ],
    [
      'that ends too early, after a match',
      lz4Block([{ literals: 'abcd', match: { offset: 4, length: 20 } }]),
      40,
      'the block does not end with literals',
    ],
    [
      'with an offset of 0',
      lz4Block([{ literals: 'abcd', match: { offset: 0, length: 8 } }, { literals: 'vwxyz' }]),
      17,
      'an offset is 0',
    ],
    [
      'with an offset to before the beginning',
      lz4Block([{ literals: 'abcd', match: { offset: 5, length: 8 } }, { literals: 'vwxyz' }]),
      17,
      'an offset points before the beginning',
    ],
    ['that decodes to fewer bytes', matchThen('vwxyz'), 18, 'the block decodes to 17 bytes instead of 18'],
    ['with too many literals', lz4Block([{ literals: 'x'.repeat(17) }]), 16, 'the block decodes to more than 16 bytes'],
    [
      'with a match that is too long',
      lz4Block([{ literals: 'abcd', match: { offset: 4, length: 100 } }, { literals: 'vwxyz' }]),
      50,
      'the block decodes to more than 50 bytes',
    ],
    ['cut within literals', matchThen('vwxyz').subarray(0, -1), 17, 'the block ends within literals'],
    ['cut within an offset', matchThen('vwxyz').subarray(0, 6), 17, 'the block ends within an offset'],
    ['cut within a length', Buffer.from([0xf0, 255]), 300, 'the block ends within a length'],
    ['with bytes after its end', Buffer.concat([matchThen('vwxyz'), Buffer.from([0])]), 17, 'ends within an offset'],
    [
      'with its size before it, as some libraries write it',
      Buffer.concat([Buffer.from([17, 0, 0, 0]), matchThen('vwxyz')]),
      17,
      'an offset is 0',
    ],
    [
      'that is a frame',
      Buffer.concat([Buffer.from('04224d1860407317000080', 'hex'), Buffer.from('hello, this is a frame')]),
      22,
      'an offset points before the beginning',
    ],
  ])('%s', (_, block, rawSize, message) => {
    expect(() => decodeLz4Block(block, rawSize)).toThrow(message);
  });
});
