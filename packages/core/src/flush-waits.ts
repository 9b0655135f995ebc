import type { Clock } from './contract/clock.js';

interface Wait {
  /** Number of the last event that it waits for. */
  seq: number;
  /** It waits also for records on disk: until so many were read back, or could not be read, and then for their events. 0 for none. */
  readBack: number;
  /** It waits for records of dead processes, too, while requests do not fail. */
  readonly needsAdopted: boolean;
  /** It ends when nothing changes before this time, on the monotonic clock. */
  readonly endsBeforeMs: number;
  readonly end: () => void;
}

interface Progress {
  readonly settledSeq: number;
  readonly lastSeq: number;
  readonly readBack: number;
  /** Whether records of dead processes wait, and requests do not fail. */
  readonly hasAdopted: boolean;
  readonly nextMs: number;
}

/** The calls of `flush` and `close` that wait for the events accepted before them. */
export class FlushWaits {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves when all that {@link Wait} names is settled, or after `timeoutMs`. `endsInVain`: it resolves sooner when no attempt can
   * come before. Keeps the process alive meanwhile.
   */
  for(
    { seq, readBack, needsAdopted }: Pick<Wait, 'seq' | 'readBack' | 'needsAdopted'>,
    timeoutMs: number,
    endsInVain: boolean,
  ): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#waits.delete(wait);
        resolve();
      };
      const deadlineMs = this.#clock.monotonic() + timeoutMs;
      const wait = {
        seq,
        readBack,
        needsAdopted,
        endsBeforeMs: endsInVain ? deadlineMs : Number.POSITIVE_INFINITY,
        end,
      };
      const timer = this.#clock.setTimer(end, timeoutMs);
      this.#waits.add(wait);
    });
  }

  /**
   * Ends waits for events up to `settledSeq`, and waits in vain: nothing changes before `nextMs`. `lastSeq` is the last event so far,
   * and `readBack` the number of records that were read back, or could not be read.
   */
  end({ settledSeq, lastSeq, readBack, hasAdopted, nextMs }: Progress): void {
    for (const wait of this.#waits) {
      if (wait.readBack > 0 && wait.readBack <= readBack) {
        wait.readBack = 0;
        wait.seq = lastSeq;
      }
      const isSettled = wait.readBack === 0 && wait.seq <= settledSeq && !(wait.needsAdopted && hasAdopted);
      if (isSettled || nextMs > wait.endsBeforeMs) wait.end();
    }
  }
}
