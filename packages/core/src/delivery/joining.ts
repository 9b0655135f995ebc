import { Extent } from '../batch/extent.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { JoiningWait } from './joining-wait.js';
import type { RouteState } from './route-state.js';

export interface JoiningDependencies {
  readonly options: ResolvedDeliveryOptions;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

/** Lets the batches of a route that the service throttled wait for those behind them, so that one request carries them all. */
export class Joining {
  readonly #dependencies: JoiningDependencies;
  readonly #waiting = new Set<RouteState>();
  /** Batches that were opened up to then do not wait, on the monotonic clock. */
  #wokenAtMs = Number.NEGATIVE_INFINITY;

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

  /** No batch that was opened so far waits any more. */
  wake(nowMs: number): void {
    this.#wokenAtMs = nowMs;
    for (const state of this.#waiting) this.end(state);
  }

  #mayWait({ acceptedAtMs, events }: PendingBatch): boolean {
    return acceptedAtMs > this.#wokenAtMs && !events.isFull(this.#dependencies.options.limits);
  }
}
