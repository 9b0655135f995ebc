import * as zlib from 'node:zlib';
import { decodeLz4Block } from './lz4.js';

/** The compression of a body: none, an LZ4 block, zlib's format, or Zstandard. */
export type Compression = 'none' | 'lz4' | 'deflate' | 'zstd';

/** Whether this Node.js can decompress Zstandard: 22.15, 23.8 and later can. */
export const hasZstd: boolean = 'zstdDecompressSync' in zlib;

/** The body before compression: exactly so many bytes. Throws an Error with the reason. */
export function decompress(body: Buffer, compression: Compression, rawSize: number): Buffer {
  switch (compression) {
    case 'none':
      return body;
    case 'lz4':
      return decodeLz4Block(body, rawSize);
    case 'deflate':
      // Zlib's format (RFC 1950) only: neither raw deflate nor gzip.
      return inflate(zlib.inflateSync as unknown as Decompressor, body, rawSize);
    case 'zstd':
      return inflate((zlib as unknown as { zstdDecompressSync: Decompressor }).zstdDecompressSync, body, rawSize);
  }
}

/** With `info`, Node.js also returns the stream, which counts the bytes of the body that it read. The types omit this. */
type Decompressor = (
  body: Buffer,
  options: { info: true; maxOutputLength: number },
) => { buffer: Buffer; engine: { bytesWritten: number } };

function inflate(decompressor: Decompressor, body: Buffer, rawSize: number): Buffer {
  const { buffer, engine } = decompressor(body, { info: true, maxOutputLength: Math.max(rawSize, 1) });
  if (engine.bytesWritten !== body.length) throw new Error('bytes follow the compressed body');
  if (buffer.length !== rawSize) throw new Error(`the body decodes to ${buffer.length} bytes instead of ${rawSize}`);
  return buffer;
}
