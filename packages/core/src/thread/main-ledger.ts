import { DropNotices } from '../accounting/drop-notices.js';
import { withCause } from '../accounting/ledger.js';
import type { Reporter } from '../accounting/reporter.js';
import { type DeliveryStats, emptyStats, sumStats } from '../accounting/stats.js';
import { type Drop, type DropReason, zeroByReason } from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { systemClock } from '../tools/system-clock.js';
import { timeOf } from '../tools/time.js';
import type { WorkerHandle } from './worker-handle.js';

/**
 * The main thread's ledger. It counts a record as pending until the worker reports it settled, so that all adds up at every
 * moment.
 */
export class MainLedger {
  readonly #reporter: Reporter;
  readonly #options: ResolvedDeliveryOptions;
  /** The last counters of workers that are gone. */
  readonly #endedWorkers: DeliveryStats[] = [];
  /** Losses in this thread, for a notice that the worker writes. */
  readonly #notices = new DropNotices(systemClock);
  readonly #dropped = zeroByReason();
  #received = 0;
  /** Time span of the records that may be pending. */
  #pendingFrom = Number.POSITIVE_INFINITY;
  #pendingTo = Number.NEGATIVE_INFINITY;

  constructor(reporter: Reporter, options: ResolvedDeliveryOptions) {
    this.#reporter = reporter;
    this.#options = options;
  }

  /** Number of records so far. */
  get received(): number {
    return this.#received;
  }

  receive(): void {
    this.#received++;
  }

  /** A record with this time is on its way to the worker. */
  admit(time: number): void {
    if (time < this.#pendingFrom) this.#pendingFrom = time;
    if (time > this.#pendingTo) this.#pendingTo = time;
  }

  refuse(reason: DropReason, record: Pick<LogRecord, 'time'>, cause?: unknown): false {
    const time = timeOf(record, systemClock.now());
    this.#lose({ reason, records: 1, from: time, to: time, events: [], ...withCause(cause) });
    return false;
  }

  /** Counts the pending records as lost, except `kept` of them. Call it after {@link keepLastStats}. */
  losePending(cause: unknown, kept = 0): void {
    const records = this.stats(undefined).pending - kept;
    const span = { from: this.#pendingFrom, to: this.#pendingTo };
    if (records > 0) this.#lose({ reason: 'undeliverable', records, ...span, events: [], ...withCause(cause) });
  }

  /** Starts the time span anew: nothing is pending. */
  clearPendingSpan(): void {
    this.#pendingFrom = Number.POSITIVE_INFINITY;
    this.#pendingTo = Number.NEGATIVE_INFINITY;
  }

  /** Keeps the last counters of a worker that is gone. `onDisk` of its pending records are on disk, for whoever adopts them. */
  keepLastStats(stats: DeliveryStats, onDisk: number): void {
    this.#endedWorkers.push({ ...stats, spooled: stats.spooled + onDisk });
  }

  /** Takes out the losses for the notice in the logs. */
  takeLosses(): readonly Drop[] {
    return this.#notices.drain();
  }

  /** The counters of the last reports, corrected by this thread's own. `shipping` has the records now. */
  stats(shipping: Pick<WorkerHandle, 'stats' | 'reportedAtMs'> | undefined): DeliveryStats {
    const current = shipping?.stats ?? emptyStats(this.#options);
    const reported = sumStats([...this.#endedWorkers, current]);
    const dropped = { ...reported.dropped };
    let settled = reported.delivered + reported.rejected + reported.spooled;
    for (const reason of Object.keys(dropped) as DropReason[]) {
      dropped[reason] += this.#dropped[reason];
      settled += dropped[reason];
    }
    const pending = this.#received + reported.recovered - settled;
    const reportAgeMs = shipping ? systemClock.monotonic() - shipping.reportedAtMs : 0;
    return {
      ...reported,
      received: this.#received,
      dropped,
      pending,
      bufferBytes: current.bufferBytes,
      bufferLimitBytes: current.bufferLimitBytes,
      inFlight: current.inFlight,
      spool: { ...current.spool, damaged: reported.spool.damaged },
      concurrency: current.concurrency,
      oldestAgeMs: pending > 0 ? Math.round(current.oldestAgeMs + reportAgeMs) : 0,
    };
  }

  #lose(drop: Drop): void {
    this.#dropped[drop.reason] += drop.records;
    if (drop.reason !== 'closed') this.#notices.add(drop);
    this.#reporter.dropped(drop, false);
  }
}
