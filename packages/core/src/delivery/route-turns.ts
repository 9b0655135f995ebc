import type { SendCapacity } from './congestion.js';
import type { RouteState } from './route-state.js';

/**
 * The routes that may send, and whose turn it is. The route with the fewest requests in flight comes first; equals take turns.
 * Failing routes together hold at most half of the slots, and with those that are new all but one, so that routes that work
 * go on however many hang.
 */
export class RouteTurns {
  /** The routes that work, by the number of their requests in flight. */
  readonly #working: Set<RouteState>[] = [];
  /** The new routes. */
  readonly #fresh = new Set<RouteState>();
  readonly #failing = new Set<RouteState>();
  #failingInFlight = 0;
  #unprovenInFlight = 0;
  #active = 0;
  /** Routes that work and others take turns, and so do failing and new ones, so that a single slot is shared. */
  #unprovenHadTurn = false;
  #failingHadTurn = false;

  /** Number of batches that are in flight or wait for a slot. */
  get active(): number {
    return this.#active;
  }

  /** Puts the route where it gets its turn, if `maySend`. */
  enqueue(state: RouteState, maySend: boolean): void {
    const turn = maySend ? this.#turnOf(state) : undefined;
    if (turn === state.turn) return;
    state.turn?.delete(state);
    turn?.add(state);
    state.turn = turn;
  }

  /** Counts the batches of a route: out before it changes, in after that. */
  count({ inFlight, active, failures, isProven }: RouteState, sign: 1 | -1): void {
    this.#active += sign * active;
    if (!isProven) this.#unprovenInFlight += sign * inFlight.size;
    if (failures > 0) this.#failingInFlight += sign * inFlight.size;
  }

  /** The route that goes next. */
  next(capacity: SendCapacity, nowMs: number): RouteState | undefined {
    const mayTry = nowMs >= capacity.unprovenNotBeforeMs && this.#unprovenInFlight < capacity.unprovenSlots;
    const unproven = mayTry ? this.#nextUnproven(capacity) : undefined;
    // For a single probe in an outage, a route that has not failed yet is better.
    const isProbe = capacity.isOutage && capacity.slots === 1;
    if (unproven && !isProbe && !this.#unprovenHadTurn) return unproven;
    for (const working of this.#working) {
      const state = first(working);
      if (state) return state;
    }
    return unproven;
  }

  /** The route has had its turn. */
  took({ isProven, failures }: RouteState): void {
    this.#unprovenHadTurn = !isProven;
    if (!isProven) this.#failingHadTurn = failures > 0;
  }

  #nextUnproven({ slots, isOutage }: SendCapacity): RouteState | undefined {
    const failing = this.#failingInFlight < Math.max(1, Math.floor(slots / 2)) ? first(this.#failing) : undefined;
    if (failing && !isOutage && !this.#failingHadTurn) return failing;
    return first(this.#fresh) ?? failing;
  }

  #turnOf({ failures, isProven, inFlight }: RouteState): Set<RouteState> {
    if (failures > 0) return this.#failing;
    if (!isProven) return this.#fresh;
    this.#working[inFlight.size] ??= new Set();
    return this.#working[inFlight.size] as Set<RouteState>;
  }
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
