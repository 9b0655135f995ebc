import type { DeliveryCode } from './errors.js';
import type { Allowance } from './lanes.js';

/** So many failures of service or network in a row, of whichever route, are an outage. */
const OUTAGE_FAILURES = 3;

/**
 * How fast a destination may be asked. Concurrency halves on throttling and timeouts, and creeps back with each success.
 * In an outage a single probe flies, and the pauses between probes grow. Both count only failures with no success in
 * between: one bad route among good ones is that route's affair.
 */
export class Pace {
  readonly #mostSlots: number;
  #concurrency: number;
  /** Successes so far. */
  #successes = 0;
  /** The last request that was in flight when the concurrency was halved. */
  #halvedAtRequest = 0;
  /** Failures of service or network since the last success. */
  #failures = 0;
  #pausedUntilMs = 0;
  #works = false;

  constructor(concurrency: number) {
    this.#mostSlots = concurrency;
    this.#concurrency = concurrency;
  }

  get allowance(): Allowance {
    const isOutage = this.#failures >= OUTAGE_FAILURES;
    return { slots: isOutage ? 1 : Math.floor(this.#concurrency), isOutage };
  }

  /** No request before this time, on the monotonic clock. */
  get pausedUntilMs(): number {
    return this.#pausedUntilMs;
  }

  /** Failures that drive the pause between probes; 0 when there is no outage. */
  get outageFailures(): number {
    return Math.max(0, this.#failures - OUTAGE_FAILURES + 1);
  }

  /** Whether the last answer was a success. */
  get works(): boolean {
    return this.#works;
  }

  /** To be handed to `failed`: tells whether there was a success in between. */
  get successes(): number {
    return this.#successes;
  }

  succeeded(): void {
    this.#works = true;
    this.#successes++;
    this.#failures = 0;
    this.#pausedUntilMs = 0;
    this.#concurrency = Math.min(this.#mostSlots, this.#concurrency + 1 / this.#concurrency);
  }

  /** A request failed that was sent as number `request`, after `successes`; `lastRequest` is the latest sent so far. */
  failed(
    code: DeliveryCode,
    sent: { readonly request: number; readonly successes: number },
    lastRequest: number,
  ): void {
    if (sent.successes < this.#successes) return;
    this.#works = false;
    if (code === 'UNAVAILABLE' || code === 'NETWORK' || code === 'TIMEOUT') this.#failures++;
    if (code !== 'THROTTLED' && code !== 'TIMEOUT') return;
    // Once for all requests that were in flight together.
    if (sent.request <= this.#halvedAtRequest) return;
    this.#halvedAtRequest = lastRequest;
    this.#concurrency = Math.max(1, this.#concurrency / 2);
  }

  pause(untilMs: number): void {
    this.#pausedUntilMs = untilMs;
  }

  /** Ends the pause; an outage stays one until something succeeds. */
  wake(): void {
    this.#pausedUntilMs = 0;
    this.#failures = Math.min(this.#failures, OUTAGE_FAILURES);
  }
}
