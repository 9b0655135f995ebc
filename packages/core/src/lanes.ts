import type { Parcel } from './parcel.js';

/** The sealed batches of one route. */
interface Lane {
  /** In order of acceptance. */
  readonly waiting: Parcel[];
  flying: number;
  /** Its last try failed. Until one succeeds the route holds at most one slot. */
  failing: boolean;
  /** Failures in a row, of whichever batch, which drive the backoff. */
  failures: number;
  /** The route's own backoff: no try before this time, on the monotonic clock. */
  notBeforeMs: number;
  /** Until when the service asked not to come back; no flush ends it sooner. */
  askedUntilMs: number;
}

/** Sealed batches by route, and which one may go next. Routes with nothing to do are forgotten. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #ordered: boolean;

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  get size(): number {
    return this.#lanes.size;
  }

  has(route: string): boolean {
    return this.#lanes.has(route);
  }

  /** Failures of a route in a row. */
  failuresOf(route: string): number {
    return this.#lane(route).failures;
  }

  /** A batch joins the end of its lane. */
  push(parcel: Parcel): void {
    parcel.state = 'waiting';
    this.#lane(parcel.route).waiting.push(parcel);
  }

  /** A batch comes back, whole or in parts, to its place: before all that was accepted with it or after it. */
  putBack(parts: readonly [Parcel, ...Parcel[]]): void {
    const { route, firstSeq } = parts[0];
    const { waiting } = this.#lane(route);
    const place = waiting.findIndex((other) => other.firstSeq >= firstSeq);
    waiting.splice(place < 0 ? waiting.length : place, 0, ...parts);
    for (const part of parts) part.state = 'waiting';
  }

  /**
   * Takes the batch that goes next: on the lane with the fewest in flight, the oldest; none when none may go now. Failing
   * routes together hold at most half of the slots, so that however many hang, the others go on.
   */
  takeNext(nowMs: number, slots: number): Parcel | undefined {
    const failingMayGo = this.#failingMayGo(slots);
    let chosen: { lane: Lane; parcel: Parcel } | undefined;
    for (const lane of this.#lanes.values()) {
      if (chosen && lane.flying > chosen.lane.flying) continue;
      if (lane.failing && !failingMayGo) continue;
      const parcel = this.#nextOf(lane, nowMs);
      if (!parcel) continue;
      const better = !chosen || lane.flying < chosen.lane.flying || parcel.firstSeq < chosen.parcel.firstSeq;
      if (better) chosen = { lane, parcel };
    }
    if (!chosen) return undefined;
    const { lane, parcel } = chosen;
    lane.waiting.splice(lane.waiting.indexOf(parcel), 1);
    lane.flying++;
    parcel.state = 'flying';
    return parcel;
  }

  /** A batch has its answer, which says nothing about the health of its route. */
  landed(parcel: Parcel): void {
    this.#lane(parcel.route).flying--;
  }

  /** The route works. */
  succeeded({ route }: Parcel): void {
    const lane = this.#lane(route);
    lane.failing = false;
    lane.failures = 0;
    lane.notBeforeMs = 0;
  }

  /** The route does not work: all its batches wait. */
  failed({ route }: Parcel, notBeforeMs: number, askedUntilMs: number): void {
    const lane = this.#lane(route);
    lane.failing = true;
    lane.failures++;
    lane.notBeforeMs = notBeforeMs;
    lane.askedUntilMs = askedUntilMs;
  }

  /** Ends every backoff, but not what a service asked for. */
  wake(): void {
    for (const lane of this.#lanes.values()) {
      lane.failures = 0;
      lane.notBeforeMs = 0;
      for (const parcel of lane.waiting) parcel.notBeforeMs = 0;
    }
  }

  /** Forgets the route if it has nothing to do. */
  tidy(route: string): void {
    const lane = this.#lanes.get(route);
    if (lane && lane.flying === 0 && lane.waiting.length === 0) this.#lanes.delete(route);
  }

  remove(parcel: Parcel): void {
    const { waiting } = this.#lane(parcel.route);
    waiting.splice(waiting.indexOf(parcel), 1);
    this.tidy(parcel.route);
  }

  /** When the next batch may go, on the monotonic clock. */
  wakeAtMs(slots: number): number {
    const failingMayGo = this.#failingMayGo(slots);
    let earliest = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      if (lane.failing && !failingMayGo) continue;
      for (const { notBeforeMs } of this.#candidates(lane)) {
        earliest = Math.min(earliest, Math.max(notBeforeMs, lane.notBeforeMs, lane.askedUntilMs));
      }
    }
    return earliest;
  }

  *waiting(): Generator<Parcel> {
    for (const lane of this.#lanes.values()) yield* lane.waiting;
  }

  #lane(route: string): Lane {
    let lane = this.#lanes.get(route);
    if (!lane) {
      lane = { waiting: [], flying: 0, failing: false, failures: 0, notBeforeMs: 0, askedUntilMs: 0 };
      this.#lanes.set(route, lane);
    }
    return lane;
  }

  #failingMayGo(slots: number): boolean {
    let flying = 0;
    for (const lane of this.#lanes.values()) if (lane.failing) flying += lane.flying;
    return flying < Math.max(1, Math.floor(slots / 2));
  }

  /** The batch of the lane that may go now: the oldest, but a batch that fails again and again lets others try first. */
  #nextOf(lane: Lane, nowMs: number): Parcel | undefined {
    if (nowMs < Math.max(lane.notBeforeMs, lane.askedUntilMs)) return undefined;
    let next: Parcel | undefined;
    for (const parcel of this.#candidates(lane)) {
      if (parcel.notBeforeMs > nowMs) continue;
      if (!lane.failing) return parcel;
      if (!next || parcel.failures < next.failures) next = parcel;
    }
    return next;
  }

  /** The waiting batches that may go once their time has come. */
  #candidates(lane: Lane): readonly Parcel[] {
    const slots = this.#ordered || lane.failing ? 1 : Number.POSITIVE_INFINITY;
    if (lane.flying >= slots) return [];
    return this.#ordered ? lane.waiting.slice(0, 1) : lane.waiting;
  }
}
