import type { Writable } from 'node:stream';
import type { Terminal } from './terminal.js';
import { size } from './texts.js';

/** Makes an output that a reader may close early, as `head` does: what comes later is let go. Another error of it is said, once. */
export function openTee(output: Writable, name: string, terminal: Terminal): Writable {
  let isSaid = false;
  output.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || isSaid) return;
    isSaid = true;
    terminal.say(`${name} cannot be written: ${message}: the input is not passed on as a whole`);
  });
  return output;
}

/** Ends the process if the reader of an output does not read, which the process would wait for. For a command that a signal ended. */
export function leaveStuck(outputs: readonly Writable[], code: number, terminal: Terminal): void {
  const bytes = outputs.reduce((sum, { writableLength }) => sum + writableLength, 0);
  if (bytes === 0) return;
  terminal.say(`${size(bytes)} of the input were not passed on, since nobody reads them`);
  process.exit(code);
}

/** Writes to it, and waits for its reader. */
export function passOn(output: Writable, chunk: Uint8Array): Promise<void> {
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

const ENDS = ['drain', 'error', 'close'];
