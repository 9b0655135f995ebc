import { bufferCost, type Ledger, type StoredEvent } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import type { PendingBatch } from '../batch/pending-batch.js';
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
  readonly #ledger: Ledger;
  readonly #backlog: Backlog;
  readonly #discard: (batch: PendingBatch) => void;

  /** `discard` is told of a waiting batch that has no record left. */
  constructor(
    options: ResolvedDeliveryOptions,
    ledger: Ledger,
    backlog: Backlog,
    discard: (batch: PendingBatch) => void,
  ) {
    this.#options = options;
    this.#ledger = ledger;
    this.#backlog = backlog;
    this.#discard = discard;
  }

  /** Whether the budget holds `costBytes` more, and which older records had to go for it: they still have to be counted. */
  makeRoom(
    costBytes: number,
    urgent: boolean,
  ): { readonly hasRoom: boolean; readonly evicted: readonly StoredEvent[] } {
    const { maxBufferBytes, overflow } = this.#options;
    const limitBytes = limitOf(maxBufferBytes, urgent);
    const evicted: StoredEvent[] = [];
    if (costBytes > limitBytes) return { hasRoom: false, evicted };
    let excessBytes = this.#ledger.bufferBytes + costBytes - limitBytes;
    while (excessBytes > 0) {
      const entry = overflow === 'drop-oldest' && (this.#evictOldest(false) ?? (urgent && this.#evictOldest(true)));
      if (!entry) return { hasRoom: false, evicted };
      evicted.push(entry);
      excessBytes -= bufferCost(entry.payload.length);
    }
    return { hasRoom: true, evicted };
  }

  /** Takes out the oldest record that waits, an urgent one only if `evenUrgent`. What is in flight stays. */
  #evictOldest(evenUrgent: boolean): StoredEvent | undefined {
    for (const batch of this.#backlog) {
      const waits = batch.state === 'open' || batch.state === 'ready' || batch.state === 'backing-off';
      if (!waits || !batch.canEvict(evenUrgent)) continue;
      const entry = batch.evictOldest(evenUrgent);
      // An open batch stays open for the next record.
      if (batch.count === 0 && batch.state !== 'open') this.#discard(batch);
      return entry;
    }
    return undefined;
  }
}
