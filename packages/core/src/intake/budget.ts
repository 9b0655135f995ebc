import type { Ledger, StoredEvent } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** The part of the budget that only urgent records may use. */
const URGENT_RESERVE = 0.2;

/** Memory of a batch besides its events, in bytes. Measured. */
const BATCH_COST_BYTES = 1536;

/** The bytes of a budget that a record may fill. */
export function limitOf(maxBufferBytes: number, urgent: boolean): number {
  return urgent ? maxBufferBytes : maxBufferBytes * (1 - URGENT_RESERVE);
}

/** One byte budget over all events that the core keeps: open, waiting, backing off or in flight. */
export class Budget {
  readonly #options: ResolvedDeliveryOptions;
  readonly #ledger: Ledger;
  readonly #backlog: Backlog;
  readonly #discard: (batch: PendingBatch) => void;

  /** `discard` is called with a batch that has no event left. */
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

  /** Bytes in use. */
  get usedBytes(): number {
    return this.#ledger.eventBytes + this.#backlog.size * BATCH_COST_BYTES;
  }

  /** Whether a half of all is free. */
  get isHalfFree(): boolean {
    return this.usedBytes < this.#options.maxBufferBytes / 2;
  }

  /** Makes room for `costBytes` more, by `overflow: 'drop-oldest'` at the cost of older records. False if there is none. */
  makeRoom(costBytes: number, urgent: boolean): boolean {
    const { maxBufferBytes, overflow } = this.#options;
    const limitBytes = limitOf(maxBufferBytes, urgent);
    if (costBytes > limitBytes) return false;
    while (this.usedBytes + costBytes > limitBytes) {
      const evicted = overflow === 'drop-oldest' && (this.#evictOldest(false) ?? (urgent && this.#evictOldest(true)));
      if (!evicted) return false;
      this.#ledger.lose([evicted], { reason: 'buffer-full', rejected: false });
    }
    return true;
  }

  /**
   * With `overflow: 'drop-oldest'`: takes out the oldest records that wait, of those on disk that are meant, of about so many bytes.
   * False if there is none.
   */
  evictOnDisk(bytes: number, urgent: boolean, isMeant: (id: number) => boolean): boolean {
    if (this.#options.overflow !== 'drop-oldest') return false;
    const evicted: StoredEvent[] = [];
    let left = bytes;
    for (const evenUrgent of urgent ? [false, true] : [false]) {
      for (const batch of this.#backlog) {
        if (left <= 0) break;
        if (!waits(batch)) continue;
        const events = batch.events.evictOnDisk(left, evenUrgent, isMeant);
        for (const { payload } of events) left -= Buffer.byteLength(payload);
        evicted.push(...events);
        if (batch.events.count === 0) this.#discard(batch);
      }
    }
    this.#ledger.lose(evicted, { reason: 'spool-full', rejected: false });
    return evicted.length > 0;
  }

  /** Takes out the oldest event that waits, an urgent one only if `evenUrgent`. Events in flight stay. */
  #evictOldest(evenUrgent: boolean): StoredEvent | undefined {
    for (const batch of this.#backlog) {
      const evicted = waits(batch) ? batch.events.evictOldest(evenUrgent) : undefined;
      if (!evicted) continue;
      if (batch.events.count === 0) this.#discard(batch);
      return evicted;
    }
    return undefined;
  }
}

function waits({ state }: PendingBatch): boolean {
  return state !== 'in-flight' && state !== 'settled';
}
