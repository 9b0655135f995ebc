import { promisify } from 'node:util';
import { deflate as deflateWithCallback } from 'node:zlib';
import { lz4 } from './lz4.js';

/** Value of the header `x-log-compresstype`. */
export type Compression = 'lz4' | 'deflate';

/** Compresses a body. Returns `undefined` if that does not make it smaller. */
export async function compress(raw: Uint8Array, compression: Compression): Promise<Buffer | undefined> {
  const compressed = compression === 'lz4' ? await lz4(raw) : await deflate(raw, { level: DEFLATE_LEVEL });
  return compressed && compressed.length < raw.length ? compressed : undefined;
}

/** Writes zlib's header (RFC 1950), as the service requires. Runs on a thread of libuv's pool. */
const deflate = promisify(deflateWithCallback);

/** Takes less than half the time of the default level, and makes bodies a fifth larger. */
const DEFLATE_LEVEL = 1;
