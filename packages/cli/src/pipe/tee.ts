import type { Writable } from 'node:stream';

/** Makes an output that a reader may close early, as `head` does: what comes later is let go. */
export function openTee(output: Writable): Writable {
  output.on('error', () => {});
  return output;
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
