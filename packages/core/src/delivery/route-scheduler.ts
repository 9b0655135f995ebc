import type { Parcel } from '../batch/pending-batch.js';
import { Queue } from './route-queue.js';
import { Heap } from './time-heap.js';

/** The sealed batches of one route. */
interface Lane {
  readonly route: string;
  /** Those that wait for a slot, in order of acceptance. */
  readonly ready: Queue;
  /** How many back off. */
  asleep: number;
  flying: number;
  /** How many are neither settled nor flying: ready, asleep or held. */
  waiting: number;
  /** A batch was delivered. Until then only one is tried, since all may miss the same thing: a stream to be created, say. */
  works: boolean;
  /** Failures in a row, of whichever batch. Until one succeeds the route holds at most one slot. */
  failures: number;
  /** The route pauses until then, on the monotonic clock. */
  notBeforeMs: number;
  /** Where it waits for its turn. */
  turn: Set<Lane> | undefined;
}

/** What is to be looked at later: a batch that backs off, or a route that pauses. */
interface Sleeper {
  readonly atMs: number;
  readonly lane: Lane;
  readonly parcel: Parcel | undefined;
}

/** What may be taken now. */
export interface Allowance {
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
export class Lanes {
  readonly #ordered: boolean;
  readonly #lanes = new Map<string, Lane>();
  /** The routes that may send, by the number of their requests in flight. */
  readonly #working: Set<Lane>[] = [];
  /** The failing routes that may try. */
  readonly #failing = new Set<Lane>();
  #failingInFlight = 0;
  /** The last turn was a failing route's, so the next is another's, if one waits: there may be a single slot. */
  #failingHadTurn = false;
  readonly #sleepers = new Heap<Sleeper>();

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  get size(): number {
    return this.#lanes.size;
  }

  has(route: string): boolean {
    return this.#lanes.has(route);
  }

  /** A new batch waits for a slot, behind all others. */
  push(parcel: Parcel): void {
    this.#change(parcel.route, (lane) => {
      parcel.state = 'ready';
      lane.waiting++;
      lane.ready.push(parcel);
    });
  }

  /** A batch, or a part of one, waits for a slot again: before all that comes after it. */
  putBack(parcel: Parcel): void {
    this.#change(parcel.route, (lane) => {
      parcel.state = 'ready';
      lane.waiting++;
      lane.ready.putBack(parcel);
    });
  }

  /** A batch waits for its time. */
  sleep(parcel: Parcel, atMs: number): void {
    this.#change(parcel.route, (lane) => {
      parcel.state = 'asleep';
      lane.waiting++;
      lane.asleep++;
      this.#sleepers.push({ atMs, lane, parcel });
    });
  }

  /** A batch waits for what is learned from others. */
  hold(parcel: Parcel): void {
    this.#change(parcel.route, (lane) => {
      parcel.state = 'held';
      lane.waiting++;
    });
  }

  /** Takes a batch out that waits, in whatever way. */
  remove(parcel: Parcel): void {
    this.#change(parcel.route, (lane) => {
      lane.waiting--;
      if (parcel.state === 'ready') lane.ready.remove(parcel);
      if (parcel.state === 'asleep') lane.asleep--;
    });
  }

  /** Takes the batch that goes next; none when none may go now. */
  takeNext(nowMs: number, allowance: Allowance): Parcel | undefined {
    this.#wakeDue(nowMs);
    const lane = this.#nextLane(allowance);
    const parcel = lane?.ready.shift();
    if (!lane || !parcel) return undefined;
    this.#failingHadTurn = lane.failures > 0;
    this.#change(lane.route, () => {
      parcel.state = 'flying';
      lane.waiting--;
      lane.flying++;
    });
    return parcel;
  }

  /** A batch has its answer, which may say something of the health of its route. Comes after what becomes of the batch. */
  landed(parcel: Parcel, health: 'works' | 'fails' | 'unknown'): void {
    this.#change(parcel.route, (lane) => {
      lane.flying--;
      if (health === 'fails') lane.failures++;
      if (health === 'works') {
        lane.works = true;
        lane.failures = 0;
        lane.notBeforeMs = 0;
      }
    });
  }

  /** Failures of a route in a row. */
  failuresOf(route: string): number {
    return this.#lane(route).failures;
  }

  /** All batches of the route wait. */
  pause(route: string, untilMs: number): void {
    this.#change(route, (lane) => {
      lane.notBeforeMs = untilMs;
      this.#sleepers.push({ atMs: untilMs, lane, parcel: undefined });
    });
  }

  /** Ends every pause and backoff, but not the time that a service asked for. */
  wake(nowMs: number): void {
    for (const { lane, parcel } of this.#sleepers.drain()) {
      lane.notBeforeMs = 0;
      if (lane.failures > 1) lane.failures = 1;
      if (parcel?.state === 'asleep') this.#sleepers.push({ atMs: Math.max(nowMs, parcel.askedUntilMs), lane, parcel });
      this.#place(lane);
    }
  }

  /** When there is something to take next, on the monotonic clock. */
  wakeAtMs(allowance: Allowance): number {
    if (this.#nextLane(allowance)) return 0;
    return this.#sleepers.first?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #wakeDue(nowMs: number): void {
    for (let due = this.#sleepers.first; due && due.atMs <= nowMs; due = this.#sleepers.first) {
      this.#sleepers.pop();
      const { lane, parcel, atMs } = due;
      if (parcel?.state === 'asleep') {
        this.#change(lane.route, () => {
          parcel.state = 'ready';
          lane.asleep--;
          lane.ready.putBack(parcel);
        });
      } else if (lane.notBeforeMs <= atMs) {
        lane.notBeforeMs = 0;
        this.#place(lane);
      }
    }
  }

  #nextLane({ slots, isOutage }: Allowance): Lane | undefined {
    const failing = this.#failingInFlight < Math.max(1, Math.floor(slots / 2)) ? first(this.#failing) : undefined;
    if (failing && !isOutage && !this.#failingHadTurn) return failing;
    for (const lanes of this.#working) {
      const lane = first(lanes);
      if (lane) return lane;
    }
    return failing;
  }

  /** The only way in which a lane changes, so that the counts and its turn follow. */
  #change(route: string, change: (lane: Lane) => void): void {
    const lane = this.#lane(route);
    if (lane.failures > 0) this.#failingInFlight -= lane.flying;
    change(lane);
    if (lane.failures > 0) this.#failingInFlight += lane.flying;
    this.#place(lane);
    if (lane.flying === 0 && lane.waiting === 0) this.#lanes.delete(route);
    else this.#lanes.set(route, lane);
  }

  /** Puts the lane where it gets its turn, if it may go. */
  #place(lane: Lane): void {
    const turn = this.#turnOf(lane);
    if (turn === lane.turn) return;
    lane.turn?.delete(lane);
    turn?.add(lane);
    lane.turn = turn;
  }

  #turnOf(lane: Lane): Set<Lane> | undefined {
    if (lane.ready.isEmpty || lane.notBeforeMs > 0) return undefined;
    if (this.#ordered && lane.flying + lane.asleep > 0) return undefined;
    if (lane.flying > 0 && (lane.failures > 0 || !lane.works)) return undefined;
    if (lane.failures > 0) return this.#failing;
    this.#working[lane.flying] ??= new Set();
    return this.#working[lane.flying];
  }

  #lane(route: string): Lane {
    return (
      this.#lanes.get(route) ?? {
        route,
        ready: new Queue(),
        asleep: 0,
        flying: 0,
        waiting: 0,
        works: false,
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
