import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable, Transform } from 'node:stream';
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
  const file = await open(path);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
    const isCompressed = bytesRead === GZIP.length && GZIP.every((byte, index) => buffer[index] === byte);
    return { path, sizeBytes: stats.size, isCompressed };
  } finally {
    await file.close();
  }
}

/**
 * Reads a file, decompressed, from an offset of what it holds. `onRead` is told the bytes that were read from the disk. The last part of
 * a stream that is cut off makes it fail.
 */
export function readFrom(
  { path, isCompressed }: FileSource,
  offset: number,
  onRead: (bytes: number) => void,
): Readable {
  if (!isCompressed) {
    onRead(offset);
    return createReadStream(path, { start: offset, highWaterMark: CHUNK_BYTES }).on('data', ({ length }) =>
      onRead(length),
    );
  }
  const disk = createReadStream(path).on('data', ({ length }) => onRead(length));
  return pipeline(disk, createGunzip({ chunkSize: CHUNK_BYTES }), skip(offset), () => {});
}

const CHUNK_BYTES = 64 * 1024;

/** Leaves out the first bytes. */
function skip(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const part = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - part.length;
      done(null, part.length > 0 ? part : undefined);
    },
  });
}
