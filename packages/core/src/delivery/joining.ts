import { Extent } from '../batch/extent.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { JoiningWait } from './joining-wait.js';
import type { RouteState } from './route-state.js';

export interface JoiningDependencies {
  readonly options: ResolvedDeliveryOptions;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Whether memory is scarce: then no batch waits for others. */
  readonly isScarce: () => boolean;
}

/** A batch is too old when the last record in it is. So one that waits takes in those of this part of `retry.maxAgeMs` only. */
const PART_OF_AGE = 1 / 16;

/**
 * Which batches of a route go together. Those of one that the service throttled wait for others behind them, so that one request carries
 * them all. Those that wait for whatever reason become one.
 */
export class Joining {
  readonly #dependencies: JoiningDependencies;
  readonly #waiting = new Set<RouteState>();
  /** The last event of the last flush. */
  #flushedSeq = 0;

  constructor(dependencies: JoiningDependencies) {
    this.#dependencies = dependencies;
  }

  /** The routes whose batches wait. */
  get waiting(): ReadonlySet<RouteState> {
    return this.#waiting;
  }

  /** The batches of the route wait longer from now on: the service throttled it, or all processes come back at once. */
  lengthen(state: RouteState, sentAtMs: number, nowMs: number): void {
    state.joiningWait ??= new JoiningWait(this.#dependencies.options);
    state.joiningWait.lengthen(sentAtMs, nowMs);
  }

  /**
   * Counts a batch that is ready to those that go together. The first of them decides how long they wait: a later one prolongs nothing, and
   * ends the wait if all together are more than a request takes. Returns the end of a wait that begins, on the monotonic clock, or else 0.
   */
  add(state: RouteState, batch: PendingBatch): number {
    const { options, random } = this.#dependencies;
    const { acceptedAtMs, events } = batch;
    if (state.joined) {
      if (!this.#mayWait(batch) || !state.joined.add(events, options.limits)) this.end(state);
      return 0;
    }
    state.joined = new Extent(events);
    const untilMs = state.joiningWait?.untilMs(acceptedAtMs, random()) ?? acceptedAtMs;
    if (untilMs <= acceptedAtMs || !this.#mayWait(batch)) return 0;
    state.joinedUntilMs = untilMs;
    this.#waiting.add(state);
    return untilMs;
  }

  /**
   * Joins a new batch to the one before it, if that waits at the same route and was not tried: while a service does not respond, a batch
   * for each record would take ten times the memory. Returns whether it did.
   */
  compact(state: RouteState, batch: PendingBatch): boolean {
    const { older } = batch;
    if (older?.state !== 'ready') return false;
    if (this.#mayCompact(state, older, batch)) {
      older.join([batch]);
      return true;
    }
    older.events.endJoining();
    return false;
  }

  /** The first batch of the route is another one: those that are ready are counted anew. Returns the same as {@link add}. */
  restart(state: RouteState): number {
    this.end(state);
    state.joined = undefined;
    for (const batch of state.ready) {
      if (batch.wasAttempted) continue;
      this.add(state, batch);
      if (state.joinedUntilMs === 0) break;
    }
    return state.joinedUntilMs;
  }

  /** The batches of the route wait no more. */
  end(state: RouteState): void {
    state.joinedUntilMs = 0;
    this.#waiting.delete(state);
  }

  /** No batch of events up to `lastSeq` waits any more. */
  wake(lastSeq: number): void {
    this.#flushedSeq = lastSeq;
    for (const state of this.#waiting) this.end(state);
  }

  #mayCompact(state: RouteState, older: PendingBatch, batch: PendingBatch): boolean {
    const { limits, retry } = this.#dependencies.options;
    if (!batch.mayJoin(older) || older.wasAttempted) return false;
    if (batch.acceptedAtMs - older.acceptedAtMs > retry.maxAgeMs * PART_OF_AGE) return false;
    // Neither may have to wait for one that was tried, and shares a millisecond with the other, or lies between them.
    const fromMs = Math.min(older.events.earliestMs, batch.events.earliestMs);
    return fromMs > state.triedToMs && new Extent(older.events).add(batch.events, limits);
  }

  /** Records that are read back have waited on disk. */
  #mayWait({ firstSeq, events, origin }: PendingBatch): boolean {
    const { options, isScarce } = this.#dependencies;
    return origin === 'live' && firstSeq > this.#flushedSeq && !events.isFull(options.limits) && !isScarce();
  }
}
