import type { Extent } from '../batch/extent.js';
import { FailureStreak } from '../batch/failure-streak.js';
import { isReplayLane, type PendingBatch } from '../batch/pending-batch.js';
import type { JoiningWait } from './joining-wait.js';
import { RefusalStreak } from './refusals.js';
import { RouteQueue } from './route-queue.js';

/** A response that takes longer may never come. */
const HANGS_AFTER_MS = 1000;

/** The sealed batches of one route. */
export class RouteState {
  readonly lane: string;
  /** Whether its records are read back from disk. */
  readonly isReplay: boolean;
  /** The batches that wait for a slot, in order of acceptance. */
  readonly ready: RouteQueue = new RouteQueue();
  readonly inFlight: Set<PendingBatch> = new Set<PendingBatch>();
  /** Number of batches that are neither settled nor in flight: ready, backing off or suspect. */
  waiting = 0;
  /** A batch was delivered. Until then one is tried at a time: all may miss the same thing, such as a stream to be created. */
  hasWorked = false;
  /** Time of the last success, on the monotonic clock. */
  workedAtMs: number = Number.NEGATIVE_INFINITY;
  /** Failures of the route's batches in a row. Until one succeeds the route holds at most one slot. */
  readonly failures: FailureStreak = new FailureStreak();
  readonly refusals: RefusalStreak = new RefusalStreak();
  /** End of the route's pause, on the monotonic clock. */
  notBeforeMs = 0;
  /** End of the wait that the service asked for, on the monotonic clock. A success does not end it. */
  askedUntilMs = 0;
  /** None until the service throttles it. */
  joiningWait: JoiningWait | undefined;
  /** Its batches that were not tried wait for others to join them, up to this time, on the monotonic clock; 0 if they do not. */
  joinedUntilMs = 0;
  /** All of these batches, also when they wait no more. */
  joined: Extent | undefined;
  /** Time of the latest event that was sent since the route was empty. */
  triedToMs: number = Number.NEGATIVE_INFINITY;
  /** The set where it waits for its turn. */
  turn: Set<RouteState> | undefined;
  #backingOff = 0;
  /** A span of time that has the events of all batches that back off. */
  #backingOffFromMs = Number.POSITIVE_INFINITY;
  #backingOffToMs = Number.NEGATIVE_INFINITY;

  constructor(lane: string) {
    this.lane = lane;
    this.isReplay = isReplayLane(lane);
  }

  /** Whether it works: it had a success, and no failure since. */
  get isProven(): boolean {
    return this.hasWorked && this.failures.total === 0;
  }

  /** Number of batches that are in flight or wait for a slot. */
  get active(): number {
    return this.inFlight.size + this.ready.size;
  }

  /** Time from which on a request takes long, on the monotonic clock. */
  get hangsAtMs(): number {
    for (const { sentAtMs } of this.inFlight) return sentAtMs + HANGS_AFTER_MS;
    return Number.POSITIVE_INFINITY;
  }

  /** Whether it has no batch. */
  get isEmpty(): boolean {
    return this.inFlight.size === 0 && this.waiting === 0;
  }

  /** Its last batch has left. If that failed, the route is new again. */
  rest(): void {
    if (this.failures.total > 0) this.hasWorked = false;
    this.failures.end();
    this.notBeforeMs = 0;
    this.triedToMs = Number.NEGATIVE_INFINITY;
  }

  /** A batch is sent. */
  tried({ events }: PendingBatch): void {
    this.triedToMs = Math.max(this.triedToMs, events.latestMs);
  }

  /** A batch backs off. */
  addBackingOff({ events }: PendingBatch): void {
    this.#backingOff++;
    this.#backingOffFromMs = Math.min(this.#backingOffFromMs, events.earliestMs);
    this.#backingOffToMs = Math.max(this.#backingOffToMs, events.latestMs);
  }

  /** A batch does not back off any more. */
  removeBackingOff(): void {
    if (--this.#backingOff > 0) return;
    this.#backingOffFromMs = Number.POSITIVE_INFINITY;
    this.#backingOffToMs = Number.NEGATIVE_INFINITY;
  }

  /** The batch that may be sent next: none while the route waits, or while another batch has to come first. */
  next(isOrdered: boolean): PendingBatch | undefined {
    const batch = this.ready.first;
    if (!batch || this.notBeforeMs > 0 || this.askedUntilMs > 0) return undefined;
    if (this.joinedUntilMs > 0 && !batch.wasAttempted) return undefined;
    if (this.inFlight.size > 0 && !this.isProven) return undefined;
    const hasToWait = isOrdered ? this.inFlight.size + this.#backingOff > 0 : this.#sharesTime(batch);
    return hasToWait ? undefined : batch;
  }

  /** The batch that can join one that is sent now: the next in order, if it was not attempted, and may join it. */
  follower(sent: PendingBatch): PendingBatch | undefined {
    const batch = this.ready.first;
    return batch?.mayJoin(sent) && !batch.wasAttempted && !this.#sharesTime(batch, sent) ? batch : undefined;
  }

  /**
   * Whether the batch may have an event of the same millisecond as another one that is in flight or backs off, `except` one. Both clouds
   * keep the order of arrival within a millisecond, so these batches go one after another.
   */
  #sharesTime({ events: { earliestMs, latestMs } }: PendingBatch, except?: PendingBatch): boolean {
    if (earliestMs <= this.#backingOffToMs && this.#backingOffFromMs <= latestMs) return true;
    for (const batch of this.inFlight) {
      const { events } = batch;
      if (batch !== except && earliestMs <= events.latestMs && events.earliestMs <= latestMs) return true;
    }
    return false;
  }
}
