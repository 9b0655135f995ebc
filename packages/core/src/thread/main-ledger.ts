import { createChannels } from '../accounting/channels.js';
import { DropNotices } from '../accounting/drop-notices.js';
import { zeroByReason } from '../accounting/ledger.js';
import { type Reporter, stderrReporter } from '../accounting/reporter.js';
import { sumStats } from '../accounting/sum-stats.js';
import { systemClock } from '../contract/clock.js';
import type { DropReason } from '../contract/destination.js';
import { type LogRecord, timeOf } from '../contract/record.js';
import type { Drop } from '../options/delivery-options.js';
import type { DeliveryStats } from '../shipper.js';
import type { WorkerHandle } from './worker-handle.js';

/**
 * The main thread's side of the ledger. What the worker has settled is known from its reports; the rest is pending, so that
 * all adds up at every moment.
 */
export class MainLedger {
  /** Says on stderr what went wrong on this side. */
  readonly stderr: Reporter;
  /** The counters of a worker that has done nothing yet. */
  readonly #untouched: DeliveryStats;
  readonly #channels: ReturnType<typeof createChannels>;
  /** The last counters of workers that are gone. */
  readonly #past: DeliveryStats[] = [];
  /** Losses on this side, which no worker is told of yet. */
  readonly #notices = new DropNotices(systemClock);
  readonly #dropped = zeroByReason();
  #received = 0;
  /** Time span of the records that may be pending. */
  #pendingFrom = Number.POSITIVE_INFINITY;
  #pendingTo = Number.NEGATIVE_INFINITY;

  constructor(destination: string, untouched: DeliveryStats) {
    this.stderr = stderrReporter(destination);
    this.#untouched = untouched;
    this.#channels = createChannels(destination);
  }

  receive(): void {
    this.#received++;
  }

  /** A record with this time is on its way to the worker. */
  admit(time: number): void {
    if (time < this.#pendingFrom) this.#pendingFrom = time;
    if (time > this.#pendingTo) this.#pendingTo = time;
  }

  refuse(reason: DropReason, record: LogRecord): false {
    const time = timeOf(record, systemClock.now());
    this.#lose({ reason, records: 1, from: time, to: time, events: [] });
    return false;
  }

  /** Gives up what is pending, but for `kept` records. */
  losePending(kept = 0): void {
    const records = this.stats(undefined).pending - kept;
    const span = { from: this.#pendingFrom, to: this.#pendingTo };
    if (records > 0) this.#lose({ reason: 'undeliverable', records, ...span, events: [] });
  }

  /** Nothing is pending. */
  clearPendingSpan(): void {
    this.#pendingFrom = Number.POSITIVE_INFINITY;
    this.#pendingTo = Number.NEGATIVE_INFINITY;
  }

  /** The last counters of a worker that is gone. */
  keepLastStats(stats: DeliveryStats): void {
    this.#past.push(stats);
  }

  /** What no worker has been told of yet, for the notice in the logs. */
  takeLosses(): readonly Drop[] {
    return this.#notices.drain();
  }

  /** What the workers counted, as they last told, and what this side knows better. */
  stats(thread: WorkerHandle | undefined): DeliveryStats {
    const now = thread?.stats ?? this.#untouched;
    const there = sumStats([...this.#past, now]);
    const dropped = { ...there.dropped };
    let settled = there.delivered + there.rejected + there.spooled;
    for (const reason of Object.keys(dropped) as DropReason[]) {
      dropped[reason] += this.#dropped[reason];
      settled += dropped[reason];
    }
    const pending = this.#received - settled;
    const reportAgeMs = thread ? systemClock.monotonic() - thread.reportedAtMs : 0;
    return {
      ...there,
      received: this.#received,
      dropped,
      pending,
      bufferBytes: now.bufferBytes,
      inFlight: now.inFlight,
      concurrency: now.concurrency,
      oldestAgeMs: pending > 0 ? Math.round(now.oldestAgeMs + reportAgeMs) : 0,
    };
  }

  #lose(drop: Drop): void {
    this.#dropped[drop.reason] += drop.records;
    if (drop.reason !== 'closed') this.#notices.add(drop);
    this.#channels.dropped(() => drop);
    this.stderr.onDrop(drop);
  }
}
