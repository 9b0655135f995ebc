import type { Incidents } from '../accounting/incidents.js';
import { type Ledger, type StoredEvent, totalsOf } from '../accounting/ledger.js';
import type { Reporter } from '../accounting/reporter.js';
import type { AttemptCounts } from '../accounting/stats.js';
import type { Backlog } from '../batch/backlog.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { DropReason } from '../contract/destination.js';
import type { DeliveryCode } from '../contract/errors.js';
import type { Spool } from '../spool/spool.js';
import type { Stored } from './attempt.js';

interface Dependencies {
  readonly backlog: Backlog;
  readonly incidents: Incidents;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly spool: Spool | undefined;
  readonly clock: Clock;
}

/** Counts the batches that leave the core, delivered or lost, and those that go again. */
export class Settlement {
  readonly #dependencies: Dependencies;
  readonly #counts: AttemptCounts;

  constructor(dependencies: Dependencies, counts: AttemptCounts) {
    this.#dependencies = dependencies;
    this.#counts = counts;
  }

  /** Counts a batch out that the destination took. Returns the number of events that it stored. */
  deliver(batch: PendingBatch, { wireBytes, rejections, requestId, faults }: Stored, durationMs: () => number): number {
    const { ledger, reporter } = this.#dependencies;
    const { route, events } = batch;
    const { batch: request, count } = events;
    this.#counts.bytes += request.bytes;
    this.#counts.wireBytes += wireBytes;
    const stored = rejections.size === 0 ? [] : events.storedEvents();
    const rejected = [...rejections].filter(([index]) => stored[index]);
    if (rejected.length === 0) ledger.deliver(events.totals);
    else ledger.deliver(totalsOf(stored.filter((_, index) => !rejections.has(index))));
    for (const [index, reason] of rejected) ledger.lose([stored[index] as StoredEvent], { reason, rejected: true });
    this.settle(batch);
    const delivered = count - rejected.length;
    reporter.publish('delivered', () => {
      return { route, events: delivered, bytes: request.bytes, wireBytes, durationMs: durationMs(), requestId };
    });
    for (const fault of faults) reporter.failed(fault, fault.message);
    return delivered;
  }

  /** Counts a batch out that is lost, with the error behind it. At an end it stays on disk, if it can, for the next start. */
  lose(batch: PendingBatch, reason: DropReason, cause: unknown = batch.lastError): void {
    const { incidents, ledger, spool } = this.#dependencies;
    const { route, events, state } = batch;
    if (reason === 'undeliverable' || reason === 'expired') incidents.gaveUp(route);
    const stored = events.storedEvents();
    if (spool && reason === 'undeliverable') {
      const { kept, others, isFull } = spool.keep(stored, this.#acceptedAt(batch), batch.wasAttempted);
      spool.leave(ledger.leave(kept));
      ledger.lose(others, { reason: isFull ? 'spool-full' : reason, rejected: false, cause });
    } else ledger.lose(stored, { reason, rejected: false, cause });
    this.settle(batch);
    if (state !== 'in-flight') events.clear();
  }

  /** Takes out a batch that has no event left to count. */
  settle(batch: PendingBatch): void {
    batch.state = 'settled';
    this.#dependencies.backlog.remove(batch);
  }

  /** Counts a failed attempt after which the batch goes again. */
  retry({ route, events: { count } }: PendingBatch, code: DeliveryCode, delayMs: number): void {
    const { retries } = this.#counts;
    retries[code] = (retries[code] ?? 0) + 1;
    this.#dependencies.reporter.publish('retry', () => ({ route, code, events: count, delayMs }));
  }

  /** Wall time of the acceptance of the last batch that joined it: on disk, too, its records are too old when that one is, and there a standstill counts. */
  #acceptedAt({ youngestAtMs }: PendingBatch): number {
    const { clock } = this.#dependencies;
    return clock.now() - (clock.monotonic() - youngestAtMs);
  }
}
