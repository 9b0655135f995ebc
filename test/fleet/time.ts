import type { Clock, Timer } from '@logferry/core';

interface Event {
  readonly atMs: number;
  /** Events of the same time happen in the order in which they were planned. */
  readonly order: number;
  /** `undefined` once it was cancelled. */
  act: (() => void) | undefined;
}

/** The wall time at the start, in epoch milliseconds: 2026-01-01 UTC. */
const START_MS = Date.UTC(2026, 0, 1);

/**
 * The time of all processes of a fleet: events in a heap, so that thousands of timers cost a logarithm each. The clocks of the tests
 * look through all timers at each step.
 */
export class FleetTime {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  #deferred: (() => void)[] = [];

  /** Milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Plans an event. Returns a function that cancels it. */
  after(delayMs: number, act: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, act };
    this.#push(event);
    return () => {
      event.act = undefined;
    };
  }

  /** The clock of a process, whose wall time is off by `skewMs`. */
  clock(skewMs: number): Clock {
    return {
      now: () => START_MS + skewMs + this.#nowMs,
      monotonic: () => this.#nowMs,
      setTimer: (callback, delayMs): Timer => {
        const cancel = this.after(delayMs, callback);
        return { unref: () => {}, cancel };
      },
      defer: (callback) => void this.#deferred.push(callback),
    };
  }

  /** Lets time pass until then: each event, and all code that becomes ready by it, before the next one. */
  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      await this.#settle();
      const next = this.#heap[0];
      if (!next || next.atMs > untilMs) break;
      this.#nowMs = next.atMs;
    }
    this.#nowMs = untilMs;
  }

  /** Runs all code that is ready, without time passing. */
  async #settle(): Promise<void> {
    for (let isQuiet = false; !isQuiet; ) {
      isQuiet = true;
      for (let due = this.#heap[0]; due && due.atMs <= this.#nowMs; due = this.#heap[0]) {
        this.#pop();
        due.act?.();
        isQuiet = false;
      }
      // Ticks come after all promises, and cost less than a turn of the event loop.
      await new Promise((resolve) => process.nextTick(resolve));
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const callback of deferred) {
        callback();
        isQuiet = false;
      }
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (isBefore(above, event)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    const { length } = heap;
    if (length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (isBefore(last, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
