import { promisify } from 'node:util';
import { deflate as deflateWithCallback } from 'node:zlib';
import { lz4 } from './lz4.js';

/** As `x-log-compresstype` names it. */
export type Compression = 'lz4' | 'deflate';

/** The body, compressed; `undefined` when that does not make it smaller. */
export async function compress(raw: Uint8Array, compression: Compression): Promise<Buffer | undefined> {
  const compressed = compression === 'lz4' ? await lz4(raw) : await deflate(raw, { level: DEFLATE_LEVEL });
  return compressed && compressed.length < raw.length ? compressed : undefined;
}

/** With zlib's header (RFC 1950), as the service wants it; on a thread of its own. */
const deflate = promisify(deflateWithCallback);

/** Less than half the time of the default level, for a fifth more bytes. */
const DEFLATE_LEVEL = 1;
