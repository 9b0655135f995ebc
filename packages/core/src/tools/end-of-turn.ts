import type { Clock } from '../contract/clock.js';

/** A turn that takes longer is rare; then the call comes twice, which does no harm. */
const LOST_MS = 1000;

/** Looking at the clock for each record would cost as much as a fiftieth of a log call. */
const REQUESTS_BETWEEN_LOOKS = 16;

/** Calls back once at the end of a turn of the event loop, however often it was asked for. */
export class EndOfTurn {
  readonly #clock: Clock;
  readonly #callback: () => void;
  /** Time of the request that has not called back, on the monotonic clock. */
  #requestedAtMs: number | undefined;
  #requests = 0;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** Asks for a call. One that never comes, since a fake timer took it, is asked for anew. */
  request(): void {
    if (this.#requestedAtMs !== undefined && ++this.#requests % REQUESTS_BETWEEN_LOOKS !== 0) return;
    const nowMs = this.#clock.monotonic();
    if (this.#requestedAtMs !== undefined && nowMs - this.#requestedAtMs < LOST_MS) return;
    this.#requestedAtMs = nowMs;
    this.#clock.defer(() => {
      this.#requestedAtMs = undefined;
      this.#callback();
    });
  }
}
