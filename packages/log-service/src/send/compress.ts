import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { lz4 } from './lz4.js';

/** Value of the header `x-log-compresstype`. */
export type Compression = 'lz4' | 'deflate' | 'zstd';

/** Compresses a body. Returns `undefined` if that does not make it smaller. */
export async function compress(raw: Uint8Array, compression: Compression): Promise<Buffer | undefined> {
  const compressed = await COMPRESSORS[compression](raw);
  return compressed && compressed.length < raw.length ? compressed : undefined;
}

/** Whether this Node.js has zstd: it came with 22.15 and 23.8. */
export function hasZstd(): boolean {
  return zstd !== undefined;
}

// All but lz4 run on a thread of libuv's pool.
const deflate = promisify(zlib.deflate);
const { zstdCompress } = zlib as { readonly zstdCompress?: typeof zlib.gzip };
const zstd = zstdCompress && promisify<Uint8Array, Buffer>(zstdCompress);

/** Takes less than half the time of the default level, and makes bodies a fifth larger. */
const DEFLATE_LEVEL = 1;

const COMPRESSORS: Readonly<Record<Compression, (raw: Uint8Array) => Promise<Buffer | undefined>>> = {
  lz4,
  // Writes zlib's header (RFC 1950), as the service requires.
  deflate: (raw) => deflate(raw, { level: DEFLATE_LEVEL }),
  zstd: async (raw) => zstd?.(raw),
};
