import type { Bisection } from './bisection.js';
import type { Batch, BatchLimits } from './destination.js';
import type { Entry } from './ledger.js';

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

  #entries: (Entry | undefined)[] = [];
  #count = 0;
  #ordinary = 0;
  #bytes: number;
  #earliest = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  #chronological = true;
  #batch: Batch | undefined;
  /** Where the search for the next entry to evict goes on: for ordinary ones, for any. */
  #evictFrom = { ordinary: 0, any: 0 };

  constructor(route: string, baseBytes: number, firstSeq: number, acceptedAtMs: number, offset = 0) {
    this.route = route;
    this.#bytes = baseBytes;
    this.firstSeq = firstSeq;
    this.offset = offset;
    this.acceptedAtMs = acceptedAtMs;
  }

  /** Whether it goes first when batches go in order. */
  isBefore({ firstSeq, offset }: Parcel): boolean {
    return this.firstSeq < firstSeq || (this.firstSeq === firstSeq && this.offset < offset);
  }

  get count(): number {
    return this.#count;
  }

  /** Whether the entry can join without breaking a limit. */
  fits(entry: Entry, limits: BatchLimits): boolean {
    if (this.#count >= limits.maxEvents || this.#bytes + entry.bytes > limits.maxBytes) return false;
    if (limits.maxSpanMs === undefined) return true;
    return Math.max(this.#latest, entry.time) - Math.min(this.#earliest, entry.time) <= limits.maxSpanMs;
  }

  /** Whether no further entry can join, however small. */
  isFull(limits: BatchLimits): boolean {
    return this.#count >= limits.maxEvents || this.#bytes >= limits.maxBytes;
  }

  add(entry: Entry): void {
    if (entry.time < this.#latest) this.#chronological = false;
    if (entry.time > this.#latest) this.#latest = entry.time;
    if (entry.time < this.#earliest) this.#earliest = entry.time;
    this.#entries.push(entry);
    this.#count++;
    this.#bytes += entry.bytes;
    if (!entry.urgent) this.#ordinary++;
  }

  canEvict(evenUrgent: boolean): boolean {
    return evenUrgent ? this.#count > 0 : this.#ordinary > 0;
  }

  /** Takes out the oldest entry, an urgent one only if `evenUrgent`. */
  evictOldest(evenUrgent: boolean): Entry | undefined {
    const cursor = evenUrgent ? 'any' : 'ordinary';
    for (let index = this.#evictFrom[cursor]; index < this.#entries.length; index++) {
      const entry = this.#entries[index];
      if (entry === undefined || (entry.urgent && !evenUrgent)) continue;
      this.#entries[index] = undefined;
      this.#evictFrom[cursor] = index + 1;
      this.#count--;
      if (this.#count < this.#entries.length / 2) this.#compact();
      this.#bytes -= entry.bytes;
      if (!entry.urgent) this.#ordinary--;
      this.#batch = undefined;
      return entry;
    }
    return undefined;
  }

  /** The places of evicted entries take memory, too. */
  #compact(): void {
    this.#entries = this.#entries.filter((entry) => entry !== undefined);
    this.#evictFrom = { ordinary: 0, any: 0 };
  }

  /** The entries in order of time, those of the same time in order of acceptance. */
  get entries(): readonly Entry[] {
    return this.batch.events as readonly Entry[];
  }

  /** What goes to the destination: the same object as long as the content is the same. */
  get batch(): Batch {
    if (this.#batch) return this.#batch;
    const events = this.#entries.filter((entry) => entry !== undefined);
    if (!this.#chronological) events.sort((a, b) => a.time - b.time);
    this.#chronological = true;
    this.#entries = events;
    this.#evictFrom = { ordinary: 0, any: 0 };
    this.#batch = { route: this.route, events, bytes: this.#bytes };
    return this.#batch;
  }

  /** Two parcels with half of the entries each. */
  halves(baseBytes: number): readonly [Parcel, Parcel] {
    const middle = Math.ceil(this.#count / 2);
    const half = (entries: readonly Entry[], offset: number): Parcel => {
      const parcel = new Parcel(this.route, baseBytes, this.firstSeq, this.acceptedAtMs, offset);
      parcel.bisection = this.bisection;
      for (const entry of entries) parcel.add(entry);
      return parcel;
    };
    return [half(this.entries.slice(0, middle), this.offset), half(this.entries.slice(middle), this.offset + middle)];
  }
}
