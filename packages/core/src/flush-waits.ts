import type { Clock } from './contract/clock.js';

interface Wait {
  /** Number of the last event that it waits for. */
  readonly seq: number;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  readonly end: () => void;
}

/** The calls of `flush` and `close` that wait for the events accepted before them. */
export class FlushWaits {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when {@link end} says so, or after `timeoutMs`. Keeps the process alive meanwhile. */
  for(seq: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#waits.delete(wait);
        resolve();
      };
      const wait = { seq, deadlineMs: this.#clock.monotonic() + timeoutMs, end };
      const timer = this.#clock.setTimer(end, timeoutMs);
      this.#waits.add(wait);
    });
  }

  /** Ends waits for events up to `settledSeq`, and those with a deadline before `nextMs`: nothing changes before that time. */
  end(settledSeq: number, nextMs: number): void {
    for (const { seq, deadlineMs, end } of this.#waits) if (seq <= settledSeq || nextMs > deadlineMs) end();
  }
}
