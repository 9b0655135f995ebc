/**
 * Decodes an LZ4 block into exactly `size` bytes. Throws if a strict decoder may refuse it: checks the three end-of-block
 * rules of https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md.
 */
export function decodeStrictly(block: Uint8Array, size: number): Buffer {
  const text = Buffer.alloc(size);
  let read = 0;
  let written = 0;
  let lastMatchStart = Number.NEGATIVE_INFINITY;
  const next = (): number => {
    const byte = block[read++];
    if (byte === undefined) throw new Error('the block ends too early');
    return byte;
  };
  const length = (nibble: number): number => {
    let sum = nibble;
    for (let byte = 255; nibble === 15 && byte === 255; sum += byte) byte = next();
    return sum;
  };
  for (;;) {
    const token = next();
    const literals = length(token >>> 4);
    if (read + literals > block.length) throw new Error('literals beyond the end of the block');
    if (written + literals > size) throw new Error('literals beyond the size');
    text.set(block.subarray(read, read + literals), written);
    read += literals;
    written += literals;
    if (read === block.length) {
      if (written !== size) throw new Error(`${written} bytes instead of ${size}`);
      if (lastMatchStart > size - 12) throw new Error('the last match starts less than 12 bytes before the end');
      if (lastMatchStart >= 0 && literals < 5) throw new Error('less than 5 literals at the end');
      return text;
    }
    const offset = next() + next() * 256;
    if (offset === 0 || offset > written) throw new Error(`offset ${offset} after ${written} bytes`);
    lastMatchStart = written;
    const matchEnd = written + length(token & 15) + 4;
    if (matchEnd > size) throw new Error('a match beyond the size');
    // Byte by byte, since a match may overlap its own output.
    while (written < matchEnd) {
      text[written] = text[written - offset] ?? 0;
      written++;
    }
  }
}
