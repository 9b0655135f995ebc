import { STANDSTILL_MS } from '../tools/system-clock.js';

/** While there are batches, this thread runs at least as often: a longer silence is a standstill. */
const HEARTBEAT_MS = 5000;

/** Measures for how long this thread could do nothing: a serverless platform freezes its process between invocations. */
export class Standstill {
  /** On the monotonic clock. */
  #dueAtMs = Number.POSITIVE_INFINITY;
  #totalMs = 0;

  /** All of it so far. */
  get totalMs(): number {
    return this.#totalMs;
  }

  /** This thread has a wake-up then, on the monotonic clock. Returns the time of one that is not too late to notice a standstill. */
  expect(wakeAtMs: number, nowMs: number): number {
    // What could have been done before is due now: that is no standstill.
    this.#dueAtMs = Math.max(nowMs, Math.min(wakeAtMs, nowMs + HEARTBEAT_MS));
    return this.#dueAtMs;
  }

  /** There is no wake-up. */
  expectNothing(): void {
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }

  /** Returns the length of a standstill that has just ended, else 0. */
  notice(nowMs: number): number {
    const lateMs = nowMs - this.#dueAtMs;
    if (lateMs < STANDSTILL_MS) return 0;
    this.#dueAtMs = nowMs;
    this.#totalMs += lateMs;
    return lateMs;
  }
}
