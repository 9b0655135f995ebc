import type { DeliveryCode } from '../contract/errors.js';
import type { SendCapacity } from './route-scheduler.js';

/** So many failures of service or network in a row are an outage. */
const OUTAGE_FAILURES = 3;

/** What was so when a request was sent. */
export interface RequestSnapshot {
  readonly route: string;
  /** Its number among all requests. */
  readonly request: number;
  /** How many had succeeded. */
  readonly successes: number;
  /** On the monotonic clock. */
  readonly atMs: number;
}

/**
 * How fast a destination may be asked. Concurrency halves on throttling and timeouts, and creeps back with each success.
 * In an outage a single probe flies, and the pauses between probes grow. Both count only failures with no success in
 * between, and neither minds one route that fails while others wait: that is this route's affair.
 */
export class CongestionControl {
  readonly #mostSlots: number;
  /** How many routes have something to send. */
  readonly #routes: () => number;
  #concurrency: number;
  #requests = 0;
  #successes = 0;
  /** The last request that was in flight when the concurrency was halved. */
  #halvedAtRequest = 0;
  /** Failures of service or network since the last success. */
  #failures = 0;
  /** The route that met the first of them, and whether another did, too. */
  #failedRoute: string | undefined;
  #severalRoutesFailed = false;
  #pausedUntilMs = 0;
  #isHealthy = false;

  constructor(concurrency: number, routes: () => number) {
    this.#mostSlots = concurrency;
    this.#routes = routes;
    this.#concurrency = concurrency;
  }

  get capacity(): SendCapacity {
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
  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** A request is sent; what this returns goes to `failed` if it does. */
  sent(route: string, atMs: number): RequestSnapshot {
    return { route, request: ++this.#requests, successes: this.#successes, atMs };
  }

  succeeded(): void {
    this.#isHealthy = true;
    this.#successes++;
    this.#failures = 0;
    this.#failedRoute = undefined;
    this.#severalRoutesFailed = false;
    this.#pausedUntilMs = 0;
    this.#concurrency = Math.min(this.#mostSlots, this.#concurrency + 1 / this.#concurrency);
  }

  failed(code: DeliveryCode, { route, request, successes }: RequestSnapshot): void {
    if (successes < this.#successes) return;
    this.#isHealthy = false;
    if (code === 'UNAVAILABLE' || code === 'NETWORK' || code === 'TIMEOUT') {
      this.#failures++;
      this.#failedRoute ??= route;
      if (this.#failedRoute !== route) this.#severalRoutesFailed = true;
    }
    if (code === 'THROTTLED' || (code === 'TIMEOUT' && this.#concernsAll)) this.#halveConcurrency(request);
  }

  pause(untilMs: number): void {
    this.#pausedUntilMs = untilMs;
  }

  /** Ends the pause; an outage stays one until something succeeds. */
  wake(): void {
    this.#pausedUntilMs = 0;
    this.#failures = Math.min(this.#failures, OUTAGE_FAILURES);
  }

  /** Once for all requests that were in flight together. */
  #halveConcurrency(request: number): void {
    if (request <= this.#halvedAtRequest) return;
    this.#halvedAtRequest = this.#requests;
    this.#concurrency = Math.max(1, this.#concurrency / 2);
  }

  get #isOutage(): boolean {
    return this.#failures >= OUTAGE_FAILURES && this.#concernsAll;
  }

  /** Whether the failures are not those of one route among others that wait. */
  get #concernsAll(): boolean {
    return this.#severalRoutesFailed || this.#routes() <= 1;
  }
}
