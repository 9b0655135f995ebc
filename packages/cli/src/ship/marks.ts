import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Bytes at the beginning of a file by which it is known again. */
const FINGERPRINT_BYTES = 4096;

/** How far a file was delivered. */
export interface Mark {
  readonly path: string;
  /** End of the delivered prefix, in bytes of what the file holds, decompressed. */
  readonly offset: number;
  /** Beginning of the last record, if its line has no end: the file may go on in the middle of it. */
  readonly unfinished: number | undefined;
  /** Records before it. */
  readonly records: number;
  /** Of the beginning of the file. */
  readonly fingerprint: { readonly bytes: number; readonly sha256: string };
}

/** The mark of one file and one target, in a file of its own below `$XDG_STATE_HOME/logferry`. */
export class Marks {
  readonly #path: string;
  readonly #file: string;

  /** `target` names where the file is shipped to. */
  constructor(path: string, target: string) {
    this.#path = realpathSync(path);
    const state = process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state');
    const name = createHash('sha256').update(`${this.#path}\n${target}`).digest('hex').slice(0, 32);
    this.#file = join(state, 'logferry', `${name}.json`);
  }

  /** The mark; `undefined` if there is none, or if the file has another beginning than at that time: it was replaced, or is shorter. */
  async read(): Promise<Mark | undefined> {
    if (!existsSync(this.#file)) return undefined;
    const mark = JSON.parse(readFileSync(this.#file, 'utf8')) as Mark;
    const fingerprint = await this.fingerprint(mark.fingerprint.bytes);
    return fingerprint.sha256 === mark.fingerprint.sha256 ? mark : undefined;
  }

  /** Replaces the mark, whole or not at all. Throws the error of the file system. */
  write(mark: Omit<Mark, 'path'>): void {
    mkdirSync(join(this.#file, '..'), { recursive: true });
    writeFileSync(`${this.#file}.new`, `${JSON.stringify({ path: this.#path, ...mark })}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** Of the first bytes on disk, at most 4096. */
  async fingerprint(bytes: number = FINGERPRINT_BYTES): Promise<Mark['fingerprint']> {
    const file = await open(this.#path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
      const sha256 = createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex');
      return { bytes: bytesRead, sha256 };
    } finally {
      await file.close();
    }
  }
}
