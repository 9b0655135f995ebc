import type { EventFlags, EventTotals, StoredEvent } from '../accounting/ledger.js';
import type { Batch, BatchLimits, EncodedEvent } from '../contract/destination.js';
import type { Bisection } from './bisection.js';
import type { EventColumns } from './event-columns.js';

/** Where a batch stands among the others. */
export type BatchPosition = Pick<PendingBatch, 'firstSeq' | 'offset' | 'acceptedAtMs'>;

/** A batch from its first record to its last answer. */
export class PendingBatch {
  readonly route: string;
  /** Number of its first event in order of acceptance; halves of a batch keep it. */
  readonly firstSeq: number;
  /** Its place among the parts of a batch that was halved. */
  readonly offset: number;
  /** When its first record was accepted, on the monotonic clock. */
  readonly acceptedAtMs: number;
  /** Ready waits for a slot, asleep for its time, held for what is learned from others. */
  state: 'open' | 'ready' | 'backing-off' | 'suspect' | 'in-flight' | 'settled' = 'open';
  /** Until when the service asked not to come back, on the monotonic clock; no flush ends it sooner. */
  askedUntilMs = 0;
  /** Failures in a row, which drive the backoff. */
  failures = 0;
  /** The destination had its one immediate repetition. */
  repeated = false;
  /** The search for bad records that it is a part of. */
  bisection: Bisection | undefined;
  /** Its neighbours in the backlog. */
  older: PendingBatch | undefined;
  newer: PendingBatch | undefined;

  /** An attempt failed; who knows whether its request still reads the bytes. */
  hasFailed = false;

  readonly #events: EventColumns;
  readonly #baseBytes: number;

  constructor(events: EventColumns, baseBytes: number, place: BatchPosition) {
    this.route = events.route;
    this.#events = events;
    this.#baseBytes = baseBytes;
    this.firstSeq = place.firstSeq;
    this.offset = place.offset;
    this.acceptedAtMs = place.acceptedAtMs;
  }

  /** Whether it goes first when batches go in order. */
  precedes({ firstSeq, offset }: PendingBatch): boolean {
    return this.firstSeq < firstSeq || (this.firstSeq === firstSeq && this.offset < offset);
  }

  get count(): number {
    return this.#events.count;
  }

  /** Size of the payloads as they are. */
  get payloadBytes(): number {
    return this.#events.payloadBytes;
  }

  /** Whether the event can join without breaking a limit. */
  fits(event: EncodedEvent, limits: BatchLimits): boolean {
    return this.#events.fits(event, limits, this.#baseBytes);
  }

  /** Whether no further event can join, however small. */
  isFull({ maxEvents, maxBytes }: BatchLimits): boolean {
    return this.#events.count >= maxEvents || this.#baseBytes + this.#events.bytes >= maxBytes;
  }

  add(event: EncodedEvent, mark: EventFlags): void {
    this.#events.add(event, mark);
  }

  /** No further event joins. */
  seal(): void {
    this.#events.seal();
  }

  canEvict(evenUrgent: boolean): boolean {
    return this.#events.canEvict(evenUrgent);
  }

  /** Takes out the oldest event, an urgent one only if `evenUrgent`. */
  evictOldest(evenUrgent: boolean): StoredEvent | undefined {
    return this.#events.evictOldest(evenUrgent);
  }

  /** The events in order of time, those of the same time in order of acceptance. */
  get storedEvents(): readonly StoredEvent[] {
    return this.#events.storedEvents();
  }

  /** What the ledger need of all events. */
  get portion(): EventTotals {
    return this.#events.portion;
  }

  /** What goes to the destination: the same object as long as the content is the same. */
  get request(): Batch {
    return this.#events.batch(this.#baseBytes);
  }

  /** Two batches with half of the events each. */
  halves(): readonly [PendingBatch, PendingBatch] {
    const middle = Math.ceil(this.count / 2);
    const half = (start: number, end: number): PendingBatch => {
      const { firstSeq, acceptedAtMs } = this;
      const place = { firstSeq, acceptedAtMs, offset: this.offset + start };
      const batch = new PendingBatch(this.#events.slice(start, end), this.#baseBytes, place);
      batch.bisection = this.bisection;
      return batch;
    };
    return [half(0, middle), half(middle, this.count)];
  }

  /** It was delivered: its memory can be used again, unless somebody may still read it. */
  recycle(): void {
    if (!this.hasFailed) this.#events.recycle();
  }

  /** It was given up while it waited: its memory is free. */
  clear(): void {
    this.#events.clear();
  }
}
