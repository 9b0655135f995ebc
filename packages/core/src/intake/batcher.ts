import type { EventFlags } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import { EventColumns } from '../batch/event-columns.js';
import type { LiveRoutes } from '../batch/live-routes.js';
import { BufferPool } from '../batch/payload-buffer.js';
import { type BatchPosition, PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { CheckedEvent } from './encode.js';

/** With more batches than this in the backlog, memory is scarce: each sealed batch keeps no spare bytes. */
const ROOMY_BATCHES = 8;

/** Batches are not sealed early for so many times `maxDelayMs` after that cost a request. */
const PATIENCE = 16;

/** Most open batches of a route, unless they go in order. CloudWatch Logs takes events of 15 days, each of which is a window. */
const MAX_WINDOWS = 16;

/**
 * The open batches of each route: one for each window of time as long as `maxSpanMs`. A batch is sealed when the next record
 * would break a limit, at the end of the turn if it is full, or `maxDelayMs` after its first record. Where no other is open, chance
 * decides for which part of that time it waits: processes that log at the same moment, such as those that a deploy started, do not send at
 * the same moment. That may cost no request: not while a record comes that a batch could have taken, had it waited.
 */
export class Batcher {
  readonly #options: ResolvedDeliveryOptions;
  readonly #windowMs: number;
  readonly #backlog: Backlog;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onSealed: (batch: PendingBatch) => void;
  readonly #isBusy: (route: string) => boolean;
  readonly #liveRoutes: LiveRoutes | undefined;
  readonly #kind: Pick<PendingBatch, 'origin' | 'isReplay'> | undefined;
  /** By route, and then by window. */
  readonly #open = new Map<string, Map<number, PendingBatch>>();
  /** All open batches by the number of their first event: in order of opening, and so of due time. */
  readonly #byAge = new Map<number, PendingBatch>();
  readonly #full = new Set<PendingBatch>();
  /** The open batch that is sealed early, and when, on the monotonic clock. */
  #early: { readonly batch: PendingBatch; readonly atMs: number } | undefined;
  /** Up to then the last batch that was sealed early could have waited, on the monotonic clock. */
  #missesUntilMs = Number.NEGATIVE_INFINITY;
  /** None is sealed early before, on the monotonic clock. */
  #patientUntilMs = Number.NEGATIVE_INFINITY;
  readonly #bufferPool = new BufferPool();
  #lastFull = { route: '', payloadBytes: 0 };
  /** The batch of the last event: the next one is mostly of the same route and window. */
  #last: { readonly window: number; readonly batch: PendingBatch } | undefined;

  /** `isBusy`: sealed batches of the route wait or are in flight. `liveRoutes`: none for records that are read back. */
  constructor(
    options: ResolvedDeliveryOptions,
    backlog: Backlog,
    clock: Clock,
    random: () => number,
    onSealed: (batch: PendingBatch) => void,
    isBusy: (route: string) => boolean,
    liveRoutes?: LiveRoutes,
    kind?: Pick<PendingBatch, 'origin' | 'isReplay'>,
  ) {
    this.#liveRoutes = liveRoutes;
    this.#kind = kind;
    this.#options = options;
    this.#windowMs = options.limits.maxSpanMs ?? Number.POSITIVE_INFINITY;
    this.#backlog = backlog;
    this.#clock = clock;
    this.#random = random;
    this.#onSealed = onSealed;
    this.#isBusy = isBusy;
  }

  /**
   * Puts the event into the open batch of its route and time. True when that opened, filled or sealed a batch. `id` is that of the
   * record on disk; `acceptedAtMs`, on the monotonic clock, is that of a record that is read back.
   */
  add(event: CheckedEvent, flags: EventFlags, seq: number, id = 0, acceptedAtMs?: number): boolean {
    const { limits } = this.#options;
    const window = this.#windowOf(event.time);
    let batch = this.#find(event.route, window);
    let changed = false;
    while (batch && !batch.events.fits(event, limits)) {
      batch = this.#sealFull(batch, event.time);
      changed = true;
    }
    if (!batch) {
      batch = this.#openFor(event, window, seq, acceptedAtMs);
      changed = true;
    }
    this.#last = { window, batch };
    batch.events.add(event, flags, id);
    if (acceptedAtMs !== undefined) batch.rejuvenate(acceptedAtMs);
    if (batch.events.isFull(limits)) {
      this.#full.add(batch);
      changed = true;
    }
    return changed;
  }

  /** Time when the next open batch has waited long enough, on the monotonic clock. */
  get dueAtMs(): number {
    for (const batch of this.#byAge.values()) return this.#dueAtMsOf(batch);
    return Number.POSITIVE_INFINITY;
  }

  /** Takes out an open batch whose events were all evicted. */
  discard(batch: PendingBatch): void {
    this.#close(batch);
    this.#backlog.remove(batch);
  }

  /** Seals the batches that are full or have waited long enough. */
  sealDue(nowMs: number): void {
    for (const batch of this.#full) this.#sealFull(batch);
    for (const batch of this.#byAge.values()) {
      if (this.#dueAtMsOf(batch) > nowMs) return;
      if (this.#early?.batch === batch) this.#missesUntilMs = batch.acceptedAtMs + this.#options.maxDelayMs;
      this.#seal(batch);
    }
  }

  sealAll(): void {
    for (const batch of this.#byAge.values()) this.#seal(batch);
  }

  #windowOf(time: number): number {
    return Math.floor(time / this.#windowMs);
  }

  #find(route: string, window: number): PendingBatch | undefined {
    const last = this.#last;
    if (last?.window === window && last.batch.route === route) return last.batch;
    return this.#open.get(route)?.get(window);
  }

  #openFor(
    { route, baseBytes }: CheckedEvent,
    window: number,
    seq: number,
    acceptedAtMs = this.#clock.monotonic(),
  ): PendingBatch {
    const [oldest, ...others] = this.#open.get(route)?.values() ?? [];
    const maxWindows = this.#options.ordered ? 1 : MAX_WINDOWS;
    if (oldest && others.length >= maxWindows - 1) this.#seal(oldest);
    const { separator, spool } = this.#options;
    const layout = { pool: this.#bufferPool, separator, baseBytes, isSpooled: spool !== undefined };
    const events = new EventColumns(route, layout, this.#expectedBytes(route));
    const batch = this.#register(events, window, { firstSeq: seq, offset: 0, acceptedAtMs });
    this.#backlog.append(batch);
    return batch;
  }

  /** The batch after a full one is probably full, too. */
  #expectedBytes(route: string): number {
    return route === this.#lastFull.route ? Math.ceil(this.#lastFull.payloadBytes * 1.1) : 0;
  }

  #register(events: EventColumns, window: number, position: BatchPosition): PendingBatch {
    const batch = new PendingBatch(events, position, this.#kind);
    const { route } = events;
    this.#sealEarly(batch);
    const windows = this.#open.get(route);
    if (windows) windows.set(window, batch);
    else {
      this.#open.set(route, new Map([[window, batch]]));
      this.#liveRoutes?.enter(route);
    }
    this.#byAge.set(position.firstSeq, batch);
    return batch;
  }

  #dueAtMsOf(batch: PendingBatch): number {
    return this.#early?.batch === batch ? this.#early.atMs : batch.acceptedAtMs + this.#options.maxDelayMs;
  }

  /** Has a batch that is opened sealed early, if it is the only one and that probably costs no request. */
  #sealEarly(batch: PendingBatch): void {
    const { acceptedAtMs } = batch;
    const { maxDelayMs } = this.#options;
    if (acceptedAtMs <= this.#missesUntilMs) this.#patientUntilMs = acceptedAtMs + PATIENCE * maxDelayMs;
    if (this.#byAge.size > 0 || acceptedAtMs < this.#patientUntilMs) return;
    this.#early = { batch, atMs: acceptedAtMs + maxDelayMs * (0.5 + this.#random() / 2) };
  }

  /**
   * Seals a full batch. If the next event is of the same millisecond as its last, the events of this millisecond move to the
   * next batch, which is returned: batches that share a millisecond cannot be in flight together. An idle route sends one at a
   * time in any case, until the next is full.
   */
  #sealFull(batch: PendingBatch, nextTime = Number.NaN): PendingBatch | undefined {
    const { route, events, firstSeq, offset, acceptedAtMs } = batch;
    this.#lastFull = { route, payloadBytes: events.payloadBytes + events.count };
    const isShared = nextTime === events.latestMs && this.#isBusy(route);
    const cut = isShared ? events.cutLast(nextTime, this.#expectedBytes(route)) : undefined;
    const position = { firstSeq, offset: offset + events.count, acceptedAtMs };
    // It takes the place of the full batch, and so keeps its due time.
    const next = cut && this.#register(cut, this.#windowOf(cut.latestMs), position);
    if (next) this.#backlog.insertAfter(batch, next);
    this.#seal(batch);
    return next;
  }

  #seal(batch: PendingBatch): void {
    this.#close(batch);
    batch.events.seal(this.#backlog.size > ROOMY_BATCHES);
    this.#onSealed(batch);
  }

  #close(batch: PendingBatch): void {
    const { route, events, firstSeq } = batch;
    const windows = this.#open.get(route);
    const window = this.#windowOf(events.earliestMs);
    if (windows?.get(window) === batch) windows.delete(window);
    if (windows?.size === 0 && this.#open.delete(route)) this.#liveRoutes?.leave(route);
    if (this.#byAge.get(firstSeq) === batch) this.#byAge.delete(firstSeq);
    if (this.#last?.batch === batch) this.#last = undefined;
    if (this.#early?.batch === batch) this.#early = undefined;
    this.#full.delete(batch);
  }
}
