declare module 'lz4js' {
  /** Most bytes that a block of `length` bytes can take. */
  export function compressBound(length: number): number;

  /** Writes an LZ4 block. Returns its length; 0 if nothing repeats. */
  export function compressBlock(
    source: Uint8Array,
    target: Uint8Array,
    start: number,
    length: number,
    hashTable: Uint32Array,
  ): number;
}
