import type { Clock } from '../contract/clock.js';
import type { ResolvedLimits } from '../options/delivery-options.js';

/**
 * Replaces a time that the service is sure to refuse, and one that is no number, by the time now: a field that is 90 days old
 * says something else than when the event happened.
 */
export class TimeWindow {
  /** Number of replaced times. */
  redated = 0;
  readonly #clock: Clock;
  readonly #maxPastMs: number;
  readonly #maxFutureMs: number;
  /** The window as of the last look at the clock; empty before. */
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, limits: Pick<ResolvedLimits, 'maxPastMs' | 'maxFutureMs'>) {
    const { maxPastMs = Number.POSITIVE_INFINITY, maxFutureMs = Number.POSITIVE_INFINITY } = limits;
    this.#clock = clock;
    this.#maxPastMs = maxPastMs;
    this.#maxFutureMs = maxFutureMs;
  }

  /** The time if it is in the window, or else the time now, in epoch milliseconds. */
  dateOf(time: number): number {
    if (this.#includes(time)) return time;
    const now = this.#clock.now();
    this.#from = now - this.#maxPastMs;
    this.#to = now + this.#maxFutureMs;
    if (this.#includes(time)) return time;
    this.redated++;
    return now;
  }

  /** Forgets the window: a look at the clock for each record would cost as much as the rest of a short log call. */
  clear(): void {
    this.#from = Number.POSITIVE_INFINITY;
  }

  #includes(time: number): boolean {
    return time >= this.#from && time <= this.#to;
  }
}
