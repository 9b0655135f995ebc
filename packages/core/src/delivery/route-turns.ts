import type { SendCapacity } from './congestion.js';
import type { RouteState } from './route-state.js';

/** Routes that are looked at for the last slot, at least. */
const LATEST_ROUTES = 16;

/**
 * The routes that may send, and whose turn it is. The route with the fewest requests in flight comes first; equals take turns.
 * Failing routes together hold at most half of the slots, and with those that are new all but one. The last of four or more
 * slots is for a route that worked lately: others may hang from now on, however many.
 */
export class RouteTurns {
  /** The routes that work, by the number of their requests in flight. */
  readonly #working: Set<RouteState>[] = [];
  /** The new routes. */
  readonly #fresh = new Set<RouteState>();
  readonly #failing = new Set<RouteState>();
  /** The routes that worked last, the latest at the end. */
  readonly #latest: RouteState[] = [];
  #failingInFlight = 0;
  #unprovenInFlight = 0;
  #active = 0;
  #inFlight = 0;
  /** Routes that work and others take turns, and so do failing and new ones, so that a single slot is shared. */
  #unprovenHadTurn = false;
  #failingHadTurn = false;

  /** Number of batches that are in flight or wait for a slot. */
  get active(): number {
    return this.#active;
  }

  /** Number of batches that are in flight. */
  get inFlight(): number {
    return this.#inFlight;
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
    this.#inFlight += sign * inFlight.size;
    if (!isProven) this.#unprovenInFlight += sign * inFlight.size;
    if (failures.total > 0) this.#failingInFlight += sign * inFlight.size;
  }

  /** The route that goes next. */
  next(capacity: SendCapacity, nowMs: number): RouteState | undefined {
    const mayTry = nowMs >= capacity.unprovenNotBeforeMs && this.#unprovenInFlight < capacity.unprovenSlots;
    const unproven = mayTry ? this.#nextUnproven(capacity) : undefined;
    // For a single probe in an outage, the route that worked last is the best, and one that has not failed yet is better.
    const isProbe = capacity.isOutage && capacity.slots === 1;
    const latest = isProbe || capacity.isLastSlot ? this.#nextOfLatest(capacity, nowMs) : undefined;
    if (latest || capacity.isLastSlot) return latest;
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
    if (!isProven) this.#failingHadTurn = failures.total > 0;
  }

  /** Time when the last slot may be for another route, since requests take long then, on the monotonic clock. */
  changeAtMs({ isLastSlot }: SendCapacity, nowMs: number): number {
    if (!isLastSlot) return Number.POSITIVE_INFINITY;
    const times = this.#latest.map(({ hangsAtMs }) => hangsAtMs).filter((atMs) => atMs > nowMs);
    return Math.min(...times);
  }

  /** The route has worked now. */
  worked(state: RouteState): void {
    const latest = this.#latest;
    if (latest.at(-1) === state) return;
    latest.push(state);
    if (latest.length > 2 * LATEST_ROUTES) latest.splice(0, LATEST_ROUTES);
  }

  /**
   * The route that worked last, or one that has worked since the oldest request in flight was sent. Those that hang, perhaps, are
   * left out. None if it has nothing to send: it may have soon.
   */
  #nextOfLatest({ oldestSentAtMs }: SendCapacity, nowMs: number): RouteState | undefined {
    const candidates = this.#latest.filter((state) => state.hangsAtMs > nowMs).reverse();
    return candidates.find(
      (state, index) => state.turn && state.isProven && (index === 0 || state.workedAtMs > oldestSentAtMs),
    );
  }

  #nextUnproven({ slots, isOutage }: SendCapacity): RouteState | undefined {
    const failing = this.#failingInFlight < Math.max(1, Math.floor(slots / 2)) ? first(this.#failing) : undefined;
    if (failing && !isOutage && !this.#failingHadTurn) return failing;
    return first(this.#fresh) ?? failing;
  }

  #turnOf({ failures, isProven, inFlight }: RouteState): Set<RouteState> {
    if (failures.total > 0) return this.#failing;
    if (!isProven) return this.#fresh;
    this.#working[inFlight.size] ??= new Set();
    return this.#working[inFlight.size] as Set<RouteState>;
  }
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
