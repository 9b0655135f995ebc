import type { Clock } from './contract/clock.js';

interface Wait {
  /** Number of the last event that it waits for. */
  readonly seq: number;
  /** It ends when nothing changes before this time, on the monotonic clock. */
  readonly endsBeforeMs: number;
  readonly end: () => void;
}

/** The calls of `flush` and `close` that wait for the events accepted before them. */
export class FlushWaits {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves when the events up to `seq` are settled, or after `timeoutMs`. `endsInVain`: it resolves sooner when no attempt can
   * come before. Keeps the process alive meanwhile.
   */
  for(seq: number, timeoutMs: number, endsInVain: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#waits.delete(wait);
        resolve();
      };
      const deadlineMs = this.#clock.monotonic() + timeoutMs;
      const wait = { seq, endsBeforeMs: endsInVain ? deadlineMs : Number.POSITIVE_INFINITY, end };
      const timer = this.#clock.setTimer(end, timeoutMs);
      this.#waits.add(wait);
    });
  }

  /** Ends waits for events up to `settledSeq`, and waits in vain: nothing changes before `nextMs`. */
  end(settledSeq: number, nextMs: number): void {
    for (const { seq, endsBeforeMs, end } of this.#waits) if (seq <= settledSeq || nextMs > endsBeforeMs) end();
  }
}
