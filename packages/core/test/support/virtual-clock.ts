import type { Clock, Timer } from '../../src/index.js';

interface PendingTimer {
  readonly atMs: number;
  readonly callback: () => void;
  unrefd: boolean;
}

/** A clock whose hands the test turns. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #wallMs = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<PendingTimer>();

  now(): number {
    return this.#wallMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer: PendingTimer = { atMs: this.#elapsedMs + delayMs, callback, unrefd: false };
    this.#timers.add(timer);
    return {
      unref: () => {
        timer.unrefd = true;
      },
      cancel: () => void this.#timers.delete(timer),
    };
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }

  /** How many timers are pending. */
  get timers(): number {
    return this.#timers.size;
  }

  /** How many pending timers keep the process alive. */
  get timersHeld(): number {
    return [...this.#timers].filter((timer) => !timer.unrefd).length;
  }

  /** Lets everything run that is ready, without time passing. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass; timers fire in their order. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await this.settle();
    let turns = 0;
    for (;;) {
      if (ms < 100 && turns++ > 1000) throw new Error('spins');
      const due = [...this.#timers].filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#pass(due.atMs - this.#elapsedMs);
      due.callback();
      await this.settle();
    }
    this.#pass(untilMs - this.#elapsedMs);
  }

  /** Sets the wall clock; the monotonic clock goes on as before. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  #pass(ms: number): void {
    const passed = Math.max(0, ms);
    this.#elapsedMs += passed;
    this.#wallMs += passed;
  }
}
