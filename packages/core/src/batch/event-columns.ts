import { bufferCost, type EventFlags, type EventTotals, type StoredEvent, withoutFlags } from '../accounting/ledger.js';
import type { Batch, BatchLimits, EncodedEvent, PayloadSeparator } from '../contract/destination.js';
import { BYTES, Columns, URGENT } from './columns.js';
import { type BufferPool, PayloadBuffer } from './payload-buffer.js';
import { RequestBatch } from './request-batch.js';

/** The properties of a batch that its parts share. */
interface Layout {
  readonly pool: BufferPool;
  readonly separator: PayloadSeparator;
  /** Bytes of the batch before its first event. */
  readonly baseBytes: number;
  /** Whether its records may be on disk, too. */
  readonly isSpooled: boolean;
}

/** Stands for the size of an event that was evicted. */
const EVICTED = -1;

/**
 * The events of a batch, in columns: the payloads as bytes of one buffer, the numbers in arrays. An object for each of some
 * thousand events, and a string that lives as long, would keep the garbage collector busy. Objects are made again only for
 * events that are lost, or for a destination that reads `batch.events`.
 */
export class EventColumns {
  readonly route: string;
  /** Time of the earliest event that was added. */
  earliestMs: number = Number.POSITIVE_INFINITY;
  /** Time of the latest event that was added. */
  latestMs: number = Number.NEGATIVE_INFINITY;
  readonly #layout: Layout;
  #payloads: PayloadBuffer;
  #columns: Columns;
  /** Flags of the few events that are parts of a record, or notices; none if there is no such event, since a map takes much memory. */
  #flags: Map<number, EventFlags> | undefined;
  #count = 0;
  /** As the service counts them. */
  #bytes: number;
  #payloadBytes = 0;
  #isChronological = true;
  #hasJoined = false;
  #batch: RequestBatch | undefined;
  /** Index where the search for the next event to evict goes on: for ordinary events, and for all. */
  #evictFrom = { ordinary: 0, any: 0 };

  /** `expectedBytes` of payloads, if something is known of them. */
  constructor(route: string, layout: Layout, expectedBytes = 0) {
    this.route = route;
    this.#layout = layout;
    this.#bytes = layout.baseBytes;
    this.#columns = new Columns(layout.isSpooled, layout.separator.length);
    this.#payloads = new PayloadBuffer(layout.pool, layout.separator, expectedBytes);
  }

  /** Number of events. */
  get count(): number {
    return this.#count;
  }

  /** Size of the batch, as the service counts it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of all payloads. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** The same without what the batch costs before its first event. */
  get eventBytes(): number {
    return this.#bytes - this.#layout.baseBytes;
  }

  /** Whether the event can join without breaking a limit of size. */
  fits({ bytes }: EncodedEvent, { maxEvents, maxBytes }: BatchLimits): boolean {
    return this.#count < maxEvents && this.#bytes + bytes <= maxBytes;
  }

  /** Whether no further event can join, however small. */
  isFull({ maxEvents, maxBytes }: BatchLimits): boolean {
    return this.#count >= maxEvents || this.#bytes >= maxBytes;
  }

  /** `id` is that of the record on disk. */
  add({ time, payload, bytes }: EncodedEvent, flags: EventFlags, id = 0): void {
    if (flags.split || flags.isNotice) this.#flag(flags);
    const bits = (flags.urgent ? URGENT : 0) | (typeof payload === 'string' ? 0 : BYTES);
    this.#push(this.#payloads.append(payload), time, bytes, bits, id);
  }

  /** Ends adding: gives back memory that is not needed, all of it if memory is scarce. */
  seal(isScarce: boolean): void {
    this.#payloads.seal(isScarce);
    this.#columns.trim();
  }

  /** Takes out the oldest event, an urgent one only if `evenUrgent`; none if there is no such event. */
  evictOldest(evenUrgent: boolean): StoredEvent | undefined {
    const cursor = evenUrgent ? 'any' : 'ordinary';
    while (this.#evictFrom[cursor] < this.#columns.length) {
      const index = this.#evictFrom[cursor]++;
      if (this.#columns.sizes[index] === EVICTED || (this.#columns.has(URGENT, index) && !evenUrgent)) continue;
      const event = this.#evict(index);
      this.#compactIfSparse();
      return event;
    }
    return undefined;
  }

  /** Takes out the oldest events of records on disk that are meant: of at least so many bytes, if there are; urgent ones only if `evenUrgent`. */
  evictOnDisk(bytes: number, evenUrgent: boolean, isMeant: (id: number) => boolean): readonly StoredEvent[] {
    const { ids = [], sizes } = this.#columns;
    const evicted: StoredEvent[] = [];
    let left = bytes;
    for (let index = 0; index < ids.length && left > 0; index++) {
      const id = ids[index] as number;
      if (sizes[index] === EVICTED || (this.#columns.has(URGENT, index) && !evenUrgent) || id === 0 || !isMeant(id))
        continue;
      left -= this.#columns.lengthOf(index);
      evicted.push(this.#evict(index));
    }
    if (evicted.length > 0) this.#compactIfSparse();
    return evicted;
  }

  /** The argument of `send`, in order of time: the same object as long as the content is the same. */
  get batch(): Batch {
    if (this.#batch) return this.#batch;
    this.#sort();
    const payloads = this.#payloads;
    this.#batch = new RequestBatch({
      route: this.route,
      bytes: this.#bytes,
      from: this.earliestMs,
      to: this.latestMs,
      separator: this.#layout.separator,
      makeEvents: () => this.storedEvents().map(withoutFlags),
      makeBody: (prefix, suffix) => payloads.enclose(prefix, suffix),
    });
    return this.#batch;
  }

  /** The events in order of time; events of the same time in order of acceptance. */
  storedEvents(): readonly StoredEvent[] {
    this.#sort();
    return this.#columns.ends.map((_, index) => this.#eventAt(index));
  }

  /** The sums over all events. */
  get totals(): EventTotals {
    const costBytes = bufferCost(this.#payloadBytes, this.#count);
    return {
      events: this.#count,
      costBytes,
      flags: this.#flags ? [...this.#flags.values()] : [],
      ids: this.#idsOfWholeRecords(),
    };
  }

  /** The ids of its records that are on disk. */
  get ids(): readonly number[] {
    return this.#columns.ids?.filter((id, index) => id > 0 && this.#columns.sizes[index] !== EVICTED) ?? [];
  }

  /** Takes in the events of others behind its own, and their memory is free. Until {@link endJoining} there may be room for more. */
  join(others: readonly EventColumns[]): void {
    this.#hasJoined = true;
    for (const other of others) other.#sort();
    this.#payloads.reserve(others.reduce((sum, { payloadBytes, count }) => sum + payloadBytes + count, 0));
    for (const other of others) {
      this.#append(other, 0, other.#columns.length);
      other.#payloads.free();
    }
  }

  /** No others join: gives back the memory that is not needed. */
  endJoining(): void {
    if (this.#hasJoined) this.seal(true);
    this.#hasJoined = false;
  }

  /** The events from one index up to another, in order of time. */
  slice(start: number, end: number): EventColumns {
    this.#sort();
    const part = this.#empty((this.#columns.ends[end - 1] ?? 0) - this.#columns.startOf(start) + 1);
    part.#append(this, start, end);
    part.seal(true);
    return part;
  }

  /** Takes out the events of this time if it is the last, and these are at most half of all. */
  cutLast(time: number, expectedBytes: number): EventColumns | undefined {
    this.#sort();
    const { length } = this.#columns;
    const start = this.#columns.times.indexOf(time);
    if (this.#columns.times.at(-1) !== time || start < length / 2) return undefined;
    const cut = this.#empty(expectedBytes);
    cut.#append(this, start, length);
    this.#payloads.truncate(this.#columns.startOf(start));
    this.#columns.truncate(start);
    for (const index of this.#flags?.keys() ?? []) if (index >= start) this.#flags?.delete(index);
    this.#count = start;
    this.#bytes -= cut.#bytes - this.#layout.baseBytes;
    this.#payloadBytes -= cut.#payloadBytes;
    this.latestMs = this.#columns.times[start - 1] as number;
    return cut;
  }

  /** Frees the copies that an attempt has made. */
  forgetCopies(): void {
    this.#batch?.forgetCopies();
  }

  /** Gives the memory back for reuse, if no request reads it and the destination keeps nothing of it. */
  recycle(): void {
    if (!this.#batch?.isEnclosed) return;
    this.#batch.release();
    this.#payloads.recycle();
  }

  /** Frees the events now: a timer may keep the batch until Retry-After is over. */
  clear(): void {
    this.#batch = undefined;
    this.#retain([]);
  }

  #evict(index: number): StoredEvent {
    const event = this.#eventAt(index);
    this.#columns.sizes[index] = EVICTED;
    this.#count--;
    this.#bytes -= event.bytes;
    this.#payloadBytes -= this.#columns.lengthOf(index);
    this.#batch = undefined;
    return event;
  }

  /** Puts the events in order of time, without evicted ones. */
  #sort(): void {
    if (this.#isChronological && this.#count === this.#columns.length) return;
    const live = this.#live();
    if (!this.#isChronological)
      live.sort((a, b) => (this.#columns.times[a] as number) - (this.#columns.times[b] as number));
    this.#retain(live);
    this.#isChronological = true;
  }

  /** Evicted events take memory until the columns are written anew. */
  #compactIfSparse(): void {
    const isSparse = this.#payloadBytes + this.#count < this.#payloads.length / 4;
    if (isSparse || this.#count < this.#columns.length / 2) this.#retain(this.#live());
  }

  #live(): number[] {
    return [...this.#columns.ends.keys()].filter((index) => this.#columns.sizes[index] !== EVICTED);
  }

  /** Keeps these events, in this order. */
  #retain(indices: readonly number[]): void {
    const kept = this.#empty(indices.reduce((sum, index) => sum + this.#columns.lengthOf(index) + 1, 0));
    for (const index of indices) kept.#append(this, index, index + 1);
    this.#payloads = kept.#payloads;
    this.#columns = kept.#columns;
    this.#flags = kept.#flags;
    this.#evictFrom = { ordinary: 0, any: 0 };
  }

  #empty(expectedBytes: number): EventColumns {
    return new EventColumns(this.route, this.#layout, expectedBytes);
  }

  #append(source: EventColumns, start: number, end: number): void {
    if (start === end) return;
    const from = source.#columns.startOf(start);
    const shift = this.#payloads.length - from;
    this.#payloads.copy(source.#payloads, from, source.#columns.ends[end - 1] as number);
    const { ends, times, sizes, bits, ids } = source.#columns;
    for (let index = start; index < end; index++) {
      const flags = source.#flags?.get(index);
      if (flags) this.#flag(flags);
      const shifted = (ends[index] as number) + shift;
      this.#push(shifted, times[index] as number, sizes[index] as number, bits[index] as number, ids?.[index] ?? 0);
    }
  }

  /** Keeps the flags of the event that is added next. */
  #flag(flags: EventFlags): void {
    this.#flags ??= new Map();
    this.#flags.set(this.#columns.length, flags);
  }

  /** Adds the numbers of an event whose payload is in the buffer. */
  #push(end: number, time: number, bytes: number, bits: number, id: number): void {
    if (time < this.latestMs) this.#isChronological = false;
    if (time > this.latestMs) this.latestMs = time;
    if (time < this.earliestMs) this.earliestMs = time;
    const columns = this.#columns;
    columns.push(end, time, bytes, bits, id);
    this.#count++;
    this.#bytes += bytes;
    this.#payloadBytes += columns.lengthOf(columns.length - 1);
  }

  #eventAt(index: number): StoredEvent {
    const flags = this.#flags?.get(index);
    const { ends, times, sizes, ids } = this.#columns;
    return {
      route: this.route,
      time: times[index] as number,
      payload: this.#payloads.read(
        this.#columns.startOf(index),
        ends[index] as number,
        this.#columns.has(BYTES, index),
      ),
      bytes: sizes[index] as number,
      urgent: this.#columns.has(URGENT, index),
      split: flags?.split,
      isNotice: flags?.isNotice ?? false,
      id: ids?.[index] ?? 0,
    };
  }

  /** Without those of records that were split: their last part counts. */
  #idsOfWholeRecords(): readonly number[] {
    const { ids } = this.#columns;
    if (!ids) return NO_IDS;
    return ids.filter((id, index) => id > 0 && !this.#flags?.get(index)?.split);
  }
}

const NO_IDS: readonly number[] = [];
