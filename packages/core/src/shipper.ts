import { DropNotices } from './accounting/drop-notices.js';
import { Ledger, type LedgerTotals } from './accounting/ledger.js';
import { Reporter } from './accounting/reporter.js';
import type { DeliveryStats } from './accounting/stats.js';
import { Backlog } from './batch/backlog.js';
import { type Clock, systemClock, type Timer } from './contract/clock.js';
import type { Destination, Drop } from './contract/destination.js';
import type { DeliveryError } from './contract/errors.js';
import type { LogRecord } from './contract/record.js';
import { Delivery } from './delivery/delivery.js';
import { Batcher } from './intake/batcher.js';
import { Budget } from './intake/budget.js';
import { Intake } from './intake/intake.js';
import {
  type DeliveryOptions,
  type ResolvedDeliveryOptions,
  resolveDeliveryOptions,
} from './options/delivery-options.js';
import { onProcessEnd } from './process/exit.js';

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
   * Delivers all records accepted before the call, at once and without waiting for backoffs. Drops nothing: with `timeoutMs`
   * it may return while records are pending.
   */
  flush(options?: FlushOptions): Promise<DeliveryReport>;
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
  /** Called with each error that `onError` is called with, or stderr states: an adapter emits an event of its framework from it. */
  readonly onFailure?: ((error: DeliveryError) => void) | undefined;
}

/** Starts a shipper in this thread. Throws `ConfigError` for wrong options. */
export function createCoreShipper(
  destination: Destination,
  options: DeliveryOptions = {},
  { clock = systemClock, random = Math.random, onFailure }: Seams = {},
  resolved: ResolvedDeliveryOptions = resolveDeliveryOptions(options, destination),
): CoreShipper {
  const reporter = new Reporter(destination.name, options, clock, onFailure);
  return new CoreShipper(destination, resolved, reporter, clock, random);
}

export class CoreShipper implements Shipper {
  readonly #destination: Destination;
  readonly #options: ResolvedDeliveryOptions;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #notices: DropNotices;
  readonly #ledger: Ledger;
  readonly #backlog = new Backlog();
  readonly #delivery: Delivery;
  readonly #budget: Budget;
  readonly #batcher: Batcher;
  readonly #intake: Intake;
  /** Calls of `flush` and `close` that wait for all events up to a number. */
  readonly #waiters = new Set<{ readonly seq: number; readonly done: () => void }>();
  #pumpDeferred = false;
  #timer: Timer | undefined;
  #closed = false;
  #closing: Promise<DeliveryReport> | undefined;
  /** Cancels the call before the natural end of the process; set while there is something to deliver. */
  #forgetBeforeExit: (() => void) | undefined;

  constructor(
    destination: Destination,
    options: ResolvedDeliveryOptions,
    reporter: Reporter,
    clock: Clock,
    random: () => number,
  ) {
    const backlog = this.#backlog;
    const onChanged = (): void => this.#pumpSoon();
    this.#destination = destination;
    this.#options = options;
    this.#clock = clock;
    this.#reporter = reporter;
    this.#notices = new DropNotices(clock);
    const ledger = new Ledger((drop, wasKept) => {
      if (drop.reason !== 'closed') this.noteDrops(drop);
      reporter.dropped(drop, wasKept);
    });
    this.#ledger = ledger;
    const delivery = new Delivery({
      destination,
      options,
      backlog,
      ledger,
      reporter,
      clock,
      random,
      onAnswered: onChanged,
    });
    this.#delivery = delivery;
    const batcher = new Batcher(options, backlog, clock, (batch) => delivery.enqueue(batch));
    this.#batcher = batcher;
    const budget = new Budget(options, ledger, backlog, (batch) => {
      if (batch.state === 'open') batcher.discard(batch);
      else delivery.discard(batch);
      // A flush, or the next batch of the route, may have waited for it.
      onChanged();
    });
    this.#budget = budget;
    const { routes } = delivery;
    this.#intake = new Intake({ destination, options, ledger, budget, batcher, routes, reporter, clock, onChanged });
  }

  accept(record: LogRecord): boolean {
    return this.#intake.accept(record, this.#closed ? 'closed' : undefined);
  }

  async flush({ timeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    await (this.#closing ?? this.#deliverAll(timeoutMs));
    this.#intake.drain();
    this.#reporter.notify();
    return this.#ledger.totals;
  }

  close({ timeoutMs = this.#options.closeTimeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    // Set before the last requests: a record that the destination logs from now on is counted as `closed`.
    this.#closed = true;
    this.#closing ??= Promise.resolve().then(() => this.#shutDown(timeoutMs));
    return this.#closing;
  }

  stats(): DeliveryStats {
    this.#intake.drain();
    const { totals } = this.#ledger;
    // The oldest batch may hold a notice only.
    const oldest = totals.pending > 0 ? this.#backlog.oldest : undefined;
    return {
      ...totals,
      ...this.#delivery.stats,
      redated: this.#intake.redated,
      bufferBytes: this.#budget.usedBytes,
      oldestAgeMs: oldest ? Math.round(this.#clock.monotonic() - oldest.acceptedAtMs) : 0,
      callbackErrors: this.#reporter.callbackErrors,
    };
  }

  /** Remembers losses for a notice: those of this shipper, and those on the way to it. */
  noteDrops(drop: Drop): void {
    if (this.#options.dropNotice) this.#notices.add(drop);
  }

  /** States losses in the logs themselves, once records arrive again. */
  #giveNotice(isLast = false): void {
    if (!this.#delivery.isHealthy) return;
    for (const notice of this.#notices.take(isLast)) this.#intake.acceptNotice(notice);
  }

  /** Pumps at the end of the turn: a log call should not pay for joining and sending a batch. */
  #pumpSoon(): void {
    if (this.#pumpDeferred) return;
    this.#pumpDeferred = true;
    this.#forgetBeforeExit ??= onProcessEnd('beforeExit', () => void this.close());
    this.#clock.defer(() => {
      this.#pumpDeferred = false;
      this.#pump();
    });
  }

  /** Does all that can be done now, and derives the time of the next look from what is left. */
  #pump(): void {
    this.#intake.drain();
    if (!this.#closed) this.#giveNotice();
    const nowMs = this.#clock.monotonic();
    this.#batcher.sealDue(nowMs);
    this.#delivery.dispatch(nowMs);
    this.#delivery.expire(nowMs);
    if (this.#ledger.isEmpty) {
      this.#forgetBeforeExit?.();
      this.#forgetBeforeExit = undefined;
    }
    const settledUpTo = (this.#backlog.oldest?.firstSeq ?? Number.POSITIVE_INFINITY) - 1;
    for (const waiter of this.#waiters) if (waiter.seq <= settledUpTo) waiter.done();
    this.#timer?.cancel();
    this.#timer = undefined;
    const nextMs = Math.min(this.#batcher.dueAtMs, this.#delivery.wakeAtMs(nowMs));
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(() => this.#pump(), Math.max(0, nextMs - nowMs));
    this.#timer.unref();
  }

  /** Resolves when all events accepted so far are settled, or after `timeoutMs`. Keeps the process alive meanwhile. */
  async #deliverAll(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#intake.drain();
    this.#batcher.sealAll();
    this.#delivery.wake();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter = { seq: this.#intake.lastSeq, done };
      const timer = this.#clock.setTimer(done, timeoutMs);
      this.#waiters.add(waiter);
      this.#pump();
    });
  }

  async #shutDown(timeoutMs: number): Promise<DeliveryReport> {
    const deadlineMs = this.#clock.monotonic() + timeoutMs;
    this.#intake.drain();
    this.#giveNotice(true);
    this.#batcher.sealAll();
    this.#delivery.setDeadline(deadlineMs);
    await this.#deliverAll(timeoutMs);
    this.#delivery.abandon();
    this.#pump();
    await this.#closeDestination(deadlineMs);
    this.#reporter.flush();
    return this.#ledger.totals;
  }

  async #closeDestination(deadlineMs: number): Promise<void> {
    let timer: Timer | undefined;
    const overtime = new Promise<void>((resolve) => {
      timer = this.#clock.setTimer(resolve, Math.max(0, deadlineMs - this.#clock.monotonic()));
    });
    try {
      await Promise.race([this.#destination.close?.(), overtime]);
    } catch {
      // Everything is settled already: a destination that cannot clean up changes nothing.
    } finally {
      timer?.cancel();
    }
  }
}
