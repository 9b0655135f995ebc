import { loadPackage } from '@logferry/core';
import { moduleUrl } from '../module-url.js';

/**
 * Compresses to an LZ4 block that keeps the end-of-block rules, without frame and without size. Returns `undefined` if
 * nothing repeats.
 *
 * lz4js lets matches come too close to the end: strict decoders, such as liblz4, refuse some of its blocks. So lz4js
 * compresses all but the last bytes, which are then appended to the block as literals.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
export async function lz4(raw: Uint8Array): Promise<Buffer | undefined> {
  library ??= await loadPackage({ name: 'lz4js', load: () => import('lz4js'), parentUrl: moduleUrl });
  const { compressBlock, compressBound } = library;
  const headLength = raw.length - END_LITERALS;
  if (headLength <= 0) return undefined;
  const block = Buffer.allocUnsafe(compressBound(headLength) + END_LITERALS + MAX_GROWTH);
  // lz4js would take the entries of the previous text for matches.
  hashTable.fill(0);
  const length = compressBlock(raw, block, 0, headLength, hashTable);
  return length === 0 ? undefined : appendLiterals(block, length, raw.subarray(headLength));
}

/** Loaded with the first body: the module takes 5 MB of memory. */
let library: typeof import('lz4js') | undefined;

/** The last match of a block starts at least 12 bytes before the end, and ends at least 5 bytes before it. */
const END_LITERALS = 12;

/** {@link END_LITERALS} more literals lengthen the length of their run by at most one byte. */
const MAX_GROWTH = 1;

/** lz4js hashes to 16 bits. */
const hashTable = new Uint32Array(1 << 16);

/** A length of 15 continues in further bytes. */
const LONG_LENGTH = 15;

/** Appends literals to the block's last sequence, which has literals only. */
function appendLiterals(block: Buffer, length: number, literals: Uint8Array): Buffer {
  const { start, literalsStart } = lastSequence(block, length);
  const count = length - literalsStart + literals.length;
  const header = headerOf(count);
  block.copyWithin(start + header.length, literalsStart, length);
  block.set(header, start);
  block.set(literals, start + header.length + count - literals.length);
  return block.subarray(0, start + header.length + count);
}

/** Walks through all sequences: nothing else finds the last. */
function lastSequence(block: Uint8Array, length: number): { readonly start: number; readonly literalsStart: number } {
  let index = 0;
  for (;;) {
    const start = index;
    const token = block[index++] as number;
    let literals = token >> 4;
    if (literals === LONG_LENGTH) {
      for (;;) {
        const more = block[index++] as number;
        literals += more;
        if (more < 255) break;
      }
    }
    const literalsStart = index;
    index += literals;
    if (index >= length) return { start, literalsStart };
    index += OFFSET_BYTES;
    if ((token & LONG_LENGTH) === LONG_LENGTH) while (block[index++] === 255);
  }
}

const OFFSET_BYTES = 2;

/** The token and the length of a sequence that has literals only. */
function headerOf(literals: number): number[] {
  if (literals < LONG_LENGTH) return [literals << 4];
  const header = [LONG_LENGTH << 4];
  let left = literals - LONG_LENGTH;
  for (; left >= 255; left -= 255) header.push(255);
  header.push(left);
  return header;
}
