import { basename, dirname, join } from 'node:path';
import { attempt } from '../tools/attempt.js';
import type { SpoolFiles } from './files.js';
import type { Scan } from './scan.js';

/** Most bytes that are kept of damaged parts of segments. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Keeps what is damaged, for an engineer to look at. No failure of the disk is thrown: the records are lost in any case, and counted. */
export class Quarantine {
  readonly #directory: string;
  readonly #files: SpoolFiles;

  constructor(keyDirectory: string, files: SpoolFiles) {
    this.#directory = join(keyDirectory, 'quarantine');
    this.#files = files;
  }

  /** Keeps the damaged bytes of a segment, as far as there is room. */
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

  /** Takes a whole segment away. */
  move(path: string): void {
    attempt(() => {
      this.#files.makeDirectory(this.#directory);
      this.#files.rename(path, join(this.#directory, `${basename(dirname(path))}-${basename(path)}`));
    });
  }
}
