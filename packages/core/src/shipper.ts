import { Batcher } from './batcher.js';
import { type Clock, systemClock, type Timer } from './clock.js';
import { wrongOption } from './config.js';
import { Delivery, type DeliveryCounters } from './delivery.js';
import type { Destination, DropReason, EncodedEvent } from './destination.js';
import { onProcessEnd } from './exit.js';
import { Books, costOf, type Entry, isDropReason, type Ledger, type Split } from './ledger.js';
import { type DeliveryOptions, type ResolvedDeliveryOptions, resolveDeliveryOptions } from './options.js';
import type { Parcel } from './parcel.js';
import type { LogRecord } from './record.js';
import { createReporter, type Reporter } from './report.js';

/** The part of the budget that only urgent records may use. */
const URGENT_RESERVE = 0.2;

/** Most routes with records waiting or in flight; each costs memory that the byte budget does not see. */
const MAX_ROUTES = 10_000;

/** What has become of all records so far, when a `flush()` or `close()` ended. */
export type DeliveryReport = Ledger;

/** Everything that can be counted. */
export interface DeliveryStats extends Ledger, DeliveryCounters {
  /** Records that the service refused one by one, by reason. */
  readonly rejectedByReason: Readonly<Record<DropReason, number>>;
  /** Bytes of the budget in use. */
  readonly bufferBytes: number;
}

/** Takes records and sees to it that they arrive, or are counted as lost. */
export interface Shipper {
  /** Takes a record. Synchronous, never throws. False: dropped on the spot, and counted. */
  accept(record: LogRecord): boolean;
  /**
   * Delivers everything accepted before the call, at once and without waiting for backoffs. Drops nothing: with
   * `timeoutMs` it may return while records are still pending.
   */
  flush(options?: { readonly timeoutMs?: number | undefined }): Promise<DeliveryReport>;
  /**
   * Takes no more records, delivers what is left, and gives up at the deadline (`closeTimeoutMs`), or sooner when no try
   * can come before it: what remains is counted as `undeliverable`. Further calls return the same promise.
   */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<DeliveryReport>;
  stats(): DeliveryStats;
}

/** Time and chance, for tests. */
export interface Seams {
  readonly clock?: Clock | undefined;
  /** From 0 up to, but not including, 1. */
  readonly random?: (() => number) | undefined;
}

/** Starts a shipper: the batching core for one destination. Throws `ConfigError` for wrong options. */
export function createShipper(destination: Destination, options: DeliveryOptions = {}, seams: Seams = {}): Shipper {
  if (typeof destination?.send !== 'function') throw wrongOption('destination', 'a Destination', destination);
  const resolved = resolveDeliveryOptions(options, destination.limits);
  const { clock = systemClock, random = Math.random } = seams;
  return new CoreShipper(destination, resolved, createReporter(destination.name, options, clock), clock, random);
}

class CoreShipper implements Shipper {
  readonly #destination: Destination;
  readonly #options: ResolvedDeliveryOptions;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #books: Books;
  readonly #batcher: Batcher;
  readonly #delivery: Delivery;
  /** Calls of `flush` and `close` that wait for all records up to a number. */
  readonly #waiters = new Set<{ readonly seq: number; readonly done: () => void }>();
  #seq = 0;
  #pumpDeferred = false;
  #timer: Timer | undefined;
  #closed = false;
  #closing: Promise<DeliveryReport> | undefined;
  /** Takes back the call before the natural end of the process; registered while there is something to deliver. */
  #forgetExit: (() => void) | undefined;

  constructor(
    destination: Destination,
    options: ResolvedDeliveryOptions,
    reporter: Reporter,
    clock: Clock,
    random: () => number,
  ) {
    this.#destination = destination;
    this.#options = options;
    this.#clock = clock;
    this.#reporter = reporter;
    this.#books = new Books((drop) => reporter.onDrop(drop));
    this.#batcher = new Batcher(options, clock, (parcel) => this.#delivery.enqueue(parcel));
    const landed = (): void => this.#pump();
    this.#delivery = new Delivery({ destination, options, books: this.#books, reporter, clock, random, landed });
  }

  accept(record: LogRecord): boolean {
    this.#books.receive();
    if (this.#closed) return this.#refuse('closed', record);
    let events: readonly EncodedEvent[];
    let costBytes: number;
    let urgent: boolean;
    try {
      const encoding = this.#destination.encode(record);
      if ('refused' in encoding) {
        return this.#refuse(isDropReason(encoding.refused) ? encoding.refused : 'invalid', record);
      }
      events = Array.isArray(encoding) ? encoding : [encoding];
      urgent = record.urgent;
      costBytes = events.reduce((sum, event) => sum + costOf(event), 0);
      const misfit = this.#misfit(events);
      if (misfit) return this.#refuse(misfit, record, events);
    } catch {
      return this.#refuse('unencodable', record);
    }
    const { hasRoom, evicted } = this.#makeRoom(costBytes, urgent);
    if (hasRoom) this.#keep(events, costBytes, urgent);
    // Only now: whoever is told may log again.
    this.#books.lose(evicted, { reason: 'buffer-full', rejected: false });
    return hasRoom || this.#refuse('buffer-full', record, events);
  }

  async flush({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<DeliveryReport> {
    await (this.#closing ?? this.#deliverAll(timeoutMs));
    return this.#books.ledger;
  }

  close({
    timeoutMs = this.#options.closeTimeoutMs,
  }: {
    readonly timeoutMs?: number | undefined;
  } = {}): Promise<DeliveryReport> {
    // Before anything is sent: what a destination logs meanwhile comes too late, and its own close() is called once.
    this.#closed = true;
    this.#closing ??= Promise.resolve().then(() => this.#shutDown(timeoutMs));
    return this.#closing;
  }

  stats(): DeliveryStats {
    return { ...this.#books.ledger, ...this.#delivery.counters, bufferBytes: this.#books.bufferBytes };
  }

  #refuse(reason: DropReason, record: LogRecord, events: readonly EncodedEvent[] = []): false {
    this.#books.refuse(reason, timeOf(record, this.#clock.now()), events);
    return false;
  }

  /** Why these events can never be sent, or not now for want of a route. */
  #misfit(events: readonly EncodedEvent[]): DropReason | undefined {
    const { limits } = this.#options;
    if (events.length === 0) return 'invalid';
    for (const { route, payload, time, bytes } of events) {
      const isEvent = typeof route === 'string' && typeof payload === 'string' && Number.isFinite(time) && bytes >= 0;
      if (!isEvent) return 'unencodable';
      if (limits.baseBytes(route) + bytes > limits.maxBytes) return 'too-large';
      if (this.#batcher.size + this.#delivery.lanes.size < MAX_ROUTES) continue;
      if (!this.#batcher.has(route) && !this.#delivery.lanes.has(route)) return 'too-many-routes';
    }
    return undefined;
  }

  /** Whether the budget holds `costBytes` more, and which older records have to go for it. */
  #makeRoom(costBytes: number, urgent: boolean): { readonly hasRoom: boolean; readonly evicted: readonly Entry[] } {
    const { maxBufferBytes, overflow } = this.#options;
    const limitBytes = urgent ? maxBufferBytes : maxBufferBytes * (1 - URGENT_RESERVE);
    const evicted: Entry[] = [];
    if (costBytes > limitBytes) return { hasRoom: false, evicted };
    let excessBytes = this.#books.bufferBytes + costBytes - limitBytes;
    while (excessBytes > 0) {
      const entry = overflow === 'drop-oldest' && (this.#evictOldest(false) ?? (urgent && this.#evictOldest(true)));
      if (!entry) return { hasRoom: false, evicted };
      evicted.push(entry);
      excessBytes -= costOf(entry);
    }
    return { hasRoom: true, evicted };
  }

  /** Takes out the oldest record that waits, an urgent one only if `evenUrgent`. What is in flight stays. */
  #evictOldest(evenUrgent: boolean): Entry | undefined {
    let oldest: Parcel | undefined;
    for (const parcels of [this.#batcher.open(), this.#delivery.lanes.waiting()]) {
      for (const parcel of parcels) {
        if (!parcel.canEvict(evenUrgent)) continue;
        if (!oldest || parcel.firstSeq < oldest.firstSeq) oldest = parcel;
      }
    }
    const entry = oldest?.evictOldest(evenUrgent);
    if (oldest?.count === 0 && oldest.state === 'waiting') this.#delivery.lanes.remove(oldest);
    return entry;
  }

  #keep(events: readonly EncodedEvent[], costBytes: number, urgent: boolean): void {
    const split: Split | undefined = events.length > 1 ? { unsettled: events.length, loss: undefined } : undefined;
    this.#books.admit(costBytes);
    this.#forgetExit ??= onProcessEnd('beforeExit', () => void this.close());
    this.#seq++;
    let changed = false;
    for (const { route, time, payload, bytes } of events) {
      const entry: Entry = { route, time, payload, bytes, urgent, split };
      if (this.#batcher.add(entry, this.#seq)) changed = true;
    }
    if (changed) this.#pumpSoon();
  }

  /** Not at once: a log call should not pay for joining and sending a batch. */
  #pumpSoon(): void {
    if (this.#pumpDeferred) return;
    this.#pumpDeferred = true;
    this.#clock.defer(() => {
      this.#pumpDeferred = false;
      this.#pump();
    });
  }

  /** Does all that can be done now, and derives from what is left when to look again. */
  #pump(): void {
    const nowMs = this.#clock.monotonic();
    this.#batcher.sealDue(nowMs);
    this.#delivery.dispatch();
    if (this.#books.isEmpty) {
      this.#forgetExit?.();
      this.#forgetExit = undefined;
    }
    for (const waiter of this.#waiters) if (this.#delivery.isSettledUpTo(waiter.seq)) waiter.done();
    this.#timer?.cancel();
    this.#timer = undefined;
    const nextMs = Math.min(this.#batcher.dueAtMs, this.#delivery.wakeAtMs);
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(() => this.#pump(), Math.max(0, nextMs - nowMs));
    this.#timer.unref();
  }

  /** Resolves when everything accepted so far is settled, or after `timeoutMs`. Keeps the process alive meanwhile. */
  async #deliverAll(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#batcher.sealAll();
    this.#delivery.wake();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter = { seq: this.#seq, done };
      const timer = this.#clock.setTimer(done, timeoutMs);
      this.#waiters.add(waiter);
      this.#pump();
    });
  }

  async #shutDown(timeoutMs: number): Promise<DeliveryReport> {
    const deadlineMs = this.#clock.monotonic() + timeoutMs;
    this.#delivery.setDeadline(deadlineMs);
    await this.#deliverAll(timeoutMs);
    this.#delivery.abandon();
    this.#pump();
    await this.#closeDestination(deadlineMs);
    this.#reporter.flush();
    return this.#books.ledger;
  }

  async #closeDestination(deadlineMs: number): Promise<void> {
    let timer: Timer | undefined;
    const overtime = new Promise<void>((resolve) => {
      timer = this.#clock.setTimer(resolve, Math.max(0, deadlineMs - this.#clock.monotonic()));
    });
    try {
      await Promise.race([this.#destination.close?.(), overtime]);
    } catch {
      // Everything is settled already; a destination that cannot clean up changes nothing.
    } finally {
      timer?.cancel();
    }
  }
}

function timeOf(record: LogRecord, fallback: number): number {
  try {
    return record.time;
  } catch {
    return fallback;
  }
}
