import type { PendingBatch } from '../batch/pending-batch.js';
import type { SendCapacity } from './congestion.js';
import { RouteQueue } from './route-queue.js';
import { TimeHeap } from './time-heap.js';

/** The sealed batches of one route. */
interface RouteState {
  readonly route: string;
  /** The batches that wait for a slot, in order of acceptance. */
  readonly ready: RouteQueue;
  /** Number of batches that back off. */
  backingOff: number;
  inFlight: number;
  /** Number of batches that are neither settled nor in flight: ready, backing off or suspect. */
  waiting: number;
  /** A batch was delivered. Until then one is tried at a time: all may miss the same thing, such as a stream to be created. */
  isHealthy: boolean;
  /** Failures of the route's batches in a row. Until one succeeds the route holds at most one slot. */
  failures: number;
  /** End of the route's pause, on the monotonic clock. */
  notBeforeMs: number;
  /** The set where it waits for its turn. */
  turn: Set<RouteState> | undefined;
}

/** A batch that backs off, or a route that pauses. */
interface Sleeper {
  readonly atMs: number;
  readonly state: RouteState;
  readonly batch: PendingBatch | undefined;
}

/**
 * Keeps the sealed batches by route, and picks the next. The route with the fewest requests in flight comes first; equals take
 * turns. A batch that backs off waits in a heap by time and holds no slot. Failing routes together hold at most half of the
 * slots, so that the others go on however many hang. A route without batches is forgotten.
 */
export class RouteScheduler {
  readonly #ordered: boolean;
  readonly #states = new Map<string, RouteState>();
  /** The routes that may send, by the number of their requests in flight. */
  readonly #working: Set<RouteState>[] = [];
  /** The failing routes that may try. */
  readonly #failing = new Set<RouteState>();
  #failingInFlight = 0;
  /** Failing and working routes alternate, so that a single slot is shared. */
  #failingHadTurn = false;
  readonly #sleepers = new TimeHeap<Sleeper>();

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  /** Number of routes. */
  get size(): number {
    return this.#states.size;
  }

  has(route: string): boolean {
    return this.#states.has(route);
  }

  /** Adds a new batch behind all others of its route. */
  push(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      batch.state = 'ready';
      state.waiting++;
      state.ready.push(batch);
    });
  }

  /** Adds a batch, or a part of one, that waits for a slot again: before all later ones of its route. */
  putBack(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      batch.state = 'ready';
      state.waiting++;
      state.ready.putBack(batch);
    });
  }

  /** Adds a batch that waits until `atMs`, on the monotonic clock. */
  backOff(batch: PendingBatch, atMs: number): void {
    this.#change(batch.route, (state) => {
      batch.state = 'backing-off';
      state.waiting++;
      state.backingOff++;
      this.#sleepers.push({ atMs, state, batch });
    });
  }

  /** Parks a refused record until other parts of its batch show whether it is to blame. */
  park(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      batch.state = 'suspect';
      state.waiting++;
    });
  }

  /** Takes out a batch that is ready, backing off or suspect. */
  remove(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      state.waiting--;
      if (batch.state === 'ready') state.ready.remove(batch);
      if (batch.state === 'backing-off') state.backingOff--;
    });
  }

  /** Takes the batch that goes next; none if none may go now. */
  takeNext(nowMs: number, capacity: SendCapacity): PendingBatch | undefined {
    this.#wakeDue(nowMs);
    const state = this.#next(capacity);
    const batch = state?.ready.shift();
    if (!state || !batch) return undefined;
    this.#failingHadTurn = state.failures > 0;
    this.#change(state.route, () => {
      batch.state = 'in-flight';
      state.waiting--;
      state.inFlight++;
    });
    return batch;
  }

  /** Ends a request. Call it after the batch was settled or put back. */
  finish(batch: PendingBatch, health: 'works' | 'fails' | 'unknown'): void {
    this.#change(batch.route, (state) => {
      state.inFlight--;
      if (health === 'fails') state.failures++;
      if (health === 'works') {
        state.isHealthy = true;
        state.failures = 0;
        state.notBeforeMs = 0;
      }
    });
  }

  /** Failures of a route in a row. */
  failuresOf(route: string): number {
    return this.#stateOf(route).failures;
  }

  /** Holds back all batches of a route until `untilMs`, on the monotonic clock. */
  pause(route: string, untilMs: number): void {
    this.#change(route, (state) => {
      state.notBeforeMs = untilMs;
      this.#sleepers.push({ atMs: untilMs, state, batch: undefined });
    });
  }

  /** Ends every pause and backoff, except the time that a service asked for. */
  wake(nowMs: number): void {
    for (const { state, batch } of this.#sleepers.drain()) {
      state.notBeforeMs = 0;
      if (state.failures > 1) state.failures = 1;
      if (batch?.state === 'backing-off')
        this.#sleepers.push({ atMs: Math.max(nowMs, batch.retryAfterUntilMs), state, batch });
      this.#enqueue(state);
    }
  }

  /** Time when there is a batch to take, on the monotonic clock; 0 if there is one now. */
  wakeAtMs(capacity: SendCapacity): number {
    if (this.#next(capacity)) return 0;
    return this.#sleepers.first?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #wakeDue(nowMs: number): void {
    for (let due = this.#sleepers.first; due && due.atMs <= nowMs; due = this.#sleepers.first) {
      this.#sleepers.pop();
      const { state, batch, atMs } = due;
      if (batch?.state === 'backing-off') {
        this.#change(state.route, () => {
          batch.state = 'ready';
          state.backingOff--;
          state.ready.putBack(batch);
        });
      } else if (state.notBeforeMs <= atMs) {
        state.notBeforeMs = 0;
        this.#enqueue(state);
      }
    }
  }

  #next({ slots, isOutage }: SendCapacity): RouteState | undefined {
    const failing = this.#failingInFlight < Math.max(1, Math.floor(slots / 2)) ? first(this.#failing) : undefined;
    // In an outage, a route that has not failed yet is the better probe.
    if (failing && !isOutage && !this.#failingHadTurn) return failing;
    for (const working of this.#working) {
      const state = first(working);
      if (state) return state;
    }
    return failing;
  }

  /** The only way to change a route's state, so that the counts and its turn follow. */
  #change(route: string, change: (state: RouteState) => void): void {
    const state = this.#stateOf(route);
    if (state.failures > 0) this.#failingInFlight -= state.inFlight;
    change(state);
    if (state.failures > 0) this.#failingInFlight += state.inFlight;
    this.#enqueue(state);
    if (state.inFlight === 0 && state.waiting === 0) this.#states.delete(route);
    else this.#states.set(route, state);
  }

  /** Puts the route where it gets its turn, if it may send. */
  #enqueue(state: RouteState): void {
    const turn = this.#turnOf(state);
    if (turn === state.turn) return;
    state.turn?.delete(state);
    turn?.add(state);
    state.turn = turn;
  }

  #turnOf(state: RouteState): Set<RouteState> | undefined {
    if (state.ready.isEmpty || state.notBeforeMs > 0) return undefined;
    if (this.#ordered && state.inFlight + state.backingOff > 0) return undefined;
    if (state.inFlight > 0 && (state.failures > 0 || !state.isHealthy)) return undefined;
    if (state.failures > 0) return this.#failing;
    this.#working[state.inFlight] ??= new Set();
    return this.#working[state.inFlight];
  }

  #stateOf(route: string): RouteState {
    return (
      this.#states.get(route) ?? {
        route,
        ready: new RouteQueue(),
        backingOff: 0,
        inFlight: 0,
        waiting: 0,
        isHealthy: false,
        failures: 0,
        notBeforeMs: 0,
        turn: undefined,
      }
    );
  }
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
