import { writeSync } from 'node:fs';

/**
 * Writes to the file descriptor: `process.stderr` can lose a line at the exit of the process, and writes nothing from a worker thread
 * while the main thread is blocked.
 *
 * @returns the number of bytes that stderr took; 0 if it is full
 */
export function writeToStderr(bytes: Uint8Array): number {
  try {
    return writeSync(2, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    // stderr is closed: nobody will read the line.
    return bytes.length;
  }
}
