import type { PendingBatch } from '../batch/pending-batch.js';
import { RouteQueue } from './route-queue.js';
import { TimeHeap } from './time-heap.js';

/** The sealed batches of one route. */
interface RouteState {
  readonly route: string;
  /** Those that wait for a slot, in order of acceptance. */
  readonly ready: RouteQueue;
  /** How many back off. */
  backingOff: number;
  inFlight: number;
  /** How many are neither settled nor flying: ready, asleep or held. */
  waiting: number;
  /** A batch was delivered. Until then only one is tried, since all may miss the same thing: a stream to be created, say. */
  isHealthy: boolean;
  /** Failures in a row, of whichever batch. Until one succeeds the route holds at most one slot. */
  failures: number;
  /** The route pauses until then, on the monotonic clock. */
  notBeforeMs: number;
  /** Where it waits for its turn. */
  turn: Set<RouteState> | undefined;
}

/** What is to be looked at later: a batch that backs off, or a route that pauses. */
interface Sleeper {
  readonly atMs: number;
  readonly state: RouteState;
  readonly batch: PendingBatch | undefined;
}

/** What may be taken now. */
export interface SendCapacity {
  /** Most requests in flight. */
  readonly slots: number;
  /** Nothing works, so whatever has not failed yet is the better probe. */
  readonly isOutage: boolean;
}

/**
 * Sealed batches by route, and which one goes next. The route with the fewest in flight comes first; among equals they take
 * turns. What backs off sleeps in a heap by time and holds no slot. Failing routes together hold at most half of the slots,
 * so that however many hang, the others go on. Routes with nothing to do are forgotten.
 */
export class RouteScheduler {
  readonly #ordered: boolean;
  readonly #routes = new Map<string, RouteState>();
  /** The routes that may send, by the number of their requests in flight. */
  readonly #working: Set<RouteState>[] = [];
  /** The failing routes that may try. */
  readonly #failing = new Set<RouteState>();
  #failingInFlight = 0;
  /** The last turn was a failing route's, so the next is another's, if one waits: there may be a single slot. */
  #failingHadTurn = false;
  readonly #sleepers = new TimeHeap<Sleeper>();

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  get size(): number {
    return this.#routes.size;
  }

  has(route: string): boolean {
    return this.#routes.has(route);
  }

  /** A new batch waits for a slot, behind all others. */
  push(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      batch.state = 'ready';
      state.waiting++;
      state.ready.push(batch);
    });
  }

  /** A batch, or a part of one, waits for a slot again: before all that comes after it. */
  putBack(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      batch.state = 'ready';
      state.waiting++;
      state.ready.putBack(batch);
    });
  }

  /** A batch waits for its time. */
  backOff(batch: PendingBatch, atMs: number): void {
    this.#change(batch.route, (state) => {
      batch.state = 'backing-off';
      state.waiting++;
      state.backingOff++;
      this.#sleepers.push({ atMs, state, batch });
    });
  }

  /** A batch waits for what is learned from others. */
  park(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      batch.state = 'suspect';
      state.waiting++;
    });
  }

  /** Takes a batch out that waits, in whatever way. */
  remove(batch: PendingBatch): void {
    this.#change(batch.route, (state) => {
      state.waiting--;
      if (batch.state === 'ready') state.ready.remove(batch);
      if (batch.state === 'backing-off') state.backingOff--;
    });
  }

  /** Takes the batch that goes next; none when none may go now. */
  takeNext(nowMs: number, allowance: SendCapacity): PendingBatch | undefined {
    this.#wakeDue(nowMs);
    const state = this.#nextRoute(allowance);
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

  /** A batch has its answer, which may say something of the health of its route. Comes after what becomes of the batch. */
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

  /** All batches of the route wait. */
  pause(route: string, untilMs: number): void {
    this.#change(route, (state) => {
      state.notBeforeMs = untilMs;
      this.#sleepers.push({ atMs: untilMs, state, batch: undefined });
    });
  }

  /** Ends every pause and backoff, but not the time that a service asked for. */
  wake(nowMs: number): void {
    for (const { state, batch } of this.#sleepers.drain()) {
      state.notBeforeMs = 0;
      if (state.failures > 1) state.failures = 1;
      if (batch?.state === 'backing-off')
        this.#sleepers.push({ atMs: Math.max(nowMs, batch.askedUntilMs), state, batch });
      this.#enqueue(state);
    }
  }

  /** When there is something to take next, on the monotonic clock. */
  wakeAtMs(allowance: SendCapacity): number {
    if (this.#nextRoute(allowance)) return 0;
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

  #nextRoute({ slots, isOutage }: SendCapacity): RouteState | undefined {
    const failing = this.#failingInFlight < Math.max(1, Math.floor(slots / 2)) ? first(this.#failing) : undefined;
    if (failing && !isOutage && !this.#failingHadTurn) return failing;
    for (const routes of this.#working) {
      const state = first(routes);
      if (state) return state;
    }
    return failing;
  }

  /** The only way in which a state changes, so that the counts and its turn follow. */
  #change(route: string, change: (state: RouteState) => void): void {
    const state = this.#stateOf(route);
    if (state.failures > 0) this.#failingInFlight -= state.inFlight;
    change(state);
    if (state.failures > 0) this.#failingInFlight += state.inFlight;
    this.#enqueue(state);
    if (state.inFlight === 0 && state.waiting === 0) this.#routes.delete(route);
    else this.#routes.set(route, state);
  }

  /** Puts the state where it gets its turn, if it may go. */
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
      this.#routes.get(route) ?? {
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
