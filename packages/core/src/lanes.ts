import type { Parcel } from './parcel.js';

/** The sealed batches of one route. */
interface Lane {
  /** In order of acceptance. */
  readonly waiting: Parcel[];
  flying: number;
  /** Its last try failed: until one succeeds it holds at most one slot. */
  failing: boolean;
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

  /** Takes the batch that goes next: on the lane with the fewest in flight, the oldest; none when none may go now. */
  takeNext(nowMs: number): Parcel | undefined {
    let chosen: { lane: Lane; parcel: Parcel } | undefined;
    for (const lane of this.#lanes.values()) {
      if (chosen && lane.flying > chosen.lane.flying) continue;
      const parcel = this.#candidates(lane).find((candidate) => candidate.notBeforeMs <= nowMs);
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

  /** A batch has its answer. */
  landed(parcel: Parcel, health: 'working' | 'failing' | 'unchanged'): void {
    const lane = this.#lane(parcel.route);
    lane.flying--;
    if (health !== 'unchanged') lane.failing = health === 'failing';
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
  get wakeAtMs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      for (const parcel of this.#candidates(lane)) earliest = Math.min(earliest, parcel.notBeforeMs);
    }
    return earliest;
  }

  *waiting(): Generator<Parcel> {
    for (const lane of this.#lanes.values()) yield* lane.waiting;
  }

  #lane(route: string): Lane {
    let lane = this.#lanes.get(route);
    if (!lane) {
      lane = { waiting: [], flying: 0, failing: false };
      this.#lanes.set(route, lane);
    }
    return lane;
  }

  /** The waiting batches that may go once their time has come. */
  #candidates(lane: Lane): readonly Parcel[] {
    const slots = this.#ordered || lane.failing ? 1 : Number.POSITIVE_INFINITY;
    if (lane.flying >= slots) return [];
    return this.#ordered ? lane.waiting.slice(0, 1) : lane.waiting;
  }
}
