import { costOf, type Entry, type Mark, type Portion } from '../accounting/ledger.js';
import type { Batch, BatchLimits, EncodedEvent } from '../contract/destination.js';
import { Slab, type SlabPool } from './payload-buffer.js';
import { LazyBatch } from './request-batch.js';

/** Stands for the size of an event that was given up. */
const GONE = -1;

/**
 * The events of a batch, in columns: the payloads as bytes of one slab, numbers in arrays. An object for each of some
 * thousand events, and a text that lives as long, would keep the garbage collector busy; they are made again only for
 * those that are lost, or for a destination that wants to see them.
 */
export class Contents {
  readonly route: string;
  readonly #pool: SlabPool;
  #slab: Slab;
  /** Where each payload ends in the slab; a comma follows, and the next. */
  #ends: number[] = [];
  #times: number[] = [];
  /** As the service counts them. */
  #sizes: number[] = [];
  /** Lengths of the texts, for which the budget was charged. */
  #lengths: number[] = [];
  #urgent: boolean[] = [];
  /** The few events that are parts of a record, or notices of ours. */
  #marks = new Map<number, Mark>();
  #count = 0;
  #ordinary = 0;
  #bytes = 0;
  #chars = 0;
  #earliest = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  #chronological = true;
  #batch: LazyBatch | undefined;
  /** Where the search for the next event to evict goes on: for ordinary ones, for any. */
  #evictFrom = { ordinary: 0, any: 0 };

  /** `expectedBytes` of payloads, if something is known of them. */
  constructor(route: string, pool: SlabPool, expectedBytes = 0) {
    this.route = route;
    this.#pool = pool;
    this.#slab = new Slab(pool, expectedBytes);
  }

  /** How many events. */
  get count(): number {
    return this.#count;
  }

  /** Size of the payloads as they are. */
  get payloadBytes(): number {
    return this.#slab.length;
  }

  /** Size of the events, as the service counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the event can join without breaking a limit. */
  fits({ time, bytes }: EncodedEvent, limits: BatchLimits, baseBytes: number): boolean {
    if (this.#count >= limits.maxEvents || baseBytes + this.#bytes + bytes > limits.maxBytes) return false;
    if (limits.maxSpanMs === undefined) return true;
    return Math.max(this.#latest, time) - Math.min(this.#earliest, time) <= limits.maxSpanMs;
  }

  add({ time, payload, bytes }: EncodedEvent, mark: Mark): void {
    if (mark.split || mark.isNotice) this.#marks.set(this.#ends.length, mark);
    this.#ends.push(this.#slab.append(payload) - 1);
    this.#push(time, bytes, payload.length, mark.urgent);
  }

  /** No further event joins. */
  seal(): void {
    this.#slab.trim();
  }

  canEvict(evenUrgent: boolean): boolean {
    return evenUrgent ? this.#count > 0 : this.#ordinary > 0;
  }

  /** Takes out the oldest event, an urgent one only if `evenUrgent`. */
  evictOldest(evenUrgent: boolean): Entry | undefined {
    const cursor = evenUrgent ? 'any' : 'ordinary';
    for (let index = this.#evictFrom[cursor]; index < this.#ends.length; index++) {
      if (this.#sizes[index] === GONE || (this.#urgent[index] && !evenUrgent)) continue;
      const entry = this.#entry(index);
      this.#evictFrom[cursor] = index + 1;
      this.#sizes[index] = GONE;
      this.#count--;
      this.#bytes -= entry.bytes;
      this.#chars -= entry.payload.length;
      if (!entry.urgent) this.#ordinary--;
      this.#batch = undefined;
      // The places of evicted events take memory, too.
      const isSparse = this.#chars + this.#count < this.#slab.length / 4;
      if (isSparse || this.#count < this.#ends.length / 2) this.#keep(this.#live());
      return entry;
    }
    return undefined;
  }

  /** What goes to the destination, in order of time: the same object as long as the content is the same. */
  batch(baseBytes: number): Batch {
    if (this.#batch) return this.#batch;
    this.#settle();
    const slab = this.#slab;
    this.#batch = new LazyBatch(
      this.route,
      baseBytes + this.#bytes,
      () => this.entries(),
      (prefix, suffix) => slab.enclose(prefix, suffix),
    );
    return this.#batch;
  }

  /** The events in order of time, those of the same time in order of acceptance. */
  entries(): readonly Entry[] {
    this.#settle();
    return this.#ends.map((_, index) => this.#entry(index));
  }

  /** What the books need of all events. */
  get portion(): Portion {
    return { events: this.#count, costBytes: costOf(this.#chars, this.#count), marks: [...this.#marks.values()] };
  }

  /** The events from one place up to another, in order of time. */
  slice(start: number, end: number): Contents {
    this.#settle();
    const part = new Contents(this.route, this.#pool, (this.#ends[end - 1] ?? 0) - this.#startOf(start) + 1);
    part.#append(this, start, end);
    return part;
  }

  /** Nobody needs the events from now on, and no request is sending them. */
  recycle(): void {
    if (this.#batch?.release()) this.#slab.recycle();
  }

  /** Forgets the events: something may hold on to the batch for as long as a service asked to wait. */
  clear(): void {
    this.#batch = undefined;
    this.#keep([]);
  }

  /** Puts the events in order of time, without those that are gone. */
  #settle(): void {
    if (this.#chronological && this.#count === this.#ends.length) return;
    const live = this.#live();
    if (!this.#chronological) live.sort((a, b) => (this.#times[a] as number) - (this.#times[b] as number));
    this.#keep(live);
    this.#chronological = true;
  }

  #live(): number[] {
    return [...this.#ends.keys()].filter((index) => this.#sizes[index] !== GONE);
  }

  /** Keeps these events, in this order. */
  #keep(places: readonly number[]): void {
    const kept = new Contents(this.route, this.#pool, this.#bytesOf(places));
    for (const place of places) kept.#append(this, place, place + 1);
    this.#slab = kept.#slab;
    this.#ends = kept.#ends;
    this.#times = kept.#times;
    this.#sizes = kept.#sizes;
    this.#lengths = kept.#lengths;
    this.#urgent = kept.#urgent;
    this.#marks = kept.#marks;
    this.#evictFrom = { ordinary: 0, any: 0 };
  }

  #append(source: Contents, start: number, end: number): void {
    if (start === end) return;
    const from = source.#startOf(start);
    const shift = this.#slab.length - from;
    this.#slab.copy(source.#slab, from, source.#ends[end - 1] as number);
    for (let index = start; index < end; index++) {
      const mark = source.#marks.get(index);
      if (mark) this.#marks.set(this.#ends.length, mark);
      this.#ends.push((source.#ends[index] as number) + shift);
      this.#push(
        source.#times[index] as number,
        source.#sizes[index] as number,
        source.#lengths[index] as number,
        source.#urgent[index] as boolean,
      );
    }
  }

  #push(time: number, bytes: number, length: number, urgent: boolean): void {
    if (time < this.#latest) this.#chronological = false;
    if (time > this.#latest) this.#latest = time;
    if (time < this.#earliest) this.#earliest = time;
    this.#times.push(time);
    this.#sizes.push(bytes);
    this.#lengths.push(length);
    this.#urgent.push(urgent);
    this.#count++;
    this.#bytes += bytes;
    this.#chars += length;
    if (!urgent) this.#ordinary++;
  }

  #bytesOf(places: readonly number[]): number {
    return places.reduce((sum, place) => sum + (this.#ends[place] as number) + 1 - this.#startOf(place), 0);
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number) + 1;
  }

  #entry(index: number): Entry {
    const mark = this.#marks.get(index);
    return {
      route: this.route,
      time: this.#times[index] as number,
      payload: this.#slab.read(this.#startOf(index), this.#ends[index] as number),
      bytes: this.#sizes[index] as number,
      urgent: this.#urgent[index] as boolean,
      split: mark?.split,
      isNotice: mark?.isNotice ?? false,
    };
  }
}
