import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/**
 * A throttling is remembered for so many times the shortest wait. A single one is soon forgotten. One after another are the sign of a quota
 * that is too small, and remembered so long that one request in fifty finds out whether it still is.
 */
const SHORTEST_MEMORY = 4;
const LONGEST_MEMORY = 64;

/** A throttling follows another if it comes within so many times for which that one is remembered. */
const FOLLOWS_WITHIN = 4;

/**
 * The time for which a batch of a route that is not full waits for those behind it, so that one request carries them all. There is none
 * until the service throttles the route: each throttling doubles it, and without another it fades. So a fleet of processes finds together
 * the rate of requests that the service takes.
 */
export class JoiningWait {
  readonly #shortestMs: number;
  readonly #longestMs: number;
  #waitMs = 0;
  #memoryMs = 0;
  /** Time of the last throttling, on the monotonic clock. */
  #throttledAtMs = Number.NEGATIVE_INFINITY;

  constructor({ maxDelayMs, retry }: Pick<ResolvedDeliveryOptions, 'maxDelayMs' | 'retry'>) {
    this.#shortestMs = Math.min(retry.capMs, Math.max(2 * maxDelayMs, retry.throttledBaseMs));
    this.#longestMs = retry.capMs;
  }

  /** Doubles once for all requests that were in flight together. */
  lengthen(sentAtMs: number, nowMs: number): void {
    if (sentAtMs < this.#throttledAtMs) return;
    const waitMs = this.#waitAt(nowMs);
    const follows = nowMs - this.#throttledAtMs < FOLLOWS_WITHIN * this.#memoryMs;
    const memoryMs = follows ? 4 * this.#memoryMs : SHORTEST_MEMORY * this.#shortestMs;
    this.#memoryMs = Math.min(LONGEST_MEMORY * this.#shortestMs, memoryMs);
    this.#waitMs = Math.min(this.#longestMs, Math.max(2 * waitMs, this.#shortestMs));
    this.#throttledAtMs = nowMs;
  }

  /** The wait of a batch that was opened at this time, on the monotonic clock; 0 for none. */
  #waitAt(atMs: number): number {
    const waitMs = this.#waitMs * Math.exp(-Math.max(0, atMs - this.#throttledAtMs) / this.#memoryMs);
    // Mostly a batch has waited for as long when it is sealed.
    return waitMs < this.#shortestMs / 2 ? 0 : waitMs;
  }

  /** The end of the wait of a batch, on the monotonic clock. Chance, from 0 to 1, keeps processes apart that began at once. */
  untilMs(acceptedAtMs: number, chance: number): number {
    return acceptedAtMs + this.#waitAt(acceptedAtMs) * (0.5 + chance / 2);
  }
}
