import { createChannels } from './accounting/channels.js';
import { DropNotices } from './accounting/drop-notices.js';
import { Ledger, type LedgerTotals } from './accounting/ledger.js';
import { type CarefulReporter, createReporter } from './accounting/reporter.js';
import { Backlog } from './batch/backlog.js';
import { type Clock, systemClock, type Timer } from './contract/clock.js';
import type { Destination, DropReason } from './contract/destination.js';
import type { LogRecord } from './contract/record.js';
import { Delivery, type DeliveryCounters } from './delivery/delivery.js';
import { Batcher } from './intake/batcher.js';
import { Budget } from './intake/budget.js';
import { Intake } from './intake/intake.js';
import { wrongOption } from './options/checks.js';
import {
  type DeliveryOptions,
  type Drop,
  type ResolvedDeliveryOptions,
  resolveDeliveryOptions,
} from './options/delivery-options.js';
import { onProcessEnd } from './process/exit.js';

/** What has become of all records so far, when a `flush()` or `close()` ended. */
export type DeliveryReport = LedgerTotals;

/** Everything that can be counted. */
export interface DeliveryStats extends LedgerTotals, DeliveryCounters {
  /** Records that the service refused one by one, by reason. */
  readonly rejectedByReason: Readonly<Record<DropReason, number>>;
  /** Bytes of the budget in use. */
  readonly bufferBytes: number;
  /** How long the oldest pending record has waited, in milliseconds; 0 when nothing is pending. */
  readonly oldestAgeMs: number;
  /** Times that `onError` or `onDrop` threw, or rejected. */
  readonly callbackErrors: number;
}

/** Takes records and sees to it that they arrive, or are counted as lost. */
export interface Shipper {
  /** Takes a record. Synchronous, never throws. False: dropped on the spot, and counted. */
  accept(record: LogRecord): boolean;
  /**
   * Delivers everything accepted before the call, at once and without waiting for backoffs. Drops nothing: with
   * `timeoutMs` it may return while records are still pending.
   */
  flush(options?: { readonly timeoutMs?: number | undefined }): Promise<DeliveryReport>;
  /**
   * Takes no more records, delivers what is left, and gives up at the deadline (`closeTimeoutMs`), or sooner when no try
   * can come before it: what remains is counted as `undeliverable`. Further calls return the same promise.
   */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<DeliveryReport>;
  /** Everything that can be counted, of all records so far: what waits for the end of the turn is encoded for it. */
  stats(): DeliveryStats;
}

/** Time and chance, for tests. */
export interface Seams {
  readonly clock?: Clock | undefined;
  /** From 0 up to, but not including, 1. */
  readonly random?: (() => number) | undefined;
}

/** Starts a shipper: the batching core for one destination. Throws `ConfigError` for wrong options. */
export function createShipper(destination: Destination, options: DeliveryOptions = {}, seams: Seams = {}): Shipper {
  return createCoreShipper(destination, options, seams);
}

/** The same, with what only a worker thread needs. */
export function createCoreShipper(
  destination: Destination,
  options: DeliveryOptions = {},
  seams: Seams = {},
): CoreShipper {
  if (typeof destination?.send !== 'function') throw wrongOption('destination', 'a Destination', destination);
  const resolved = resolveDeliveryOptions(options, destination.limits);
  const { clock = systemClock, random = Math.random } = seams;
  return new CoreShipper(destination, resolved, createReporter(destination.name, options, clock), clock, random);
}

export class CoreShipper implements Shipper {
  readonly #destination: Destination;
  readonly #options: ResolvedDeliveryOptions;
  readonly #clock: Clock;
  readonly #reporter: CarefulReporter;
  readonly #notices: DropNotices;
  readonly #ledger: Ledger;
  /** All that is pending, in batches. */
  readonly #backlog = new Backlog();
  readonly #admission: Intake;
  readonly #batcher: Batcher;
  readonly #delivery: Delivery;
  /** Calls of `flush` and `close` that wait for all events up to a number. */
  readonly #waiters = new Set<{ readonly seq: number; readonly done: () => void }>();
  #pumpDeferred = false;
  #timer: Timer | undefined;
  #closed = false;
  #closing: Promise<DeliveryReport> | undefined;
  /** Takes back the call before the natural end of the process; registered while there is something to deliver. */
  #forgetExit: (() => void) | undefined;

  constructor(
    destination: Destination,
    options: ResolvedDeliveryOptions,
    reporter: CarefulReporter,
    clock: Clock,
    random: () => number,
  ) {
    const channels = createChannels(destination.name);
    const notices = new DropNotices(clock);
    const ledger = new Ledger((drop) => {
      if (options.dropNotice && drop.reason !== 'closed') notices.add(drop);
      channels.dropped(() => drop);
      reporter.onDrop(drop);
    });
    const backlog = this.#backlog;
    const onAnswered = (): void => this.#pump();
    const parts = { destination, options, backlog, ledger, reporter, channels, clock, random, onAnswered };
    const delivery = new Delivery(parts);
    this.#destination = destination;
    this.#options = options;
    this.#clock = clock;
    this.#reporter = reporter;
    this.#notices = notices;
    this.#ledger = ledger;
    this.#delivery = delivery;
    const budget = new Budget(options, ledger, backlog, (batch) => {
      delivery.discard(batch);
      // A flush, or the next batch of the route, may have waited for it.
      this.#pumpSoon();
    });
    const batcher = new Batcher(options, backlog, clock, (batch) => delivery.enqueue(batch));
    const changed = (): void => this.#pumpSoon();
    this.#batcher = batcher;
    this.#admission = new Intake({
      destination,
      options,
      ledger,
      budget,
      batcher,
      delivery,
      reporter,
      clock,
      changed,
    });
  }

  accept(record: LogRecord): boolean {
    return this.#admission.accept(record, this.#closed ? 'closed' : undefined);
  }

  async flush({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<DeliveryReport> {
    await (this.#closing ?? this.#deliverAll(timeoutMs));
    this.#admission.drain();
    return this.#ledger.ledger;
  }

  close({
    timeoutMs = this.#options.closeTimeoutMs,
  }: {
    readonly timeoutMs?: number | undefined;
  } = {}): Promise<DeliveryReport> {
    // Before anything is sent: what a destination logs meanwhile comes too late, and its own close() is called once.
    this.#closed = true;
    this.#closing ??= Promise.resolve().then(() => this.#shutDown(timeoutMs));
    return this.#closing;
  }

  stats(): DeliveryStats {
    this.#admission.drain();
    const { ledger } = this.#ledger;
    // What is left open may be a notice, or have lost all its records.
    const oldest = ledger.pending > 0 ? this.#backlog.oldest : undefined;
    return {
      ...ledger,
      ...this.#delivery.counters,
      bufferBytes: this.#ledger.bufferBytes,
      oldestAgeMs: oldest ? Math.round(this.#clock.monotonic() - oldest.acceptedAtMs) : 0,
      callbackErrors: this.#reporter.callbackErrors,
    };
  }

  /** Remembers for a notice what was lost on the way here. */
  noteDrops(drop: Drop): void {
    if (this.#options.dropNotice) this.#notices.add(drop);
  }

  /** Says in the logs themselves what was lost, once they arrive again. */
  #giveNotice(isLast = false): void {
    if (!this.#delivery.isHealthy) return;
    for (const notice of this.#notices.take(isLast)) this.#admission.acceptNotice(notice);
  }

  /** Not at once: a log call should not pay for joining and sending a batch. */
  #pumpSoon(): void {
    if (this.#pumpDeferred) return;
    this.#pumpDeferred = true;
    this.#forgetExit ??= onProcessEnd('beforeExit', () => void this.close());
    this.#clock.defer(() => {
      this.#pumpDeferred = false;
      this.#pump();
    });
  }

  /** Does all that can be done now, and derives from what is left when to look again. */
  #pump(): void {
    this.#admission.drain();
    if (!this.#closed) this.#giveNotice();
    const nowMs = this.#clock.monotonic();
    this.#batcher.sealDue(nowMs);
    this.#delivery.dispatch(nowMs);
    this.#delivery.expire(nowMs);
    if (this.#ledger.isEmpty) {
      this.#forgetExit?.();
      this.#forgetExit = undefined;
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

  /** Resolves when everything accepted so far is settled, or after `timeoutMs`. Keeps the process alive meanwhile. */
  async #deliverAll(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#admission.drain();
    this.#batcher.sealAll();
    this.#delivery.wake();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter = { seq: this.#admission.lastSeq, done };
      const timer = this.#clock.setTimer(done, timeoutMs);
      this.#waiters.add(waiter);
      this.#pump();
    });
  }

  async #shutDown(timeoutMs: number): Promise<DeliveryReport> {
    const deadlineMs = this.#clock.monotonic() + timeoutMs;
    this.#admission.drain();
    this.#giveNotice(true);
    this.#batcher.sealAll();
    this.#delivery.setDeadline(deadlineMs);
    await this.#deliverAll(timeoutMs);
    this.#delivery.abandon();
    this.#pump();
    await this.#closeDestination(deadlineMs);
    this.#reporter.flush();
    return this.#ledger.ledger;
  }

  async #closeDestination(deadlineMs: number): Promise<void> {
    let timer: Timer | undefined;
    const overtime = new Promise<void>((resolve) => {
      timer = this.#clock.setTimer(resolve, Math.max(0, deadlineMs - this.#clock.monotonic()));
    });
    try {
      await Promise.race([this.#destination.close?.(), overtime]);
    } catch {
      // Everything is settled already; a destination that cannot clean up changes nothing.
    } finally {
      timer?.cancel();
    }
  }
}
