import type { Writable } from 'node:stream';
import type { Terminal } from './terminal.js';
import { size } from './texts.js';

/** Passes an input on to an output. The reader of that may end early, as `head` does: what comes later is let go. */
export class Tee {
  readonly #output: Writable;
  #hasFailed = false;

  /** An error of the output is said, once, by its `name`. */
  constructor(output: Writable, name: string, terminal: Terminal) {
    this.#output = output;
    output.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE' || this.#hasFailed) return;
      this.#hasFailed = true;
      terminal.say(`${name} cannot be written: ${message}: the input is not passed on as a whole`);
    });
  }

  /** Whether the input was not passed on as a whole, though its reader wanted it. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Bytes that the reader has not taken. */
  get waitingBytes(): number {
    return this.#output.writableLength;
  }

  /** Writes to the output, and waits for its reader. */
  passOn(chunk: Uint8Array): Promise<void> {
    const output = this.#output;
    return new Promise((resolve) => {
      if (output.destroyed || output.write(chunk)) {
        resolve();
        return;
      }
      const go = (): void => {
        for (const event of ENDS) output.off(event, go);
        resolve();
      };
      for (const event of ENDS) output.on(event, go);
    });
  }
}

/** Ends the process if the reader of an output does not read, which the process would wait for. For a command that a signal ended. */
export function leaveStuck(tees: readonly Tee[], code: number, terminal: Terminal): void {
  const bytes = tees.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
  if (bytes === 0) return;
  terminal.say(`${size(bytes)} of the input were not passed on, since nobody reads them`);
  process.exit(code);
}

const ENDS = ['drain', 'error', 'close'];
