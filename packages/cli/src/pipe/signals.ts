import { constants } from 'node:os';
import type { Terminal } from './terminal.js';

/** The signals that end a command. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The consequence of the first signal. */
export const DELIVERING = 'delivering what was read; once more ends at once';

/** The exit code of a program that a signal ended, as shells have it. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** The first signal asks the command to end in good order; the second ends it at once, and what waits is counted as lost. */
export class Signals {
  readonly #asked = new AbortController();

  constructor(terminal: Terminal) {
    for (const signal of ENDING)
      process.on(signal, () => {
        if (this.#asked.signal.aborted) terminal.leave(exitCodeOf(signal));
        terminal.say(`${signal}: ${DELIVERING}`);
        this.#asked.abort();
      });
  }

  /** Aborted by the first signal. */
  get asked(): AbortSignal {
    return this.#asked.signal;
  }
}
