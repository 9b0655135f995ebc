import { type Books, costOf, type Entry } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import type { Parcel } from '../batch/pending-batch.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** The part of the budget that only urgent records may use. */
const URGENT_RESERVE = 0.2;

/** How far a record may fill a budget. */
export function limitOf(maxBufferBytes: number, urgent: boolean): number {
  return urgent ? maxBufferBytes : maxBufferBytes * (1 - URGENT_RESERVE);
}

/** One byte budget over all that is open, waits, backs off or is in flight; and which records go when it is full. */
export class Budget {
  readonly #options: ResolvedDeliveryOptions;
  readonly #books: Books;
  readonly #backlog: Backlog;
  readonly #discard: (parcel: Parcel) => void;

  /** `discard` is told of a waiting batch that has no record left. */
  constructor(options: ResolvedDeliveryOptions, books: Books, backlog: Backlog, discard: (parcel: Parcel) => void) {
    this.#options = options;
    this.#books = books;
    this.#backlog = backlog;
    this.#discard = discard;
  }

  /** Whether the budget holds `costBytes` more, and which older records had to go for it: they still have to be counted. */
  makeRoom(costBytes: number, urgent: boolean): { readonly hasRoom: boolean; readonly evicted: readonly Entry[] } {
    const { maxBufferBytes, overflow } = this.#options;
    const limitBytes = limitOf(maxBufferBytes, urgent);
    const evicted: Entry[] = [];
    if (costBytes > limitBytes) return { hasRoom: false, evicted };
    let excessBytes = this.#books.bufferBytes + costBytes - limitBytes;
    while (excessBytes > 0) {
      const entry = overflow === 'drop-oldest' && (this.#evictOldest(false) ?? (urgent && this.#evictOldest(true)));
      if (!entry) return { hasRoom: false, evicted };
      evicted.push(entry);
      excessBytes -= costOf(entry.payload.length);
    }
    return { hasRoom: true, evicted };
  }

  /** Takes out the oldest record that waits, an urgent one only if `evenUrgent`. What is in flight stays. */
  #evictOldest(evenUrgent: boolean): Entry | undefined {
    for (const parcel of this.#backlog) {
      const waits = parcel.state === 'open' || parcel.state === 'ready' || parcel.state === 'asleep';
      if (!waits || !parcel.canEvict(evenUrgent)) continue;
      const entry = parcel.evictOldest(evenUrgent);
      // An open batch stays open for the next record.
      if (parcel.count === 0 && parcel.state !== 'open') this.#discard(parcel);
      return entry;
    }
    return undefined;
  }
}
