import type { DeliveryCode } from '../../src/index.js';
import type { Request, Settings, Sights } from './reference-types.js';

const TRANSPORT = ['UNAVAILABLE', 'NETWORK', 'TIMEOUT'];

/** The speed limit of a shipper: half the concurrency after throttling and timeouts, a single probe in an outage. */
export class ReferencePace {
  slots: number;
  successes = 0;
  #pausedUntilMs = 0;
  #heldUntilMs = 0;
  #asked = { route: '', untilMs: 0 };
  #failures = 0;
  #provenRouteFailed = false;
  readonly #failedRoutes = new Set<string>();
  readonly #lengthened = new Map<string, number>();
  #halvedAt = 0;
  readonly #settings: Settings;
  readonly #seen: Sights;
  /** The number of routes that have batches to send. */
  readonly #routes: () => number;

  constructor(settings: Settings, seen: Sights, routes: () => number) {
    this.#routes = routes;
    this.#settings = settings;
    this.#seen = seen;
    this.slots = settings.concurrency;
  }

  get isOutage(): boolean {
    return this.#failures >= 3 && this.#concernsAll;
  }

  /** An outage of routes that worked, too. */
  get isGeneral(): boolean {
    return this.isOutage && this.#concernsProvenRoutes;
  }

  /** Nothing is sent before this time. */
  get heldUntilMs(): number {
    return this.#heldUntilMs;
  }

  /** The next probe is not sent before this time. */
  get pausedUntilMs(): number {
    return this.isOutage ? this.#pausedUntilMs : 0;
  }

  /** Most requests in flight on routes that have not worked since they failed. */
  get unprovenSlots(): number {
    if (this.isOutage) return 1;
    const slots = Math.floor(this.slots);
    return this.successes === 0 ? slots : Math.max(1, slots - 1);
  }

  get #concernsProvenRoutes(): boolean {
    return this.#provenRouteFailed || this.successes === 0;
  }

  /** The failures concern more than one route among others. */
  get #concernsAll(): boolean {
    return this.#failedRoutes.size > 1 || this.#routes() <= 1;
  }

  /** `failing`: the routes that have failed since their last success, for whatever reason. */
  succeeded(failing: Iterable<string>): void {
    this.successes++;
    if (this.isOutage) for (const route of failing) this.#lengthenWait(route);
    this.#failures = 0;
    this.#failedRoutes.clear();
    this.#provenRouteFailed = false;
    this.#pausedUntilMs = 0;
    this.slots = Math.min(this.#settings.concurrency, this.slots + 1 / this.slots);
  }

  /** The longest time for which batches of a route may wait for others, since the service throttled it, or an outage ended. */
  mostWaitMs(route: string): number {
    const { maxDelayMs, throttledBaseMs, capMs } = this.#settings;
    const times = this.#lengthened.get(route) ?? 0;
    return times === 0 ? 0 : Math.min(capMs, Math.max(2 * maxDelayMs, throttledBaseMs) * 2 ** (times - 1));
  }

  #lengthenWait(route: string): void {
    this.#lengthened.set(route, (this.#lengthened.get(route) ?? 0) + 1);
  }

  /** Counts only failures of requests that were sent after the last success. */
  failed(code: DeliveryCode, request: Request, requests: number, isBlamed: boolean): void {
    const { route, number, successes, isProven } = request;
    if (code === 'THROTTLED') this.#lengthenWait(route);
    if (successes < this.successes) return;
    if (TRANSPORT.includes(code) || isBlamed) {
      if (isProven) this.#provenRouteFailed = true;
      this.#failedRoutes.add(route);
      if (++this.#failures === 3 && this.isOutage) this.#seen.outage++;
    }
    const slowsDown = code === 'THROTTLED' || (code === 'TIMEOUT' && this.#concernsAll && this.#concernsProvenRoutes);
    if (!slowsDown || number <= this.#halvedAt) return;
    this.#halvedAt = requests;
    this.slots = Math.max(1, this.slots / 2);
    this.#seen.throttleHalving++;
  }

  /** The pauses between probes grow. */
  backOff(code: DeliveryCode, nowMs: number, isBlamed: boolean): void {
    const { jitter, capMs, baseMs } = this.#settings;
    const pauseMs = jitter * Math.min(capMs, baseMs * 2 ** (this.#failures - 3));
    const concernsAll = TRANSPORT.includes(code) || isBlamed;
    this.#pausedUntilMs = this.isOutage && concernsAll ? nowMs + pauseMs : 0;
  }

  /** The service asked a route to wait: the wait of a second one binds all. */
  asked(route: string, untilMs: number, nowMs: number): void {
    if (this.#asked.untilMs > nowMs && this.#asked.route !== route)
      this.#heldUntilMs = Math.max(this.#heldUntilMs, untilMs);
    if (untilMs > this.#asked.untilMs) this.#asked = { route, untilMs };
  }

  wake(): void {
    this.#heldUntilMs = 0;
    this.#asked = { route: '', untilMs: 0 };
    this.#pausedUntilMs = 0;
    this.#failures = Math.min(this.#failures, 3);
  }
}
