import type { DeliveryCode } from './errors.js';
import type { Allowance } from './lanes.js';

/** So many failures of service or network in a row are an outage, unless all are of one route while others wait. */
const OUTAGE_FAILURES = 3;

/**
 * How fast a destination may be asked. Concurrency halves on throttling and timeouts, and creeps back with each success.
 * In an outage a single probe flies, and the pauses between probes grow. Both count only failures with no success in
 * between: one bad route among good ones is that route's affair.
 */
export class Pace {
  readonly #mostSlots: number;
  /** How many routes have something to send. */
  readonly #routes: () => number;
  #concurrency: number;
  /** Successes so far. */
  #successes = 0;
  /** The last request that was in flight when the concurrency was halved. */
  #halvedAtRequest = 0;
  /** Failures of service or network since the last success, and the routes that met them. */
  #failures = 0;
  readonly #failedRoutes = new Set<string>();
  #pausedUntilMs = 0;
  #works = false;

  constructor(concurrency: number, routes: () => number) {
    this.#mostSlots = concurrency;
    this.#routes = routes;
    this.#concurrency = concurrency;
  }

  get allowance(): Allowance {
    const isOutage = this.#isOutage;
    return { slots: isOutage ? 1 : Math.floor(this.#concurrency), isOutage };
  }

  /** No request before this time, on the monotonic clock. */
  get pausedUntilMs(): number {
    return this.#isOutage ? this.#pausedUntilMs : 0;
  }

  /** Failures that drive the pause between probes; 0 when there is no outage. */
  get outageFailures(): number {
    return this.#isOutage ? this.#failures - OUTAGE_FAILURES + 1 : 0;
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
    this.#failedRoutes.clear();
    this.#pausedUntilMs = 0;
    this.#concurrency = Math.min(this.#mostSlots, this.#concurrency + 1 / this.#concurrency);
  }

  /** A request failed that was sent as number `request`, after `successes`; `lastRequest` is the latest sent so far. */
  failed(
    route: string,
    code: DeliveryCode,
    sent: { readonly request: number; readonly successes: number },
    lastRequest: number,
  ): void {
    if (sent.successes < this.#successes) return;
    this.#works = false;
    if (code === 'UNAVAILABLE' || code === 'NETWORK' || code === 'TIMEOUT') {
      this.#failures++;
      this.#failedRoutes.add(route);
    }
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

  get #isOutage(): boolean {
    return this.#failures >= OUTAGE_FAILURES && (this.#failedRoutes.size > 1 || this.#routes() <= 1);
  }
}
