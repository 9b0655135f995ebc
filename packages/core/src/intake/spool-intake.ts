import type { Ledger } from '../accounting/ledger.js';
import type { Clock } from '../contract/clock.js';
import type { DropReason } from '../contract/destination.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { ResolvedSpoolOptions } from '../options/spool-options.js';
import type { Appended, Entry, Spool } from '../spool/spool.js';
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

interface Dependencies {
  readonly options: ResolvedDeliveryOptions;
  readonly spoolOptions: ResolvedSpoolOptions;
  readonly spool: Spool;
  readonly ledger: Ledger;
  readonly budget: Budget;
  readonly clock: Clock;
  /** Keeps a record in memory; `id` is 0 if it is not on disk. */
  readonly keep: (record: EncodedRecord, urgent: boolean, id: number) => void;
}

/** Takes records in with a spool: on disk, in memory, or both. */
export class SpoolIntake {
  readonly #dependencies: Dependencies;
  /** The memory was full: records go to disk only, so that those that follow each other stay together there. */
  #isOverflowing = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes records in, by one write. Returns for each why it was refused, or `undefined`. */
  take(records: readonly EncodedRecord[]): readonly (DropReason | undefined)[] {
    const { spool, spoolOptions, clock } = this.#dependencies;
    const acceptedAt = clock.now();
    let addedBytes = 0;
    const entries: (Entry | undefined)[] = records.map(({ events, costBytes, urgent }) => {
      if (this.#neverFits(costBytes, urgent)) return undefined;
      const isParked = this.#overflows(addedBytes + costBytes, urgent);
      if (!isParked) addedBytes += costBytes;
      return isParked || spoolOptions.mode === 'journal' ? { acceptedAt, urgent, events, isParked } : undefined;
    });
    const appended = spool.append(entries.filter((entry) => entry !== undefined));
    let next = 0;
    return records.map((record, index) => {
      const entry = entries[index];
      return this.#settle(record, entry, entry && appended[next++]);
    });
  }

  #settle(record: EncodedRecord, entry: Entry | undefined, appended: Appended | undefined): DropReason | undefined {
    const { ledger, budget, keep } = this.#dependencies;
    const { costBytes, urgent } = record;
    if (appended === 'full') return 'spool-full';
    const isOnDisk = typeof appended === 'number';
    if (isOnDisk && entry?.isParked) {
      ledger.park();
      return undefined;
    }
    // Without a place on disk it is as if there were no spool.
    if (!isOnDisk && !budget.makeRoom(costBytes, urgent)) return 'buffer-full';
    keep(record, urgent, isOnDisk ? appended : 0);
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
