import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** The first bytes of a gzip file: https://www.rfc-editor.org/rfc/rfc1952 */
const GZIP = [0x1f, 0x8b];

/** A file that is shipped. */
export interface FileSource {
  readonly path: string;
  /** As it is on disk. */
  readonly sizeBytes: number;
  readonly isCompressed: boolean;
}

/** Looks at a file. Rejects with the error of the file system. */
export async function inspectFile(path: string): Promise<FileSource> {
  // Not opened before: that waits for the writer of a named pipe.
  const stats = await stat(path);
  if (!stats.isFile()) throw new Error('it is no file');
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
    const isCompressed = bytesRead === GZIP.length && GZIP.every((byte, index) => buffer[index] === byte);
    return { path, sizeBytes: stats.size, isCompressed };
  } finally {
    await file.close();
  }
}

/**
 * Reads a file, decompressed, from an offset of what it holds. `onRead` is told the bytes that were read from the disk. Throws for a file
 * that cannot be read to its end, after all that can be.
 */
export async function* readFrom(
  { path, isCompressed }: FileSource,
  offset: number,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer, void> {
  if (!isCompressed) onRead(offset);
  const disk = createReadStream(path, { start: isCompressed ? 0 : offset, highWaterMark: CHUNK_BYTES });
  disk.on('data', ({ length }) => onRead(length)).pause();
  if (isCompressed) yield* skip(decompress(disk), offset);
  else yield* disk as AsyncIterable<Buffer>;
}

const CHUNK_BYTES = 64 * 1024;

/** A stream of zlib that fails throws away what it holds: here the fault comes after that. */
async function* decompress(disk: Readable): AsyncGenerator<Buffer, void> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const output = new PassThrough();
  let fault: Error | undefined;
  for (const stream of [disk, gunzip])
    stream.on('error', (error) => {
      fault ??= error;
      for (let rest = gunzip.read(); rest !== null; rest = gunzip.read()) output.write(rest);
      output.end();
    });
  disk.pipe(gunzip).pipe(output);
  try {
    yield* output as AsyncIterable<Buffer>;
  } finally {
    disk.destroy();
    gunzip.destroy();
  }
  if (fault) throw fault;
}

/** Leaves out the first bytes. */
async function* skip(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer, void> {
  let left = bytes;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - part.length;
    if (part.length > 0) yield part;
  }
  if (left > 0) throw new Error('it is shorter than at the last run');
}
