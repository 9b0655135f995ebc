import type { EventFlags } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import { EventColumns } from '../batch/event-columns.js';
import { BufferPool } from '../batch/payload-buffer.js';
import { PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { CheckedEvent } from './encode.js';

/** With more batches than this in the backlog, memory is scarce: each sealed batch keeps no spare bytes. */
const ROOMY_BATCHES = 8;

/** The open batch of each route. A batch is sealed before it would break a limit, or `maxDelayMs` after its first record. */
export class Batcher {
  readonly #options: ResolvedDeliveryOptions;
  readonly #backlog: Backlog;
  readonly #clock: Clock;
  readonly #onSealed: (batch: PendingBatch) => void;
  /** In order of opening, and so of due time. */
  readonly #open = new Map<string, PendingBatch>();
  readonly #bufferPool = new BufferPool();
  #lastFull = { route: '', payloadBytes: 0 };

  constructor(
    options: ResolvedDeliveryOptions,
    backlog: Backlog,
    clock: Clock,
    onSealed: (batch: PendingBatch) => void,
  ) {
    this.#options = options;
    this.#backlog = backlog;
    this.#clock = clock;
    this.#onSealed = onSealed;
  }

  /** Puts the event into the open batch of its route. True when that opened or sealed a batch. */
  add(event: CheckedEvent, flags: EventFlags, seq: number): boolean {
    const { limits } = this.#options;
    let batch = this.#open.get(event.route);
    let changed = false;
    if (batch && !batch.events.fits(event, limits)) {
      this.#sealFull(batch);
      batch = undefined;
    }
    if (!batch) {
      batch = this.#openFor(event, seq);
      changed = true;
    }
    batch.events.add(event, flags);
    if (batch.events.isFull(limits)) {
      this.#sealFull(batch);
      changed = true;
    }
    return changed;
  }

  has(route: string): boolean {
    return this.#open.has(route);
  }

  /** Number of routes with an open batch. */
  get size(): number {
    return this.#open.size;
  }

  /** Time when the next open batch has waited long enough, on the monotonic clock. */
  get dueAtMs(): number {
    for (const batch of this.#open.values()) return batch.acceptedAtMs + this.#options.maxDelayMs;
    return Number.POSITIVE_INFINITY;
  }

  /** Takes out an open batch whose events were all evicted. */
  discard(batch: PendingBatch): void {
    this.#open.delete(batch.route);
    this.#backlog.remove(batch);
  }

  sealDue(nowMs: number): void {
    for (const batch of this.#open.values()) {
      if (batch.acceptedAtMs + this.#options.maxDelayMs > nowMs) return;
      this.#seal(batch);
    }
  }

  sealAll(): void {
    for (const batch of this.#open.values()) this.#seal(batch);
  }

  #openFor({ route, baseBytes }: CheckedEvent, seq: number): PendingBatch {
    const { separator } = this.#options;
    // The batch after a full one is probably full, too.
    const expectedBytes = route === this.#lastFull.route ? Math.ceil(this.#lastFull.payloadBytes * 1.1) : 0;
    const layout = { pool: this.#bufferPool, separator, baseBytes };
    const events = new EventColumns(route, layout, expectedBytes);
    const position = { firstSeq: seq, offset: 0, acceptedAtMs: this.#clock.monotonic() };
    const batch = new PendingBatch(events, position);
    this.#open.set(route, batch);
    this.#backlog.append(batch);
    return batch;
  }

  #sealFull(batch: PendingBatch): void {
    const { count, payloadBytes } = batch.events;
    this.#lastFull = { route: batch.route, payloadBytes: payloadBytes + count };
    this.#seal(batch);
  }

  #seal(batch: PendingBatch): void {
    this.#open.delete(batch.route);
    batch.events.seal(this.#backlog.size > ROOMY_BATCHES);
    this.#onSealed(batch);
  }
}
