import { FailureStreak } from '../batch/failure-streak.js';
import type { DeliveryCode } from '../contract/errors.js';

/** With fewer slots, none is kept for routes that worked lately: it would cost too much of the rate. */
const MIN_SLOTS_TO_KEEP_ONE = 4;

/** Failures of service or network in a row that are an outage. */
const OUTAGE_FAILURES = 3;

/** The state when a request was sent. */
export interface RequestSnapshot {
  readonly route: string;
  /** Whether the route had a success and has not failed since. */
  readonly isProven: boolean;
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
  /** Most requests in flight on routes without a success since their last failure. */
  readonly unprovenSlots: number;
  readonly isOutage: boolean;
  /** No request is sent before this time, on the monotonic clock. */
  readonly notBeforeMs: number;
  /** None on a route without a success since its last failure. */
  readonly unprovenNotBeforeMs: number;
  /** One slot is left, and is kept for routes that worked lately. */
  readonly isLastSlot: boolean;
  /** When the oldest request in flight was sent, on the monotonic clock. */
  readonly oldestSentAtMs: number;
}

/**
 * Limits the load on a destination by AIMD: concurrency halves on throttling and timeouts, and rises with each success. In an
 * outage a single probe is in flight, and the pauses between probes grow. Failures count only with no success in between, and
 * a single failing route is ignored while other routes have batches: so each question is asked with the number of routes.
 * While only routes fail that never worked, those that work go on.
 */
export class CongestionControl {
  readonly #maxSlots: number;
  #concurrency: number;
  #requests = 0;
  #successes = 0;
  /** The last request that was in flight when the concurrency was halved. */
  #halvedAtRequest = 0;
  /** Failures of service or network since the last success, refusals of everything, and throttling. */
  readonly #failures = new FailureStreak();
  /** The route of the first of them. */
  #failedRoute: string | undefined;
  #severalRoutesFailed = false;
  #provenRouteFailed = false;
  #pausedUntilMs = 0;
  /** End of the wait that the service asked of several routes. */
  #heldUntilMs = 0;
  /** The route that the service asked to wait the longest. */
  #asked = { route: '', untilMs: 0 };
  /** `unknown`: before the first, and after one that was neither. */
  #lastResponse: 'unknown' | 'success' | 'failure' = 'unknown';

  constructor(concurrency: number) {
    this.#maxSlots = concurrency;
    this.#concurrency = concurrency;
  }

  /** With so many routes, and so many requests in flight, the oldest of them sent at this time. */
  capacity(routes: number, inFlight: number, oldestSentAtMs: number): SendCapacity {
    const isOutage = this.#isOutage(routes);
    const slots = Math.floor(this.#concurrency);
    const keepsOne = routes > 1 && slots >= MIN_SLOTS_TO_KEEP_ONE && this.#successes > 0;
    const isLastSlot = keepsOne && inFlight === slots - 1;
    const notBeforeMs = this.#heldUntilMs;
    const unprovenNotBeforeMs = isOutage ? Math.max(notBeforeMs, this.#pausedUntilMs) : notBeforeMs;
    if (isOutage && this.#concernsProvenRoutes)
      return {
        slots: 1,
        unprovenSlots: 1,
        isOutage,
        notBeforeMs: unprovenNotBeforeMs,
        unprovenNotBeforeMs,
        isLastSlot: false,
        oldestSentAtMs,
      };
    return {
      slots,
      unprovenSlots: isOutage ? 1 : this.#unprovenSlots(slots),
      isOutage,
      notBeforeMs,
      unprovenNotBeforeMs,
      isLastSlot,
      oldestSentAtMs,
    };
  }

  /** Failures that drive the pause between probes; 0 when there is no outage. */
  outageFailures(routes: number, code: DeliveryCode): number {
    if (!this.#isOutage(routes)) return 0;
    return code === 'THROTTLED' ? this.#failures.of(code) : this.#failures.of(code) - OUTAGE_FAILURES + 1;
  }

  /** Whether the last response was a success. */
  get isHealthy(): boolean {
    return this.#lastResponse === 'success';
  }

  /** Whether the last response was a failure, which nothing but a success ends. */
  get isFailing(): boolean {
    return this.#lastResponse === 'failure';
  }

  /** A request is sent. Give the result to {@link failed} or {@link refused} if the request fails. */
  sent(route: string, isProven: boolean, atMs: number): RequestSnapshot {
    return { route, isProven, request: ++this.#requests, successes: this.#successes, atMs };
  }

  succeeded(): void {
    this.#lastResponse = 'success';
    this.#successes++;
    this.#failures.end();
    this.#failedRoute = undefined;
    this.#severalRoutesFailed = false;
    this.#provenRouteFailed = false;
    this.#pausedUntilMs = 0;
    this.#concurrency = Math.min(this.#maxSlots, this.#concurrency + 1 / this.#concurrency);
  }

  /** The destination refused some content, or learned something. */
  refused({ successes }: RequestSnapshot): void {
    if (successes === this.#successes && this.#lastResponse === 'success') this.#lastResponse = 'unknown';
  }

  /** `isRefusedAlike`: the destination refuses all content of the route. */
  failed(code: DeliveryCode, snapshot: RequestSnapshot, routes: number, isRefusedAlike: boolean): void {
    const { route, isProven, request, successes } = snapshot;
    if (successes < this.#successes) return;
    this.#lastResponse = 'failure';
    if (code === 'UNAVAILABLE' || code === 'NETWORK' || code === 'TIMEOUT' || isRefusedAlike) {
      this.#failures.add(code);
      this.#failedRoute ??= route;
      if (this.#failedRoute !== route) this.#severalRoutesFailed = true;
      if (isProven) this.#provenRouteFailed = true;
    }
    if (code === 'THROTTLED') this.#failures.add(code);
    const isOverload = code === 'TIMEOUT' && this.#concernsAll(routes) && this.#concernsProvenRoutes;
    if (code === 'THROTTLED' || isOverload) this.#halveConcurrency(request);
  }

  /** Sends no probe before this time, on the monotonic clock. */
  pause(untilMs: number): void {
    this.#pausedUntilMs = untilMs;
  }

  /** The service asked a route to wait. While a route waits, the wait of a second one binds all. */
  asked(route: string, untilMs: number, nowMs: number): void {
    const isSecond = this.#asked.untilMs > nowMs && this.#asked.route !== route;
    if (isSecond) this.#heldUntilMs = Math.max(this.#heldUntilMs, untilMs);
    if (untilMs > this.#asked.untilMs) this.#asked = { route, untilMs };
  }

  /** Ends the pauses. An outage lasts until a request succeeds. */
  wake(): void {
    this.#pausedUntilMs = 0;
    this.#heldUntilMs = 0;
    this.#asked = { route: '', untilMs: 0 };
    this.#failures.shorten(OUTAGE_FAILURES);
  }

  /** Before the first success every route is new. Later one slot is kept for those that work. */
  #unprovenSlots(slots: number): number {
    return this.#successes === 0 ? slots : Math.max(1, slots - 1);
  }

  /** Halves once for all requests that were in flight together. */
  #halveConcurrency(request: number): void {
    if (request <= this.#halvedAtRequest) return;
    this.#halvedAtRequest = this.#requests;
    this.#concurrency = Math.max(1, this.#concurrency / 2);
  }

  #isOutage(routes: number): boolean {
    return this.#failures.of('UNAVAILABLE') >= OUTAGE_FAILURES && this.#concernsAll(routes);
  }

  /** Whether the failures are more than those of one route among others. */
  #concernsAll(routes: number): boolean {
    return this.#severalRoutesFailed || routes <= 1;
  }

  get #concernsProvenRoutes(): boolean {
    return this.#provenRouteFailed || this.#successes === 0;
  }
}
