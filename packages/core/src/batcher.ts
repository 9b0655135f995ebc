import type { Backlog } from './backlog.js';
import type { Clock } from './clock.js';
import type { Entry } from './ledger.js';
import type { ResolvedDeliveryOptions } from './options.js';
import { Parcel } from './parcel.js';

/** The open batch of each route. Seals a batch before it would break a limit, or `maxDelayMs` after its first record. */
export class Batcher {
  readonly #options: ResolvedDeliveryOptions;
  readonly #backlog: Backlog;
  readonly #clock: Clock;
  readonly #seal: (parcel: Parcel) => void;
  /** In order of opening, and so of due time. */
  readonly #open = new Map<string, Parcel>();

  constructor(options: ResolvedDeliveryOptions, backlog: Backlog, clock: Clock, seal: (parcel: Parcel) => void) {
    this.#options = options;
    this.#backlog = backlog;
    this.#clock = clock;
    this.#seal = seal;
  }

  /** Puts the entry into the open batch of its route. True when that opened or sealed a batch. */
  add(entry: Entry, seq: number): boolean {
    const { limits } = this.#options;
    let parcel = this.#open.get(entry.route);
    let changed = false;
    if (parcel && !parcel.fits(entry, limits)) {
      this.#close(parcel);
      parcel = undefined;
    }
    if (!parcel) {
      parcel = new Parcel(entry.route, limits.baseBytes(entry.route), seq, this.#clock.monotonic());
      this.#open.set(entry.route, parcel);
      this.#backlog.append(parcel);
      changed = true;
    }
    parcel.add(entry);
    if (parcel.isFull(limits)) {
      this.#close(parcel);
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

  #close(parcel: Parcel): void {
    this.#open.delete(parcel.route);
    if (parcel.count > 0) this.#seal(parcel);
    // All its records were given up while it was open.
    else this.#backlog.remove(parcel);
  }
}
