import type { LedgerTotals } from './accounting/ledger.js';
import type { DeliveryStats } from './accounting/stats.js';
import type { Clock } from './contract/clock.js';
import type { DropReason } from './contract/destination.js';
import type { DeliveryError } from './contract/errors.js';
import type { LogRecord } from './contract/record.js';
import type { SpoolFiles } from './spool/files.js';

/** The fate of all records so far, when a `flush()` or `close()` ended. */
export type DeliveryReport = LedgerTotals;

/** The time that a `flush()` or `close()` may take. */
export interface FlushOptions {
  /** Longest wait, in milliseconds. @default of `flush`: none; of `close`: `closeTimeoutMs` */
  readonly timeoutMs?: number | undefined;
}

/** Takes records, and delivers them or counts them as lost. */
export interface Shipper {
  /** Takes a record. Synchronous, never throws. False: dropped on the spot, and counted. */
  accept(record: LogRecord): boolean;
  /**
   * Runs a function that accepts records which came together, those of a chunk that was read, and returns its result. With the option
   * `spool` they go to disk by one write at its end. One that finds no place then is counted as lost, though `accept` returned true.
   */
  together<T>(act: () => T): T;
  /**
   * Counts a record as lost that an adapter cannot hand over: one that is too large to be read, for example. Synchronous, never
   * throws. `cause` is told with the loss. Always false.
   */
  refuse(record: Pick<LogRecord, 'time'>, reason: DropReason, cause?: unknown): false;
  /**
   * Resolves while the records take less than half of `maxBufferBytes`: for a bulk load, whose source can wait. Await it before each chunk of
   * at most a quarter of the budget, and no record is dropped as `buffer-full`. It resolves, too, when nothing is accepted any more. Keeps
   * the process alive meanwhile.
   */
  ready(): Promise<void>;
  /**
   * Delivers all records accepted before the call, at once and without waiting for backoffs. Drops nothing: with `timeoutMs`
   * it may return while records are pending. With the option `spool`, records that cannot be read back from disk now stay there.
   */
  flush(options?: FlushOptions): Promise<DeliveryReport>;
  /**
   * The same as `flush`; then it frees what it holds while there is nothing to do: with `thread: true` the worker thread. The
   * next record starts it again.
   */
  release(options?: FlushOptions): Promise<DeliveryReport>;
  /**
   * Ends accepting, delivers the rest, and gives up at the deadline, or sooner when no attempt can come before it. Records
   * left then are counted as `undeliverable`. Further calls return the same promise.
   */
  close(options?: FlushOptions): Promise<DeliveryReport>;
  /** All counters, of all records so far: records that wait for the end of the turn are encoded now. */
  stats(): DeliveryStats;
}

/** Dependencies of a shipper that a test or an adapter sets. */
export interface Seams {
  /** @default the system's clock */
  readonly clock?: Clock | undefined;
  /** From 0 up to, but not including, 1. @default Math.random */
  readonly random?: (() => number) | undefined;
  /** The file system of the option `spool`. @default that of Node.js */
  readonly files?: SpoolFiles | undefined;
  /** Called with each error that `onError` is called with, or stderr states: an adapter emits an event of its framework from it. */
  readonly onFailure?: ((error: DeliveryError) => void) | undefined;
}
