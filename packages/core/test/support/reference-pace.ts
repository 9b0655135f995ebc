import type { DeliveryCode } from '../../src/index.js';
import type { Request, Settings, Sights } from './reference-types.js';

const TRANSPORT = ['UNAVAILABLE', 'NETWORK', 'TIMEOUT'];

/** The speed limit of a shipper: half the concurrency after throttling and timeouts, a single probe in an outage. */
export class ReferencePace {
  slots: number;
  successes = 0;
  #pausedUntilMs = 0;
  #failures = 0;
  readonly #failedRoutes = new Set<string>();
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

  /** The next probe is not sent before this time. */
  get pausedUntilMs(): number {
    return this.isOutage ? this.#pausedUntilMs : 0;
  }

  /** The failures concern more than one route among others. */
  get #concernsAll(): boolean {
    return this.#failedRoutes.size > 1 || this.#routes() <= 1;
  }

  succeeded(): void {
    this.successes++;
    this.#failures = 0;
    this.#failedRoutes.clear();
    this.#pausedUntilMs = 0;
    this.slots = Math.min(this.#settings.concurrency, this.slots + 1 / this.slots);
  }

  /** Counts only failures of requests that were sent after the last success. */
  failed(code: DeliveryCode, { route, number, successes }: Request, requests: number): void {
    if (successes < this.successes) return;
    if (TRANSPORT.includes(code)) {
      this.#failedRoutes.add(route);
      if (++this.#failures === 3 && this.isOutage) this.#seen.outage++;
    }
    const slowsDown = code === 'THROTTLED' || (code === 'TIMEOUT' && this.#concernsAll);
    if (!slowsDown || number <= this.#halvedAt) return;
    this.#halvedAt = requests;
    this.slots = Math.max(1, this.slots / 2);
    this.#seen.throttleHalving++;
  }

  /** The pauses between probes grow. */
  backOff(code: DeliveryCode, nowMs: number): void {
    const { jitter, capMs, baseMs } = this.#settings;
    const pauseMs = jitter * Math.min(capMs, baseMs * 2 ** (this.#failures - 3));
    this.#pausedUntilMs = this.isOutage && TRANSPORT.includes(code) ? nowMs + pauseMs : 0;
  }

  wake(): void {
    this.#pausedUntilMs = 0;
    this.#failures = Math.min(this.#failures, 3);
  }
}
