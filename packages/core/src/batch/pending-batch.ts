import type { Entry, Mark, Portion } from '../accounting/ledger.js';
import type { Batch, BatchLimits, EncodedEvent } from '../contract/destination.js';
import type { Bisection } from './bisection.js';
import type { Contents } from './event-columns.js';

/** Where a batch stands among the others. */
export type Place = Pick<Parcel, 'firstSeq' | 'offset' | 'acceptedAtMs'>;

/** A batch from its first record to its last answer. */
export class Parcel {
  readonly route: string;
  /** Number of its first event in order of acceptance; halves of a parcel keep it. */
  readonly firstSeq: number;
  /** Its place among the parts of a batch that was halved. */
  readonly offset: number;
  /** When its first record was accepted, on the monotonic clock. */
  readonly acceptedAtMs: number;
  /** Ready waits for a slot, asleep for its time, held for what is learned from others. */
  state: 'open' | 'ready' | 'asleep' | 'held' | 'flying' | 'settled' = 'open';
  /** Until when the service asked not to come back, on the monotonic clock; no flush ends it sooner. */
  askedUntilMs = 0;
  /** Failures in a row, which drive the backoff. */
  failures = 0;
  /** The destination had its one immediate repetition. */
  repeated = false;
  /** The search for bad records that it is a part of. */
  bisection: Bisection | undefined;
  /** Its neighbours in the backlog. */
  older: Parcel | undefined;
  newer: Parcel | undefined;

  /** An attempt failed; who knows whether its request still reads the bytes. */
  hasFailed = false;

  readonly #contents: Contents;
  readonly #baseBytes: number;

  constructor(contents: Contents, baseBytes: number, place: Place) {
    this.route = contents.route;
    this.#contents = contents;
    this.#baseBytes = baseBytes;
    this.firstSeq = place.firstSeq;
    this.offset = place.offset;
    this.acceptedAtMs = place.acceptedAtMs;
  }

  /** Whether it goes first when batches go in order. */
  isBefore({ firstSeq, offset }: Parcel): boolean {
    return this.firstSeq < firstSeq || (this.firstSeq === firstSeq && this.offset < offset);
  }

  get count(): number {
    return this.#contents.count;
  }

  /** Size of the payloads as they are. */
  get payloadBytes(): number {
    return this.#contents.payloadBytes;
  }

  /** Whether the event can join without breaking a limit. */
  fits(event: EncodedEvent, limits: BatchLimits): boolean {
    return this.#contents.fits(event, limits, this.#baseBytes);
  }

  /** Whether no further event can join, however small. */
  isFull({ maxEvents, maxBytes }: BatchLimits): boolean {
    return this.#contents.count >= maxEvents || this.#baseBytes + this.#contents.bytes >= maxBytes;
  }

  add(event: EncodedEvent, mark: Mark): void {
    this.#contents.add(event, mark);
  }

  /** No further event joins. */
  seal(): void {
    this.#contents.seal();
  }

  canEvict(evenUrgent: boolean): boolean {
    return this.#contents.canEvict(evenUrgent);
  }

  /** Takes out the oldest event, an urgent one only if `evenUrgent`. */
  evictOldest(evenUrgent: boolean): Entry | undefined {
    return this.#contents.evictOldest(evenUrgent);
  }

  /** The events in order of time, those of the same time in order of acceptance. */
  get entries(): readonly Entry[] {
    return this.#contents.entries();
  }

  /** What the books need of all events. */
  get portion(): Portion {
    return this.#contents.portion;
  }

  /** What goes to the destination: the same object as long as the content is the same. */
  get batch(): Batch {
    return this.#contents.batch(this.#baseBytes);
  }

  /** Two parcels with half of the events each. */
  halves(): readonly [Parcel, Parcel] {
    const middle = Math.ceil(this.count / 2);
    const half = (start: number, end: number): Parcel => {
      const { firstSeq, acceptedAtMs } = this;
      const place = { firstSeq, acceptedAtMs, offset: this.offset + start };
      const parcel = new Parcel(this.#contents.slice(start, end), this.#baseBytes, place);
      parcel.bisection = this.bisection;
      return parcel;
    };
    return [half(0, middle), half(middle, this.count)];
  }

  /** It was delivered: its memory can be used again, unless somebody may still read it. */
  recycle(): void {
    if (!this.hasFailed) this.#contents.recycle();
  }

  /** It was given up while it waited: its memory is free. */
  clear(): void {
    this.#contents.clear();
  }
}
