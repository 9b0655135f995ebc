/** Minimum distance from the start of the last match to the end of the decoded bytes. */
const MATCH_START_LIMIT = 12;
/** Number of decoded bytes at the end that must be literals. */
const LAST_LITERALS = 5;
/** Shortest match, in bytes. */
const MIN_MATCH = 4;
/** A length of 15 in the token continues in the next bytes. */
const LONG_LENGTH = 15;

/**
 * Decodes an LZ4 block to exactly `rawSize` bytes, as liblz4's `LZ4_decompress_safe` does with a buffer of that size.
 * Refuses a block that breaks an end-of-block rule, even if its bytes can be decoded. Throws an Error with the reason.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
export function decodeLz4Block(block: Uint8Array, rawSize: number): Buffer {
  const output = Buffer.allocUnsafe(rawSize);
  let from = 0;
  let to = 0;

  const readLength = (start: number): number => {
    if (start < LONG_LENGTH) return start;
    let length = start;
    for (;;) {
      const more = block[from++];
      if (more === undefined) throw new Error('the block ends within a length');
      length += more;
      if (more < 255) return length;
    }
  };
  const checkRoom = (length: number): void => {
    if (to + length > rawSize) throw new Error(`the block decodes to more than ${rawSize} bytes`);
  };

  for (;;) {
    const token = block[from++];
    if (token === undefined) throw new Error('the block does not end with literals');
    const literals = readLength(token >> 4);
    if (from + literals > block.length) throw new Error('the block ends within literals');
    checkRoom(literals);
    output.set(block.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from === block.length) break;

    if (from + 2 > block.length) throw new Error('the block ends within an offset');
    const offset = (block[from] as number) | ((block[from + 1] as number) << 8);
    from += 2;
    if (offset === 0) throw new Error('an offset is 0');
    if (offset > to) throw new Error('an offset points before the beginning');
    const length = readLength(token & 15) + MIN_MATCH;
    checkRoom(length);
    if (to > rawSize - MATCH_START_LIMIT) {
      throw new Error(`the last match starts less than ${MATCH_START_LIMIT} bytes before the end`);
    }
    if (to + length > rawSize - LAST_LITERALS) throw new Error(`the last ${LAST_LITERALS} bytes are not all literals`);
    // Byte by byte, because a match may overlap its own output.
    for (const end = to + length; to < end; to++) output[to] = output[to - offset] as number;
  }
  if (to !== rawSize) throw new Error(`the block decodes to ${to} bytes instead of ${rawSize}`);
  return output;
}
