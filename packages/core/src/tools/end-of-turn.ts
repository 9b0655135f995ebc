import type { Clock } from '../contract/clock.js';

/** A turn that takes longer is rare; then the call comes twice, which does no harm. */
const LOST_MS = 1000;

/** Calls back once at the end of a turn of the event loop, however often it was asked for. */
export class EndOfTurn {
  readonly #clock: Clock;
  readonly #callback: () => void;
  /** Time of the request that has not called back, on the monotonic clock. */
  #requestedAtMs: number | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** Asks for a call. One that never comes, since a fake timer took it, is asked for anew. */
  request(): void {
    const nowMs = this.#clock.monotonic();
    if (this.#requestedAtMs !== undefined && nowMs - this.#requestedAtMs < LOST_MS) return;
    this.#requestedAtMs = nowMs;
    this.#clock.defer(() => {
      this.#requestedAtMs = undefined;
      this.#callback();
    });
  }
}
