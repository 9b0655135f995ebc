import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

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
  readonly #say: (text: string) => void;
  #isFaultSaid = false;

  /** `target` names where the file is shipped to. `say` is told what is wrong with the mark: the file ships nevertheless. */
  constructor(path: string, target: string, say: (text: string) => void) {
    this.#say = say;
    this.#path = realpathSync(path);
    const state = process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state');
    const name = createHash('sha256').update(`${this.#path}\n${target}`).digest('hex').slice(0, 32);
    this.#file = join(state, 'logferry', `${name}.json`);
  }

  /** The mark; `undefined` if there is none, or if the file has another beginning than at that time: it was replaced, or is shorter. */
  async read(): Promise<Mark | undefined> {
    const mark = this.#load();
    if (!mark) return undefined;
    const fingerprint = await this.fingerprint(mark.fingerprint.bytes);
    return fingerprint.sha256 === mark.fingerprint.sha256 ? mark : undefined;
  }

  /** Replaces the mark, whole or not at all. */
  write(mark: Omit<Mark, 'path'>): void {
    // Another command may mark the same file.
    const next = `${this.#file}.${process.pid}.new`;
    try {
      makeDirectory(dirname(this.#file));
      writeFileSync(next, `${JSON.stringify({ path: this.#path, ...mark })}\n`);
      renameSync(next, this.#file);
    } catch (error) {
      if (!this.#isFaultSaid) this.#say(`no mark for --resume can be made: ${(error as Error).message}`);
      this.#isFaultSaid = true;
    }
  }

  #load(): Mark | undefined {
    if (!existsSync(this.#file)) return undefined;
    try {
      const mark: unknown = JSON.parse(readFileSync(this.#file, 'utf8'));
      if (isMark(mark)) return mark;
      this.#say(`the mark ${this.#file} is damaged: begins anew`);
    } catch (error) {
      this.#say(`the mark ${this.#file} cannot be read: ${(error as Error).message}: begins anew`);
    }
    return undefined;
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

/** One by one: where a directory cannot be made, Node.js may try for ever to make several. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  if (path !== dirname(path)) makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isMark(value: unknown): value is Mark {
  const { offset, unfinished = 0, records, fingerprint } = Object(value) as Partial<Mark>;
  const { bytes, sha256 } = Object(fingerprint) as Partial<Mark['fingerprint']>;
  return (
    [offset, unfinished, records, bytes].every((number) => Number.isSafeInteger(number) && Number(number) >= 0) &&
    Number(bytes) <= FINGERPRINT_BYTES &&
    typeof sha256 === 'string'
  );
}
