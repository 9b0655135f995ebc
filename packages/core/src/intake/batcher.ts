import type { Mark } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import { Contents } from '../batch/event-columns.js';
import { SlabPool } from '../batch/payload-buffer.js';
import { Parcel } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { EncodedEvent } from '../contract/destination.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** The open batch of each route. Seals a batch before it would break a limit, or `maxDelayMs` after its first record. */
export class Batcher {
  readonly #options: ResolvedDeliveryOptions;
  readonly #backlog: Backlog;
  readonly #clock: Clock;
  readonly #seal: (parcel: Parcel) => void;
  /** In order of opening, and so of due time. */
  readonly #open = new Map<string, Parcel>();
  readonly #slabs = new SlabPool();
  #lastFull = { route: '', payloadBytes: 0 };

  constructor(options: ResolvedDeliveryOptions, backlog: Backlog, clock: Clock, seal: (parcel: Parcel) => void) {
    this.#options = options;
    this.#backlog = backlog;
    this.#clock = clock;
    this.#seal = seal;
  }

  /** Puts the event into the open batch of its route. True when that opened or sealed a batch. */
  add(event: EncodedEvent, mark: Mark, seq: number): boolean {
    const { limits } = this.#options;
    let parcel = this.#open.get(event.route);
    let changed = false;
    if (parcel && !parcel.fits(event, limits)) {
      this.#closeFull(parcel);
      parcel = undefined;
    }
    if (!parcel) {
      parcel = this.#openFor(event.route, seq);
      changed = true;
    }
    parcel.add(event, mark);
    if (parcel.isFull(limits)) {
      this.#closeFull(parcel);
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
    for (const parcel of this.#open.values()) return parcel.acceptedAtMs + this.#options.maxDelayMs;
    return Number.POSITIVE_INFINITY;
  }

  sealDue(nowMs: number): void {
    for (const parcel of this.#open.values()) {
      if (parcel.acceptedAtMs + this.#options.maxDelayMs > nowMs) return;
      this.#close(parcel);
    }
  }

  sealAll(): void {
    for (const parcel of this.#open.values()) this.#close(parcel);
  }

  #openFor(route: string, seq: number): Parcel {
    // The batch after a full one is probably full, too.
    const expectedBytes = route === this.#lastFull.route ? Math.ceil(this.#lastFull.payloadBytes * 1.1) : 0;
    const contents = new Contents(route, this.#slabs, expectedBytes);
    const place = { firstSeq: seq, offset: 0, acceptedAtMs: this.#clock.monotonic() };
    const parcel = new Parcel(contents, this.#options.limits.baseBytes(route), place);
    this.#open.set(route, parcel);
    this.#backlog.append(parcel);
    return parcel;
  }

  #closeFull(parcel: Parcel): void {
    this.#lastFull = { route: parcel.route, payloadBytes: parcel.payloadBytes };
    this.#close(parcel);
  }

  #close(parcel: Parcel): void {
    this.#open.delete(parcel.route);
    parcel.seal();
    if (parcel.count > 0) this.#seal(parcel);
    // All its records were given up while it was open.
    else this.#backlog.remove(parcel);
  }
}
