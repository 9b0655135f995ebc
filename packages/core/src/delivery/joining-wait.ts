import type { PendingBatch } from '../batch/pending-batch.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { RequestSnapshot } from './congestion.js';

/**
 * The part that a success takes off the shortest wait: of the requests to a quota that is too small by half, one in thirty is throttled
 * then. It takes more off a longer wait, so that the waits of a fleet draw near each other.
 */
const EASING = 1 / 64;
const MOST_EASING = 1 / 8;

/**
 * The time for which a batch that is not full waits for those behind it, so that one request carries them all. There is none until the
 * service throttles: each throttling doubles it, each success shortens it. So a fleet of processes finds together the rate of requests
 * that the service takes. The end of an outage doubles it, too: then all processes come back, and their backlogs, which have waited long
 * enough, go before what is new.
 */
export class JoiningWait {
  readonly #options: Pick<ResolvedDeliveryOptions, 'maxDelayMs' | 'retry'>;
  readonly #random: () => number;
  #waitMs = 0;
  /** When it was doubled last, on the monotonic clock. */
  #doubledAtMs = Number.NEGATIVE_INFINITY;
  /** Records that were accepted up to then do not wait. */
  #wokenAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: Pick<ResolvedDeliveryOptions, 'maxDelayMs' | 'retry'>, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** The service throttled, or an outage ends. Doubles once for all requests that were in flight together. */
  lengthen({ atMs }: RequestSnapshot, nowMs: number): void {
    if (atMs < this.#doubledAtMs) return;
    const { retry } = this.#options;
    this.#doubledAtMs = nowMs;
    this.#waitMs = Math.min(retry.capMs, Math.max(2 * this.#waitMs, this.#shortestMs));
  }

  succeeded(): void {
    this.#waitMs *= 1 - Math.min(MOST_EASING, (EASING * this.#waitMs) / this.#shortestMs);
    // Mostly a batch has waited for as long when it is sealed.
    if (this.#waitMs < this.#shortestMs / 2) this.#waitMs = 0;
  }

  /** Ends the wait of all records so far. */
  wake(nowMs: number): void {
    this.#wokenAtMs = nowMs;
  }

  /** The wait after the first throttling. */
  get #shortestMs(): number {
    const { maxDelayMs, retry } = this.#options;
    return Math.max(2 * maxDelayMs, retry.throttledBaseMs);
  }

  /** The end of the wait of a batch, on the monotonic clock; 0 for none. The chance in it keeps processes apart that began at once. */
  untilMs({ acceptedAtMs }: PendingBatch): number {
    return this.#waitMs === 0 || acceptedAtMs <= this.#wokenAtMs
      ? 0
      : acceptedAtMs + this.#waitMs * (0.5 + this.#random() / 2);
  }
}
