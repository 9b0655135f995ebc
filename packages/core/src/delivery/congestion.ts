import type { DeliveryCode } from '../contract/errors.js';

/** Failures of service or network in a row that are an outage. */
const OUTAGE_FAILURES = 3;

/** The state when a request was sent. */
export interface RequestSnapshot {
  readonly route: string;
  /** Number of the request. */
  readonly request: number;
  /** Number of requests that had succeeded. */
  readonly successes: number;
  /** On the monotonic clock. */
  readonly atMs: number;
}

/** The load that the destination may get now. */
export interface SendCapacity {
  /** Most requests in flight. */
  readonly slots: number;
  readonly isOutage: boolean;
  /** No request is sent before this time, on the monotonic clock. */
  readonly notBeforeMs: number;
}

/**
 * Limits the load on a destination by AIMD: concurrency halves on throttling and timeouts, and rises with each success. In an
 * outage a single probe is in flight, and the pauses between probes grow. Failures count only with no success in between, and
 * a single failing route is ignored while other routes have batches. So each question is asked with the number of routes.
 */
export class CongestionControl {
  readonly #maxSlots: number;
  #concurrency: number;
  #requests = 0;
  #successes = 0;
  /** The last request that was in flight when the concurrency was halved. */
  #halvedAtRequest = 0;
  /** Failures of service or network since the last success. */
  #failures = 0;
  /** The route of the first of them. */
  #failedRoute: string | undefined;
  #severalRoutesFailed = false;
  #pausedUntilMs = 0;
  #isHealthy = false;

  constructor(concurrency: number) {
    this.#maxSlots = concurrency;
    this.#concurrency = concurrency;
  }

  capacity(routes: number): SendCapacity {
    return this.#isOutage(routes)
      ? { slots: 1, isOutage: true, notBeforeMs: this.#pausedUntilMs }
      : { slots: Math.floor(this.#concurrency), isOutage: false, notBeforeMs: 0 };
  }

  /** Failures that drive the pause between probes; 0 when there is no outage. */
  outageFailures(routes: number): number {
    return this.#isOutage(routes) ? this.#failures - OUTAGE_FAILURES + 1 : 0;
  }

  /** Whether the last response was a success. */
  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** A request is sent. Give the result to {@link failed} if the request fails. */
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
    this.#concurrency = Math.min(this.#maxSlots, this.#concurrency + 1 / this.#concurrency);
  }

  failed(code: DeliveryCode, { route, request, successes }: RequestSnapshot, routes: number): void {
    if (successes < this.#successes) return;
    this.#isHealthy = false;
    if (code === 'UNAVAILABLE' || code === 'NETWORK' || code === 'TIMEOUT') {
      this.#failures++;
      this.#failedRoute ??= route;
      if (this.#failedRoute !== route) this.#severalRoutesFailed = true;
    }
    if (code === 'THROTTLED' || (code === 'TIMEOUT' && this.#concernsAll(routes))) this.#halveConcurrency(request);
  }

  /** Sends no probe before this time, on the monotonic clock. */
  pause(untilMs: number): void {
    this.#pausedUntilMs = untilMs;
  }

  /** Ends the pause. An outage lasts until a request succeeds. */
  wake(): void {
    this.#pausedUntilMs = 0;
    this.#failures = Math.min(this.#failures, OUTAGE_FAILURES);
  }

  /** Halves once for all requests that were in flight together. */
  #halveConcurrency(request: number): void {
    if (request <= this.#halvedAtRequest) return;
    this.#halvedAtRequest = this.#requests;
    this.#concurrency = Math.max(1, this.#concurrency / 2);
  }

  #isOutage(routes: number): boolean {
    return this.#failures >= OUTAGE_FAILURES && this.#concernsAll(routes);
  }

  /** Whether the failures are more than those of one route among others. */
  #concernsAll(routes: number): boolean {
    return this.#severalRoutesFailed || routes <= 1;
  }
}
