import type { DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { EventColumns } from './event-columns.js';
import { FailureStreak } from './failure-streak.js';

/** The position of a batch among the others. */
export type BatchPosition = Pick<PendingBatch, 'firstSeq' | 'offset' | 'acceptedAtMs'>;

/** Marks a lane of records that are read back. */
const REPLAY = '\0replay';

/** Whether a {@link PendingBatch.lane} is of records that are read back. */
export function isReplayLane(lane: string): boolean {
  return lane.endsWith(REPLAY);
}

/** Where the records of a batch come from: this process, directly or from disk, or from disk a dead one. */
export type BatchOrigin = 'live' | 'overflow' | 'adopted';

/** A batch from its first record to its last response. */
export class PendingBatch {
  readonly route: string;
  readonly origin: BatchOrigin;
  /** Whether it goes behind batches of new records. */
  readonly isReplay: boolean;
  readonly events: EventColumns;
  /** Number of its first event in order of acceptance; halves of a batch keep it. */
  readonly firstSeq: number;
  /** Index of its first event in the batch that was halved. */
  readonly offset: number;
  /** Time when its first record was accepted, on the monotonic clock. */
  readonly acceptedAtMs: number;
  /** The same of the last batch that joined it. Its records are too old when this one is. */
  youngestAtMs: number;
  /** How long the process has stood still since then: no attempt could be made. */
  stillMs = 0;
  /** `ready` waits for a slot, `backing-off` for its time; a `suspect` was refused, and others pass it meanwhile. */
  state: 'open' | 'ready' | 'backing-off' | 'suspect' | 'in-flight' | 'settled' = 'open';
  /** Start of its last attempt, on the monotonic clock. */
  sentAtMs: number = Number.NEGATIVE_INFINITY;
  /** End of its backoff, on the monotonic clock. */
  wakeAtMs = 0;
  /** End of the wait that the service asked for (Retry-After), on the monotonic clock. */
  askedUntilMs = 0;
  /** It had the one try that `close()` makes in spite of Retry-After. */
  wasTriedInSpite = false;
  /** They drive the backoff. */
  readonly failures: FailureStreak = new FailureStreak();
  /** The destination had its one immediate repetition. */
  repeated = false;
  /** The error of its last attempt that failed, whose request may still read the bytes. */
  lastError: DeliveryError | undefined;
  /** Its last refusal, and the number of batches that the destination had taken then. */
  refusal: { readonly code: DeliveryCode; readonly successes: number } | undefined;
  /** Its place behind those that were not refused: each request tries another one, until one is taken. 0 for none. */
  refusedTurn = 0;
  /** Number of batches that the destination had taken at the first refusal, of this batch or of one that it was cut from. */
  takenBefore: number | undefined;
  /** Its neighbours in the backlog. */
  older: PendingBatch | undefined;
  newer: PendingBatch | undefined;

  constructor(
    events: EventColumns,
    { firstSeq, offset, acceptedAtMs }: BatchPosition,
    { origin, isReplay }: Pick<PendingBatch, 'origin' | 'isReplay'> = LIVE,
  ) {
    this.route = events.route;
    this.origin = origin;
    this.isReplay = isReplay;
    this.events = events;
    this.firstSeq = firstSeq;
    this.offset = offset;
    this.acceptedAtMs = acceptedAtMs;
    this.youngestAtMs = acceptedAtMs;
  }

  /** Its route for the scheduler: records that are read back do not hold up new ones, and have a health of their own. */
  get lane(): string {
    return this.isReplay ? this.route + REPLAY : this.route;
  }

  /** Whether it, or the batch that it was cut from, was sent. From then on it takes in no other batch. */
  get wasAttempted(): boolean {
    return this.sentAtMs !== Number.NEGATIVE_INFINITY || this.lastError !== undefined;
  }

  /** Whether it goes first when batches go in order. */
  precedes({ refusedTurn, firstSeq, offset }: PendingBatch): boolean {
    if (this.refusedTurn !== refusedTurn) return this.refusedTurn < refusedTurn;
    return this.firstSeq < firstSeq || (this.firstSeq === firstSeq && this.offset < offset);
  }

  /** Whether its events may become those of `other`: flush and close wait for this process's own records, wherever they were meanwhile. */
  mayJoin({ lane, origin }: PendingBatch): boolean {
    return this.lane === lane && this.origin === origin;
  }

  /** Its age in memory counts from then, on the monotonic clock. */
  get agesFromMs(): number {
    return this.youngestAtMs + this.stillMs;
  }

  /** Has a younger record from now on. */
  rejuvenate(youngestAtMs: number, stillMs = 0): void {
    if (youngestAtMs + stillMs <= this.agesFromMs) return;
    this.youngestAtMs = youngestAtMs;
    this.stillMs = stillMs;
  }

  /** Takes in the events of batches that follow it. They are settled from now on. */
  join(followers: readonly PendingBatch[]): void {
    this.events.join(followers.map(({ events }) => events));
    for (const follower of followers) {
      this.rejuvenate(follower.youngestAtMs, follower.stillMs);
      follower.state = 'settled';
    }
  }

  /** Two batches with half of the events each. */
  halves(): readonly [PendingBatch, PendingBatch] {
    const { count } = this.events;
    const middle = Math.ceil(count / 2);
    return [this.#part(0, middle), this.#part(middle, count)];
  }

  #part(start: number, end: number): PendingBatch {
    const { firstSeq, acceptedAtMs } = this;
    const position = { firstSeq, acceptedAtMs, offset: this.offset + start };
    const part = new PendingBatch(this.events.slice(start, end), position, this);
    part.rejuvenate(this.youngestAtMs, this.stillMs);
    part.takenBefore = this.takenBefore;
    part.lastError = this.lastError;
    return part;
  }
}

const LIVE = { origin: 'live', isReplay: false } as const;
