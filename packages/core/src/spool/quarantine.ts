import { basename, dirname, join } from 'node:path';
import { attempt } from '../tools/attempt.js';
import type { SpoolFiles } from './files.js';
import type { Scan } from './scan.js';

/** Most bytes that are kept of damaged parts of segments. */
const MAX_BYTES = 8 * 1024 * 1024;

/** The name of the directory beside those of the writers. */
export const QUARANTINE = 'quarantine';

/** Keeps what is damaged or foreign, for an engineer to look at. */
export class Quarantine {
  readonly #directory: string;
  readonly #files: SpoolFiles;

  constructor(keyDirectory: string, files: SpoolFiles) {
    this.#directory = join(keyDirectory, QUARANTINE);
    this.#files = files;
  }

  /** Keeps the damaged bytes of a segment, as far as there is room, and the disk lets it: the records are lost in any case. */
  keepParts(path: string, bytes: Buffer, { damaged }: Scan): void {
    const files = this.#files;
    attempt(() => {
      files.makeDirectory(this.#directory);
      const names = new Set(files.list(this.#directory));
      let used = [...names].reduce((sum, name) => sum + files.stat(join(this.#directory, name)).size, 0);
      for (const { start, end } of damaged) {
        const name = `${basename(path)}-${start}.bad`;
        // An earlier start has found it, too.
        if (names.has(name)) continue;
        used += end - start;
        if (used > MAX_BYTES) return;
        files.append(join(this.#directory, name), bytes.subarray(start, end));
      }
    });
  }

  /** Takes a whole file away. Throws the error of the file system. */
  move(path: string): void {
    this.#files.makeDirectory(this.#directory);
    this.#files.rename(path, join(this.#directory, `${basename(dirname(path))}-${basename(path)}`));
  }
}
