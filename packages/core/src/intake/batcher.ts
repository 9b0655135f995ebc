import type { EventFlags } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import { EventColumns } from '../batch/event-columns.js';
import { BufferPool } from '../batch/payload-buffer.js';
import { PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { EncodedEvent } from '../contract/destination.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** The open batch of each route. Seals a batch before it would break a limit, or `maxDelayMs` after its first record. */
export class Batcher {
  readonly #options: ResolvedDeliveryOptions;
  readonly #backlog: Backlog;
  readonly #clock: Clock;
  readonly #seal: (batch: PendingBatch) => void;
  /** In order of opening, and so of due time. */
  readonly #open = new Map<string, PendingBatch>();
  readonly #bufferPool = new BufferPool();
  #lastFull = { route: '', payloadBytes: 0 };

  constructor(options: ResolvedDeliveryOptions, backlog: Backlog, clock: Clock, seal: (batch: PendingBatch) => void) {
    this.#options = options;
    this.#backlog = backlog;
    this.#clock = clock;
    this.#seal = seal;
  }

  /** Puts the event into the open batch of its route. True when that opened or sealed a batch. */
  add(event: EncodedEvent, mark: EventFlags, seq: number): boolean {
    const { limits } = this.#options;
    let batch = this.#open.get(event.route);
    let changed = false;
    if (batch && !batch.fits(event, limits)) {
      this.#closeFull(batch);
      batch = undefined;
    }
    if (!batch) {
      batch = this.#openFor(event.route, seq);
      changed = true;
    }
    batch.add(event, mark);
    if (batch.isFull(limits)) {
      this.#closeFull(batch);
      changed = true;
    }
    return changed;
  }

  has(route: string): boolean {
    return this.#open.has(route);
  }

  /** How many routes have an open batch. */
  get size(): number {
    return this.#open.size;
  }

  /** When the next open batch has waited long enough, on the monotonic clock. */
  get dueAtMs(): number {
    for (const batch of this.#open.values()) return batch.acceptedAtMs + this.#options.maxDelayMs;
    return Number.POSITIVE_INFINITY;
  }

  sealDue(nowMs: number): void {
    for (const batch of this.#open.values()) {
      if (batch.acceptedAtMs + this.#options.maxDelayMs > nowMs) return;
      this.#close(batch);
    }
  }

  sealAll(): void {
    for (const batch of this.#open.values()) this.#close(batch);
  }

  #openFor(route: string, seq: number): PendingBatch {
    // The batch after a full one is probably full, too.
    const expectedBytes = route === this.#lastFull.route ? Math.ceil(this.#lastFull.payloadBytes * 1.1) : 0;
    const events = new EventColumns(route, this.#bufferPool, expectedBytes);
    const place = { firstSeq: seq, offset: 0, acceptedAtMs: this.#clock.monotonic() };
    const batch = new PendingBatch(events, this.#options.limits.baseBytes(route), place);
    this.#open.set(route, batch);
    this.#backlog.append(batch);
    return batch;
  }

  #closeFull(batch: PendingBatch): void {
    this.#lastFull = { route: batch.route, payloadBytes: batch.payloadBytes };
    this.#close(batch);
  }

  #close(batch: PendingBatch): void {
    this.#open.delete(batch.route);
    batch.seal();
    if (batch.count > 0) this.#seal(batch);
    // All its records were given up while it was open.
    else this.#backlog.remove(batch);
  }
}
