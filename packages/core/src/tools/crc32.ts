import zlib from 'node:zlib';

/** CRC-32 of bytes (https://www.rfc-editor.org/rfc/rfc1952, 8.2), begun with the checksum of those before them, or any other start. */
export const crc32: (bytes: Uint8Array, start?: number) => number =
  // Node.js 22.0 and 22.1 have none.
  (zlib.crc32 as typeof zlib.crc32 | undefined) ?? crc32ByTable;

/** The same in JavaScript, which is slower. */
export function crc32ByTable(bytes: Uint8Array, start = 0): number {
  let crc = ~start;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
