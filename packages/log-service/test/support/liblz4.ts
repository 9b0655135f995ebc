import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export interface Block {
  readonly raw: Buffer;
  readonly block: Uint8Array;
}

/** Whether this machine has the C library, and Python to call it. */
export function hasLiblz4(): boolean {
  return spawnSync('python3', [SCRIPT], { input: '' }).status === 0;
}

/**
 * Decodes blocks with `LZ4_decompress_safe` of liblz4, each into a buffer of exactly its size. Returns for each whether the
 * result is right.
 */
export async function decodesWithLiblz4(blocks: Iterable<Block>): Promise<boolean[]> {
  const python = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  python.stdout.on('data', (chunk) => chunks.push(chunk));
  const ended = new Promise((resolve) => python.on('close', resolve));
  const checksums: number[] = [];
  for (const { raw, block } of blocks) {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(raw.length);
    header.writeUInt32LE(block.length, 4);
    python.stdin.write(header);
    if (!python.stdin.write(block)) await new Promise((resolve) => python.stdin.once('drain', resolve));
    checksums.push(crc32(raw));
  }
  python.stdin.end();
  await ended;
  const results = Buffer.concat(chunks);
  return checksums.map(
    (checksum, index) => results[index * 5] === 1 && results.readUInt32LE(index * 5 + 1) === checksum,
  );
}

const SCRIPT = join(import.meta.dirname, 'liblz4.py');
