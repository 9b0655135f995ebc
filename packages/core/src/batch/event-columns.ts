import { bufferCost, type EventFlags, type EventTotals, type StoredEvent } from '../accounting/ledger.js';
import type { Batch, BatchLimits, EncodedEvent } from '../contract/destination.js';
import { type BufferPool, PayloadBuffer } from './payload-buffer.js';
import { RequestBatch } from './request-batch.js';

/** Stands for the size of an event that was given up. */
const EVICTED = -1;

/**
 * The events of a batch, in columns: the payloads as bytes of one buffer, numbers in arrays. An object for each of some
 * thousand events, and a text that lives as long, would keep the garbage collector busy; they are made again only for
 * those that are lost, or for a destination that wants to see them.
 */
export class EventColumns {
  readonly route: string;
  readonly #pool: BufferPool;
  #payloads: PayloadBuffer;
  /** Where each payload ends in the buffer; a comma follows, and the next. */
  #ends: number[] = [];
  #times: number[] = [];
  /** As the service counts them. */
  #sizes: number[] = [];
  /** Lengths of the texts, for which the budget was charged. */
  #lengths: number[] = [];
  #urgent: boolean[] = [];
  /** The few events that are parts of a record, or notices of ours. */
  #marks = new Map<number, EventFlags>();
  #count = 0;
  #ordinary = 0;
  #bytes = 0;
  #chars = 0;
  #earliest = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  #chronological = true;
  #batch: RequestBatch | undefined;
  /** Where the search for the next event to evict goes on: for ordinary ones, for any. */
  #evictFrom = { ordinary: 0, any: 0 };

  /** `expectedBytes` of payloads, if something is known of them. */
  constructor(route: string, pool: BufferPool, expectedBytes = 0) {
    this.route = route;
    this.#pool = pool;
    this.#payloads = new PayloadBuffer(pool, expectedBytes);
  }

  /** How many events. */
  get count(): number {
    return this.#count;
  }

  /** Size of the payloads as they are. */
  get payloadBytes(): number {
    return this.#payloads.length;
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

  add({ time, payload, bytes }: EncodedEvent, mark: EventFlags): void {
    if (mark.split || mark.isNotice) this.#marks.set(this.#ends.length, mark);
    this.#ends.push(this.#payloads.append(payload) - 1);
    this.#push(time, bytes, payload.length, mark.urgent);
  }

  /** No further event joins. */
  seal(): void {
    this.#payloads.trim();
  }

  canEvict(evenUrgent: boolean): boolean {
    return evenUrgent ? this.#count > 0 : this.#ordinary > 0;
  }

  /** Takes out the oldest event, an urgent one only if `evenUrgent`. */
  evictOldest(evenUrgent: boolean): StoredEvent | undefined {
    const cursor = evenUrgent ? 'any' : 'ordinary';
    for (let index = this.#evictFrom[cursor]; index < this.#ends.length; index++) {
      if (this.#sizes[index] === EVICTED || (this.#urgent[index] && !evenUrgent)) continue;
      const entry = this.#eventAt(index);
      this.#evictFrom[cursor] = index + 1;
      this.#sizes[index] = EVICTED;
      this.#count--;
      this.#bytes -= entry.bytes;
      this.#chars -= entry.payload.length;
      if (!entry.urgent) this.#ordinary--;
      this.#batch = undefined;
      // The places of evicted events take memory, too.
      const isSparse = this.#chars + this.#count < this.#payloads.length / 4;
      if (isSparse || this.#count < this.#ends.length / 2) this.#retain(this.#live());
      return entry;
    }
    return undefined;
  }

  /** What goes to the destination, in order of time: the same object as long as the content is the same. */
  batch(baseBytes: number): Batch {
    if (this.#batch) return this.#batch;
    this.#sort();
    const buffer = this.#payloads;
    this.#batch = new RequestBatch(
      this.route,
      baseBytes + this.#bytes,
      () => this.storedEvents(),
      (prefix, suffix) => buffer.enclose(prefix, suffix),
    );
    return this.#batch;
  }

  /** The events in order of time, those of the same time in order of acceptance. */
  storedEvents(): readonly StoredEvent[] {
    this.#sort();
    return this.#ends.map((_, index) => this.#eventAt(index));
  }

  /** What the ledger need of all events. */
  get portion(): EventTotals {
    return { events: this.#count, costBytes: bufferCost(this.#chars, this.#count), flags: [...this.#marks.values()] };
  }

  /** The events from one place up to another, in order of time. */
  slice(start: number, end: number): EventColumns {
    this.#sort();
    const part = new EventColumns(this.route, this.#pool, (this.#ends[end - 1] ?? 0) - this.#startOf(start) + 1);
    part.#append(this, start, end);
    return part;
  }

  /** Nobody needs the events from now on, and no request is sending them. */
  recycle(): void {
    if (this.#batch?.release()) this.#payloads.recycle();
  }

  /** Forgets the events: something may hold on to the batch for as long as a service asked to wait. */
  clear(): void {
    this.#batch = undefined;
    this.#retain([]);
  }

  /** Puts the events in order of time, without those that are gone. */
  #sort(): void {
    if (this.#chronological && this.#count === this.#ends.length) return;
    const live = this.#live();
    if (!this.#chronological) live.sort((a, b) => (this.#times[a] as number) - (this.#times[b] as number));
    this.#retain(live);
    this.#chronological = true;
  }

  #live(): number[] {
    return [...this.#ends.keys()].filter((index) => this.#sizes[index] !== EVICTED);
  }

  /** Keeps these events, in this order. */
  #retain(indices: readonly number[]): void {
    const kept = new EventColumns(this.route, this.#pool, this.#bytesOf(indices));
    for (const index of indices) kept.#append(this, index, index + 1);
    this.#payloads = kept.#payloads;
    this.#ends = kept.#ends;
    this.#times = kept.#times;
    this.#sizes = kept.#sizes;
    this.#lengths = kept.#lengths;
    this.#urgent = kept.#urgent;
    this.#marks = kept.#marks;
    this.#evictFrom = { ordinary: 0, any: 0 };
  }

  #append(source: EventColumns, start: number, end: number): void {
    if (start === end) return;
    const from = source.#startOf(start);
    const shift = this.#payloads.length - from;
    this.#payloads.copy(source.#payloads, from, source.#ends[end - 1] as number);
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

  #bytesOf(indices: readonly number[]): number {
    return indices.reduce((sum, index) => sum + (this.#ends[index] as number) + 1 - this.#startOf(index), 0);
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number) + 1;
  }

  #eventAt(index: number): StoredEvent {
    const mark = this.#marks.get(index);
    return {
      route: this.route,
      time: this.#times[index] as number,
      payload: this.#payloads.read(this.#startOf(index), this.#ends[index] as number),
      bytes: this.#sizes[index] as number,
      urgent: this.#urgent[index] as boolean,
      split: mark?.split,
      isNotice: mark?.isNotice ?? false,
    };
  }
}
