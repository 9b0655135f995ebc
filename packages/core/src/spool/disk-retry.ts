import type { Clock } from '../contract/clock.js';

/** After a failure of the disk it is tried again after this time, which doubles. */
const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** When a disk that failed is to be tried again. */
export class DiskRetry {
  readonly #clock: Clock;
  /** In a row. */
  #failures = 0;
  /** On the monotonic clock. */
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Time of the next try, on the monotonic clock. */
  get atMs(): number {
    return this.#atMs;
  }

  /** Whether it may be tried now. */
  get isDue(): boolean {
    return this.#failures === 0 || this.#clock.monotonic() >= this.#atMs;
  }

  /** Counts a failure. Returns whether it is the first in a row. One that comes before the next try says nothing new. */
  failed(): boolean {
    if (!this.isDue) return false;
    this.#atMs = this.#clock.monotonic() + Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** this.#failures);
    return this.#failures++ === 0;
  }

  succeeded(): void {
    this.#failures = 0;
    this.tryNow();
  }

  /** Has it tried at once, however often it failed. */
  tryNow(): void {
    this.#atMs = Number.NEGATIVE_INFINITY;
  }
}
