import type { FleetTime } from './time.js';

/** The end of a request. `stored` is the only success. */
export type Answer = 'stored' | 'throttled' | 'overloaded' | 'unavailable' | 'refused';

/** How requests end in an outage: the connection is refused, the service answers 503, or nothing comes back. */
export type OutageKind = 'refused' | 'unavailable' | 'hangs';

export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: OutageKind;
}

/** Requests of one second, by their end. */
export interface Second {
  requests: number;
  throttled: number;
  overloaded: number;
  /** Those of the outage. */
  failed: number;
  /** Records. */
  stored: number;
}

/** A request is at most so long on its way. */
const WAY_MS = 10;

/** An answer without load takes from this time to twice as long. */
const LATENCY_MS = 20;

/** The service can take so many times the quota, and refuse four times as many requests as it can take. */
const SPEED = 2;
const COST_OF_REFUSAL = 1 / 4;

/** A request that would wait longer for its turn is answered by 503 at once. */
const MAX_WAIT_MS = 1000;

/**
 * One account of a service in one region. A bucket holds the requests of one second, and fills at the quota. All requests stand in one
 * queue, also those that are throttled, so that latency grows with the load.
 */
export class Account {
  readonly seconds: Second[] = [];
  readonly #time: FleetTime;
  readonly #quotaPerMs: number;
  readonly #outage: Outage;
  readonly #random: () => number;
  readonly #capacity: number;
  #tokens: number;
  #filledAtMs = 0;
  /** The queue is worked off then. */
  #freeAtMs = 0;

  constructor(time: FleetTime, quotaPerSecond: number, outage: Outage, random: () => number) {
    this.#time = time;
    this.#quotaPerMs = quotaPerSecond / 1000;
    this.#outage = outage;
    this.#random = random;
    this.#capacity = quotaPerSecond;
    this.#tokens = quotaPerSecond;
  }

  /**
   * Makes a request. `store` is called if the account takes it, and returns the number of records. Without an answer `answered` is never
   * called. Requests that were made at the same moment arrive in the order of chance.
   */
  request(store: () => number, answered: (answer: Answer) => void): void {
    this.#time.after(this.#random() * WAY_MS, () => this.#arrived(store, answered));
  }

  #arrived(store: () => number, answered: (answer: Answer) => void): void {
    const { nowMs } = this.#time;
    const second = this.#second(nowMs);
    second.requests++;
    const { fromMs, toMs, kind } = this.#outage;
    if (nowMs >= fromMs && nowMs < toMs) {
      second.failed++;
      if (kind !== 'hangs') this.#time.after(this.#latencyMs(), () => answered(kind));
      return;
    }
    const waitMs = Math.max(0, this.#freeAtMs - nowMs);
    if (waitMs > MAX_WAIT_MS) {
      second.overloaded++;
      this.#time.after(this.#latencyMs(), () => answered('overloaded'));
      return;
    }
    const isTaken = this.#takeToken(nowMs);
    const serviceMs = (isTaken ? 1 : COST_OF_REFUSAL) / (SPEED * this.#quotaPerMs);
    this.#freeAtMs = nowMs + waitMs + serviceMs;
    if (isTaken) second.stored += store();
    else second.throttled++;
    this.#time.after(this.#latencyMs() + waitMs, () => answered(isTaken ? 'stored' : 'throttled'));
  }

  #takeToken(nowMs: number): boolean {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#filledAtMs) * this.#quotaPerMs);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #latencyMs(): number {
    return LATENCY_MS * (1 + this.#random());
  }

  #second(nowMs: number): Second {
    const index = Math.floor(nowMs / 1000);
    while (this.seconds.length <= index)
      this.seconds.push({ requests: 0, throttled: 0, overloaded: 0, failed: 0, stored: 0 });
    return this.seconds[index] as Second;
  }
}
