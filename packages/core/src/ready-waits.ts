import type { Clock } from './contract/clock.js';

/** The calls of `ready()` that wait for room in the budget. They keep the process alive. */
export class ReadyWaits {
  readonly #clock: Clock;
  readonly #isReady: () => boolean;
  #ends: (() => void)[] = [];

  constructor(clock: Clock, isReady: () => boolean) {
    this.#clock = clock;
    this.#isReady = isReady;
  }

  get isWaiting(): boolean {
    return this.#ends.length > 0;
  }

  /** Resolves when it is ready. */
  async wait(): Promise<void> {
    if (this.#isReady()) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(() => {}, Number.POSITIVE_INFINITY);
      this.#ends.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Ends the waits if it is ready now. */
  check(): void {
    if (this.#ends.length === 0 || !this.#isReady()) return;
    for (const end of this.#ends.splice(0)) end();
  }
}
