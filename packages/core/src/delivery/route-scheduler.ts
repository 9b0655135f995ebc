import { Extent } from '../batch/extent.js';
import type { LiveRoutes } from '../batch/live-routes.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { BatchLimits } from '../contract/destination.js';
import type { DeliveryCode } from '../contract/errors.js';
import type { SendCapacity } from './congestion.js';
import { Joining, type JoiningDependencies } from './joining.js';
import { RouteState } from './route-state.js';
import { RouteTurns } from './route-turns.js';
import { TimeHeap } from './time-heap.js';

/** A batch that waits for its time, or a route that pauses. */
interface Sleeper {
  readonly atMs: number;
  readonly state: RouteState;
  readonly batch: PendingBatch | undefined;
}

interface Dependencies extends JoiningDependencies {
  readonly liveRoutes: LiveRoutes;
}

/** Routes without batches that are remembered: whether they work, were refused, or have to wait. */
const MAX_IDLE_ROUTES = 1000;

/** Keeps the sealed batches by route, and picks the next. A batch that backs off waits in a heap by time and holds no slot. */
export class RouteScheduler {
  readonly #dependencies: Dependencies;
  readonly #states = new Map<string, RouteState>();
  readonly #live = new RouteTurns();
  /** Routes of records that are read back from disk. */
  readonly #replay = new RouteTurns();
  /** Routes without batches, the last one that had any at the end. */
  readonly #idle = new Map<string, RouteState>();
  readonly #sleepers = new TimeHeap<Sleeper>();
  readonly #joining: Joining;
  /** The last batch that was taken was one that is read back: new ones and those take turns for a single slot. */
  #replayHadTurn = true;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#joining = new Joining(dependencies);
  }

  /** Number of routes. */
  get size(): number {
    return this.#states.size;
  }

  /** Number of batches that are in flight or wait for a slot. */
  get active(): number {
    return this.#live.active + this.#replay.active;
  }

  /** Whether batches wait for others to join them. */
  get isJoining(): boolean {
    return this.#joining.waiting.size > 0;
  }

  has(route: string): boolean {
    return this.#states.has(route);
  }

  /** The state of a route. Only {@link RouteScheduler} changes it, except for its refusals. */
  stateOf(lane: string): RouteState {
    return this.#states.get(lane) ?? this.#idle.get(lane) ?? new RouteState(lane);
  }

  /** Adds a new batch behind all others of its route. False: it has joined the last of them, and is settled. */
  push(batch: PendingBatch): boolean {
    let isNew = true;
    this.#change(batch.lane, (state) => {
      this.#wakeAt(this.#joining.add(state, batch), state);
      isNew = !this.#joining.compact(state, batch);
      if (!isNew) return;
      batch.state = 'ready';
      state.waiting++;
      state.ready.push(batch);
    });
    return isNew;
  }

  /** Adds a batch, or a part of one, that waits for a slot again: before all later ones of its route. */
  putBack(batch: PendingBatch): void {
    this.#change(batch.lane, (state) => {
      batch.state = 'ready';
      state.waiting++;
      state.ready.putBack(batch);
      // It is older than those that wait for others behind it.
      if (!batch.wasAttempted) this.#wakeAt(this.#joining.restart(state), state);
    });
  }

  /** Adds a batch that waits until `atMs`, on the monotonic clock. Others pass a suspect meanwhile, also when ordered. */
  backOff(batch: PendingBatch, atMs: number, as: 'backing-off' | 'suspect' = 'backing-off'): void {
    this.#change(batch.lane, (state) => {
      batch.state = as;
      batch.wakeAtMs = atMs;
      state.waiting++;
      if (as === 'backing-off') state.addBackingOff(batch);
      this.#sleepers.push({ atMs, state, batch });
    });
  }

  /** Ends the wait of a batch that backs off, or of a suspect. */
  ready(batch: PendingBatch): void {
    this.#change(batch.lane, (state) => {
      if (batch.state === 'backing-off') state.removeBackingOff();
      batch.state = 'ready';
      state.ready.putBack(batch);
    });
  }

  /** Takes out a batch that is ready, backing off or suspect. */
  remove(batch: PendingBatch): void {
    this.#change(batch.lane, (state) => {
      state.waiting--;
      if (batch.state === 'ready') state.ready.remove(batch);
      if (batch.state === 'backing-off') state.removeBackingOff();
    });
  }

  /** Takes the batch that goes next; none if none may go now. */
  takeNext(nowMs: number, capacity: SendCapacity): PendingBatch | undefined {
    this.#wakeDue(nowMs);
    const state = this.#next(capacity, nowMs);
    const batch = state?.ready.first;
    if (!state || !batch) return undefined;
    this.#turnsOf(state).took(state);
    this.#replayHadTurn = state.isReplay;
    this.#change(state.lane, () => {
      state.ready.shift();
      batch.state = 'in-flight';
      state.waiting--;
      state.inFlight.add(batch);
      state.tried(batch);
    });
    return batch;
  }

  /** Joins to a batch that was taken those behind it, as many as the limits allow. Returns them: they are settled. */
  joinFollowers(batch: PendingBatch, limits: BatchLimits): readonly PendingBatch[] {
    const followers: PendingBatch[] = [];
    const extent = new Extent(batch.events);
    this.#change(batch.lane, (state) => {
      for (let next = state.follower(batch); next; next = state.follower(batch)) {
        if (!extent.add(next.events, limits)) break;
        state.ready.shift();
        state.waiting--;
        followers.push(next);
      }
      // Before the next batch is looked for: it may share a millisecond with one of these.
      if (followers.length > 0) batch.join(followers);
      state.tried(batch);
      this.#wakeAt(this.#joining.restart(state), state);
    });
    return followers;
  }

  /** Replaces a batch that was taken by a part of it. */
  replace(batch: PendingBatch, part: PendingBatch): void {
    this.#change(batch.lane, (state) => {
      part.state = 'in-flight';
      state.inFlight.delete(batch);
      state.inFlight.add(part);
    });
  }

  /** Ends a request: with a failure of the route. Call it after the batch was settled or put back. `nowMs` is the time of a success. */
  finish(batch: PendingBatch, result: 'works' | 'unknown' | DeliveryCode, nowMs = 0): void {
    this.#change(batch.lane, (state) => {
      state.inFlight.delete(batch);
      if (result !== 'works' && result !== 'unknown') state.failures.add(result);
      if (result === 'works') {
        state.hasWorked = true;
        state.workedAtMs = nowMs;
        state.failures.end();
        state.notBeforeMs = 0;
        this.#turnsOf(state).worked(state);
      }
    });
  }

  /** Holds back all batches of a route until `untilMs`, on the monotonic clock; `isAsked` by the service. */
  pause(lane: string, untilMs: number, isAsked = false): void {
    this.#change(lane, (state) => {
      if (isAsked) state.askedUntilMs = Math.max(state.askedUntilMs, untilMs);
      else state.notBeforeMs = untilMs;
      this.#wakeAt(untilMs, state);
    });
  }

  /** The service throttled a request of the route: its batches wait longer for others. */
  throttled(lane: string, sentAtMs: number, nowMs: number): void {
    this.#change(lane, (state) => this.#joining.lengthen(state, sentAtMs, nowMs));
  }

  /**
   * An outage ends: all processes come back, and the backlogs of the routes that failed, which have waited long enough, go before their new
   * batches.
   */
  outageEnded(sentAtMs: number, nowMs: number): void {
    for (const state of this.#states.values())
      if (state.failures.total > 0) this.#joining.lengthen(state, sentAtMs, nowMs);
  }

  /** Ends every wait for others. */
  endJoining(): void {
    for (const { lane } of this.#joining.waiting) this.#change(lane, (state) => this.#joining.end(state));
  }

  /** Ends every pause, backoff, and wait for others, for a flush of the events up to `lastSeq`. */
  wake(lastSeq: number, nowMs: number): void {
    this.#joining.wake(lastSeq);
    for (const { state, batch } of this.#sleepers.drain()) {
      state.notBeforeMs = 0;
      state.askedUntilMs = 0;
      state.failures.shorten(1);
      if (batch && isAsleep(batch)) {
        batch.wakeAtMs = nowMs;
        this.#sleepers.push({ atMs: nowMs, state, batch });
      }
      this.#enqueue(state);
    }
  }

  /** Time when there is a batch to take, on the monotonic clock; 0 if there is one now. */
  wakeAtMs(capacity: SendCapacity, nowMs: number): number {
    if (this.#next(capacity, nowMs)) return 0;
    const { unprovenNotBeforeMs: probeAtMs } = capacity;
    const hasProbe = probeAtMs > nowMs && this.#next(capacity, probeAtMs);
    const sleeperAtMs = this.#sleepers.first?.atMs ?? Number.POSITIVE_INFINITY;
    return Math.min(hasProbe ? probeAtMs : sleeperAtMs, sleeperAtMs, this.#live.changeAtMs(capacity, nowMs));
  }

  /** Records that are read back go behind new ones, in at most half of the slots, and in one at least: of a single one in half of its turns. */
  #next(capacity: SendCapacity, nowMs: number): RouteState | undefined {
    const { slots } = capacity;
    const { inFlight } = this.#replay;
    const mayReplay = inFlight < Math.max(1, Math.floor(slots / 2));
    const replay = mayReplay ? this.#replay.next({ ...capacity, isLastSlot: false }, nowMs) : undefined;
    if (replay && inFlight === 0 && (slots > 1 || !this.#replayHadTurn)) return replay;
    return this.#live.next(capacity, nowMs) ?? replay;
  }

  #turnsOf({ isReplay }: RouteState): RouteTurns {
    return isReplay ? this.#replay : this.#live;
  }

  #wakeDue(nowMs: number): void {
    for (let due = this.#sleepers.first; due && due.atMs <= nowMs; due = this.#sleepers.first) {
      this.#sleepers.pop();
      const { state, batch, atMs } = due;
      if (batch) {
        if (isAsleep(batch) && batch.wakeAtMs <= nowMs) this.ready(batch);
        continue;
      }
      if (state.notBeforeMs <= atMs) state.notBeforeMs = 0;
      if (state.askedUntilMs <= atMs) state.askedUntilMs = 0;
      if (state.joinedUntilMs <= atMs) this.#joining.end(state);
      this.#enqueue(state);
    }
  }

  /** Looks at the route again then, on the monotonic clock; 0 for never. */
  #wakeAt(atMs: number, state: RouteState): void {
    if (atMs > 0) this.#sleepers.push({ atMs, state, batch: undefined });
  }

  /** The only way to change a route's state, so that the counts and its turn follow. */
  #change(lane: string, change: (state: RouteState) => void): void {
    const state = this.stateOf(lane);
    const turns = this.#turnsOf(state);
    turns.count(state, -1);
    change(state);
    turns.count(state, 1);
    this.#enqueue(state);
    this.#idle.delete(lane);
    if (!state.isEmpty) {
      if (!state.isReplay && !this.#states.has(lane)) this.#dependencies.liveRoutes.enter(lane);
      this.#states.set(lane, state);
      return;
    }
    if (this.#states.delete(lane) && !state.isReplay) this.#dependencies.liveRoutes.leave(lane);
    state.rest();
    this.#idle.set(lane, state);
    const [oldest] = this.#idle.keys();
    if (oldest !== undefined && this.#idle.size > MAX_IDLE_ROUTES) this.#idle.delete(oldest);
  }

  #enqueue(state: RouteState): void {
    this.#turnsOf(state).enqueue(state, state.next(this.#dependencies.options.ordered) !== undefined);
  }
}

function isAsleep({ state }: PendingBatch): boolean {
  return state === 'backing-off' || state === 'suspect';
}
