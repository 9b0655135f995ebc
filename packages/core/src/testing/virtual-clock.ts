import type { Clock, Timer } from '../contract/clock.js';

interface PendingTimer {
  readonly atMs: number;
  readonly callback: () => void;
  isUnref: boolean;
}

/** A clock that stands still until the test advances it. It starts at 2026-01-01 UTC. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #wallMs = Date.UTC(2026, 0, 1);
  #deferred = 0;
  readonly #timers = new Set<PendingTimer>();

  /** Wall time, in epoch milliseconds. */
  now(): number {
    return this.#wallMs;
  }

  /** Milliseconds since the start, whatever {@link jump} does. */
  monotonic(): number {
    return this.#elapsedMs;
  }

  /** Calls back once {@link advance} has passed `delayMs`. */
  setTimer(callback: () => void, delayMs: number): Timer {
    const timer: PendingTimer = { atMs: this.#elapsedMs + delayMs, callback, isUnref: false };
    this.#timers.add(timer);
    return {
      unref: () => {
        timer.isUnref = true;
      },
      cancel: () => void this.#timers.delete(timer),
    };
  }

  /** Calls back at the end of this turn of the event loop, without time passing. */
  defer(callback: () => void): void {
    this.#deferred++;
    setImmediate(() => {
      this.#deferred--;
      callback();
    });
  }

  /** Number of pending timers. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Number of pending timers that keep the process alive. */
  get timersHeld(): number {
    return [...this.#timers].filter((timer) => !timer.isUnref).length;
  }

  /** Runs all code that is ready, without time passing: until nothing was deferred for some turns of the event loop. */
  async settle(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 4; quietTurns++) {
      if (this.#deferred > 0) quietTurns = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass, in milliseconds. Timers fire in their order. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await this.settle();
    let turns = 0;
    for (;;) {
      if (ms < 100 && turns++ > 1000) throw new Error('a timer sets itself again and again without time passing');
      const due = [...this.#timers].filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#pass(due.atMs - this.#elapsedMs);
      due.callback();
      await this.settle();
    }
    this.#pass(untilMs - this.#elapsedMs);
  }

  /** Lets time pass in which the process does not run: timers that were due fire after it, late. */
  async standStill(ms: number): Promise<void> {
    await this.settle();
    this.#pass(ms);
    await this.advance(0);
  }

  /** Sets the wall clock forward, or back, by milliseconds. The monotonic clock is not affected. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  #pass(ms: number): void {
    const passed = Math.max(0, ms);
    this.#elapsedMs += passed;
    this.#wallMs += passed;
  }
}
