import { onProcessEnd, watchExit } from './exit.js';

/** A shipper, as the end of its process sees it. */
interface Ending {
  /** Number of records so far: it grows with each. */
  received(): number;
  /** Delivers what is pending, for a bounded time. Keeps the process alive meanwhile. Resolves to the number of records left. */
  flush(): Promise<number>;
  /** Nothing is pending any more. */
  idle(): void;
  /** Nothing can be delivered in this thread any more. `isGivenUp`: all that is pending has met a deadline before. */
  exit(isGivenUp: boolean): void;
}

/**
 * Ends a shipper with its process. At `beforeExit` it flushes, and does not close: the process may go on, and end again. At
 * `exit` the rest ends.
 */
export class ProcessEnd {
  readonly #ending: Ending;
  readonly #isExiting = watchExit();
  #cancels: readonly (() => void)[] = [];
  /** Records that had come when a flush met its deadline. */
  #givenUpAt = 0;

  constructor(ending: Ending) {
    this.#ending = ending;
  }

  /** Whether only synchronous code still runs. */
  get isExiting(): boolean {
    return this.#isExiting();
  }

  /** Something is pending from now on. */
  watch(): void {
    if (this.#cancels.length > 0) return;
    this.#cancels = [
      onProcessEnd('beforeExit', () => this.#flush()),
      onProcessEnd('exit', () => this.#ending.exit(this.#ending.received() === this.#givenUpAt)),
    ];
  }

  /** Nothing is pending. */
  forget(): void {
    if (this.#cancels.length === 0) return;
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    this.#ending.idle();
  }

  /** Records that met the deadline once are not tried again unless one came since: the wait would never let the process end. */
  async #flush(): Promise<void> {
    const received = this.#ending.received();
    if (received === this.#givenUpAt) return;
    const left = await this.#ending.flush();
    if (left > 0) this.#givenUpAt = received;
  }
}
