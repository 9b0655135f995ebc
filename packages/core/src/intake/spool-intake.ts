import type { Ledger } from '../accounting/ledger.js';
import type { Clock } from '../contract/clock.js';
import type { DropReason } from '../contract/destination.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { ResolvedSpoolOptions } from '../options/spool-options.js';
import type { SpoolRecord } from '../spool/frame.js';
import type { Appended, Spool } from '../spool/spool.js';
import { type Budget, limitOf } from './budget.js';
import type { CheckedEvent } from './encode.js';

/** With this part of the budget free again, new records stay in memory again. */
const FREE_AGAIN = 1 / 2;

/** A record that is to be taken in. */
export interface EncodedRecord {
  readonly events: readonly CheckedEvent[];
  readonly costBytes: number;
  readonly urgent: boolean;
}

interface Parked {
  readonly record: EncodedRecord;
  readonly id: number;
}

interface Dependencies {
  readonly options: ResolvedDeliveryOptions;
  readonly spoolOptions: ResolvedSpoolOptions;
  readonly spool: Spool;
  readonly ledger: Ledger;
  readonly budget: Budget;
  readonly clock: Clock;
  /** Keeps a record in memory; `id` is 0 if it is not on disk. */
  readonly keep: (record: EncodedRecord, id: number) => void;
}

/** Takes records in with a spool: on disk, in memory, or both. */
export class SpoolIntake {
  readonly #dependencies: Dependencies;
  /** The memory was full: records go to disk only, so that those that follow each other stay together there. */
  #isOverflowing = false;
  /** The records of {@link together} so far that are to be on disk only. */
  #parked: Parked[] | undefined;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes a record in. Returns why it was refused, or `undefined`. */
  take(record: EncodedRecord): DropReason | undefined {
    const { spoolOptions, ledger, keep, clock } = this.#dependencies;
    const { events, costBytes, urgent } = record;
    if (this.#neverFits(costBytes, urgent)) return 'buffer-full';
    const isParked = this.#overflows(costBytes, urgent);
    if (!isParked && spoolOptions.mode === 'spill') {
      keep(record, 0);
      return undefined;
    }
    const id = this.#append({ acceptedAt: clock.now(), urgent, events }, isParked);
    if (id === 'full') return 'spool-full';
    if (id === 'failed') return this.#takeIntoMemory(record);
    if (isParked) {
      ledger.park();
      this.#parked?.push({ record, id });
    } else keep(record, id);
    return undefined;
  }

  /** Takes the records in that a function hands over, by one write. `onRefused` is called for those that find no place in the end. */
  together<T>(act: () => T, onRefused: (record: EncodedRecord) => void): T {
    const { spool } = this.#dependencies;
    const parked: Parked[] = [];
    this.#parked = parked;
    try {
      return spool.together(act);
    } finally {
      this.#parked = undefined;
      for (const { record, id } of parked) if (!spool.has(id)) this.#unpark(record, onRefused);
    }
  }

  /** The record could not be written. */
  #unpark(record: EncodedRecord, onRefused: (record: EncodedRecord) => void): void {
    this.#dependencies.ledger.unpark();
    if (this.#takeIntoMemory(record) !== undefined) onRefused(record);
  }

  /** Segments go as a whole: as much is evicted as one holds. */
  #append(record: SpoolRecord, isParked: boolean): Appended {
    const { spool, budget } = this.#dependencies;
    for (;;) {
      const appended = spool.append(record, isParked);
      if (appended !== 'full') return appended;
      if (!budget.evictOnDisk(spool.segmentBytes, record.urgent, (id) => spool.has(id))) return appended;
    }
  }

  /** Without a place on disk it is as if there were no spool. */
  #takeIntoMemory(record: EncodedRecord): DropReason | undefined {
    const { budget, keep } = this.#dependencies;
    if (!budget.makeRoom(record.costBytes, record.urgent)) return 'buffer-full';
    keep(record, 0);
    return undefined;
  }

  /** It could never be read back. */
  #neverFits(costBytes: number, urgent: boolean): boolean {
    return costBytes > limitOf(this.#dependencies.options.maxBufferBytes, urgent);
  }

  #overflows(costBytes: number, urgent: boolean): boolean {
    const { options, budget, spool } = this.#dependencies;
    const { maxBufferBytes, ordered } = options;
    const limitBytes = limitOf(maxBufferBytes, urgent);
    // In order, new records go behind those that are on disk only.
    const isOver = ordered ? spool.overflow.waiting === 0 : budget.usedBytes < limitBytes * FREE_AGAIN;
    if (this.#isOverflowing && isOver) this.#isOverflowing = false;
    if (budget.usedBytes + costBytes > limitBytes) this.#isOverflowing = true;
    return this.#isOverflowing;
  }
}
