import { openDebugLog } from './accounting/debug-log.js';
import { DropNotices } from './accounting/drop-notices.js';
import { Ledger } from './accounting/ledger.js';
import type { Listing } from './accounting/listing.js';
import { Reporter } from './accounting/reporter.js';
import { type DeliveryStats, NO_SPOOL } from './accounting/stats.js';
import { Backlog } from './batch/backlog.js';
import { LiveRoutes } from './batch/live-routes.js';
import type { PendingBatch } from './batch/pending-batch.js';
import type { Clock, Timer } from './contract/clock.js';
import type { Destination, Drop, DropReason } from './contract/destination.js';
import type { LogRecord } from './contract/record.js';
import { Delivery } from './delivery/delivery.js';
import { FlushWaits } from './flush-waits.js';
import { Batcher } from './intake/batcher.js';
import { Budget } from './intake/budget.js';
import { Intake } from './intake/intake.js';
import { Replay } from './intake/replay.js';
import {
  type DeliveryOptions,
  type ResolvedDeliveryOptions,
  resolveDeliveryOptions,
} from './options/delivery-options.js';
import type { ResolvedSpoolOptions } from './options/spool-options.js';
import { onProcessEnd } from './process/exit.js';
import { ProcessEnd } from './process/process-end.js';
import { ReadyWaits } from './ready-waits.js';
import type { DeliveryReport, FlushOptions, Seams, Shipper } from './shipper.js';
import { nodeFiles, type SpoolFiles } from './spool/files.js';
import { Spool } from './spool/spool.js';
import { EndOfTurn } from './tools/end-of-turn.js';
import { guarded } from './tools/guarded.js';
import { outsideContext, systemClock } from './tools/system-clock.js';

/** Starts a shipper in this thread. Throws `ConfigError` for wrong options. */
export function createCoreShipper(
  destination: Destination,
  options: DeliveryOptions = {},
  { onFailure, ...seams }: Seams & { readonly listing?: Listing } = {},
  resolved: ResolvedDeliveryOptions = resolveDeliveryOptions(options, destination),
): CoreShipper {
  const reporter = new Reporter(destination.name, options, seams.clock ?? systemClock, onFailure);
  return new CoreShipper(destination, resolved, reporter, seams);
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
  readonly #spool: Spool | undefined;
  readonly #replay: Replay | undefined;
  readonly #forgetExit: (() => void) | undefined;
  readonly #intake: Intake;
  readonly #waits: FlushWaits;
  readonly #readyWaits: ReadyWaits;
  readonly #endOfTurn: EndOfTurn;
  #timer: Timer | undefined;
  readonly #listing: Listing | undefined;
  #closed = false;
  #closing: Promise<DeliveryReport> | undefined;
  readonly #processEnd: ProcessEnd;

  constructor(
    destination: Destination,
    options: ResolvedDeliveryOptions,
    reporter: Reporter,
    {
      clock = systemClock,
      random = Math.random,
      files = nodeFiles,
      onRecovered,
      listing,
    }: Omit<Seams, 'onFailure'> & { readonly onRecovered?: () => void; readonly listing?: Listing } = {},
  ) {
    const backlog = this.#backlog;
    const onChanged = (): void => this.#pumpSoon();
    this.#destination = destination;
    this.#options = options;
    this.#clock = clock;
    this.#listing = listing;
    this.#endOfTurn = new EndOfTurn(clock, () => this.#pump());
    this.#reporter = reporter;
    this.#notices = new DropNotices(clock);
    this.#waits = new FlushWaits(clock);
    const ledger = new Ledger(
      (drop, wasKept) => {
        if (drop.reason !== 'closed') this.noteDrops(drop);
        reporter.dropped(drop, wasKept);
      },
      (ids) => this.#spool?.settle(ids),
    );
    this.#ledger = ledger;
    const spool = options.spool && this.#openSpool(options.spool, files, onRecovered);
    this.#spool = spool;
    const liveRoutes = new LiveRoutes();
    const delivery = new Delivery({
      destination,
      options,
      backlog,
      liveRoutes,
      ledger,
      reporter,
      clock,
      random,
      spool,
      isScarce: () => !budget.isHalfFree,
      onAnswered: onChanged,
    });
    this.#delivery = delivery;
    const { routes } = delivery;
    const enqueue = (batch: PendingBatch): void => delivery.enqueue(batch);
    const isBusy = (route: string): boolean => routes.has(route);
    const batcher = new Batcher(options, backlog, clock, random, enqueue, isBusy, liveRoutes);
    this.#batcher = batcher;
    const budget = new Budget(options, ledger, backlog, (batch) => {
      if (batch.state !== 'open') delivery.discard(batch);
      else if (batch.origin === 'live') batcher.discard(batch);
      else this.#replay?.discard(batch);
      // A flush, or the next batch of the route, may have waited for it.
      onChanged();
    });
    this.#budget = budget;
    this.#readyWaits = new ReadyWaits(clock, () => this.#closed || budget.isHalfFree);
    const intake = new Intake({
      destination,
      options,
      ledger,
      budget,
      batcher,
      spool,
      liveRoutes,
      reporter,
      clock,
      random,
      isJoining: () => delivery.isJoining,
      onChanged,
    });
    this.#intake = intake;
    if (spool && options.spool)
      this.#replay = new Replay({
        options,
        spoolOptions: options.spool,
        spool,
        ledger,
        budget,
        backlog,
        clock,
        nextSeq: () => intake.nextSeq(),
        enqueue,
        isBusy,
        onChanged,
      });
    this.#processEnd = new ProcessEnd({
      received: () => this.stats().received,
      flush: async () => {
        await this.drain();
        return this.#ledger.totals.pending;
      },
      idle: () => listing?.idle(this.stats()),
      exit: () => this.#exit(),
    });
    reporter.debugLog = openDebugLog({ destination, clock, stats: () => this.stats() });
    // Also with nothing in memory its directories are given up.
    this.#forgetExit = spool && onProcessEnd('exit', () => this.#exit());
  }

  accept(record: LogRecord): boolean {
    try {
      if (!this.#isClosed) return this.#taken(this.#intake.accept(record));
    } catch (cause) {
      return this.refuse(record, 'unencodable', cause);
    }
    return this.refuse(record, 'closed');
  }

  together<T>(act: () => T): T {
    return this.#taken(this.#intake.together(act));
  }

  refuse(record: Pick<LogRecord, 'time'>, reason: DropReason, cause?: unknown): false {
    guarded(() => {
      this.#intake.refuse(record, reason, cause);
      if (this.#processEnd.isExiting) this.#reporter.flush();
    })();
    return false;
  }

  ready(): Promise<void> {
    this.#intake.drain();
    const ready = this.#readyWaits.wait();
    if (this.#readyWaits.isWaiting) this.#pumpSoon();
    return ready;
  }

  async flush({ timeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    await (this.#closing ?? this.#deliverAll(timeoutMs));
    this.#intake.drain();
    this.#reporter.notify();
    return this.#ledger.totals;
  }

  release(options?: FlushOptions): Promise<DeliveryReport> {
    return this.flush(options);
  }

  close({ timeoutMs = this.#options.closeTimeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    // Set before the last requests: a record that the destination logs from now on is counted as `closed`.
    this.#closed = true;
    this.#readyWaits.check();
    // The promise is kept: outside of the context of the caller.
    this.#closing ??= outsideContext(() => Promise.resolve().then(() => this.#shutDown(timeoutMs)));
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
      replayed: this.#replay?.stats ?? { records: 0, ambiguous: 0 },
      spool: this.#spool?.stats ?? NO_SPOOL,
      redated: this.#intake.redated,
      bufferBytes: this.#budget.usedBytes,
      bufferLimitBytes: this.#options.maxBufferBytes,
      oldestAgeMs: oldest ? Math.round(this.#clock.monotonic() - oldest.acceptedAtMs) : 0,
      callbackErrors: this.#reporter.callbackErrors,
    };
  }

  /** Number of pending records that are on disk, too. */
  get onDisk(): number {
    return this.#spool?.inMemory ?? 0;
  }

  /**
   * Delivers all records, and those of dead processes while requests do not fail, for at most `closeTimeoutMs`: for the natural end of the
   * process, which may go on.
   */
  drain(): Promise<void> {
    return this.#deliverAll(this.#options.closeTimeoutMs, { needsAdopted: true, endsInVain: true });
  }

  /**
   * Delivers all records for at most `timeoutMs`, leaves the rest on disk or counts it as lost, and makes all notifications. Goes on
   * accepting. `isLast`: delivers those of dead processes, too, while requests do not fail, and then reads nothing more back.
   */
  async settle(timeoutMs: number, isLast: boolean): Promise<void> {
    this.#intake.drain();
    this.#giveNotice(true);
    this.#sealAll();
    this.#delivery.setDeadline(this.#clock.monotonic() + timeoutMs);
    await this.#deliverAll(timeoutMs, { needsAdopted: isLast });
    this.#delivery.setDeadline(Number.POSITIVE_INFINITY);
    if (isLast) this.#replay?.stop();
    this.#loseRest(
      new Error(`not delivered in ${Math.round(timeoutMs)} ms, the time that the end may take (closeTimeoutMs)`),
    );
    this.#pump();
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

  /** Without a spool nothing becomes of a record at the exit of the process. */
  get #isClosed(): boolean {
    return this.#closed || (this.#processEnd.isExiting && !this.#spool);
  }

  /** At the exit of the process nothing later would put on disk what was taken in. */
  #taken<T>(result: T): T {
    if (this.#processEnd.isExiting) this.#exit();
    return result;
  }

  /** Only synchronous code still runs. */
  #exit(): void {
    const remedy = 'await flush() or close() before process.exit(), or ship with thread: true';
    this.#loseRest(new Error(`the process ended first: ${remedy}`));
    this.#spool?.release();
  }

  #sealAll(): void {
    this.#batcher.sealAll();
    this.#replay?.sealAll();
  }

  #openSpool(options: ResolvedSpoolOptions, files: SpoolFiles, onRecovered?: () => void): Spool {
    const { overflow, maxBufferBytes } = this.#options;
    const { name, identity = '' } = this.#destination;
    return new Spool({
      options,
      overflow,
      maxBufferBytes,
      identity,
      destination: name,
      files,
      clock: this.#clock,
      reservedBytes: () => (options.mode === 'spill' ? this.#ledger.frameBytes : 0),
      onFailure: (error) => this.#reporter.failed(error, error.message),
      onRecovered: (records) => {
        this.#ledger.recover(records);
        onRecovered?.();
      },
      onLost: (loss) => this.#ledger.loseSpooled(loss),
      onChanged: () => this.#pumpSoon(),
    });
  }

  /** Leaves all pending records on disk, or counts them as lost, and makes all notifications. */
  #loseRest(cause: Error): void {
    this.#intake.drain();
    this.#sealAll();
    this.#delivery.abandon(cause);
    this.#reporter.flush();
  }

  /** Pumps at the end of the turn: a log call should not pay for joining and sending a batch. */
  #pumpSoon(): void {
    this.#processEnd.watch();
    this.#endOfTurn.request();
  }

  /** Does all that can be done now, and derives the time of the next look from what is left. */
  #pump(): void {
    this.#intake.drain();
    if (!this.#closed) this.#giveNotice();
    const nowMs = this.#clock.monotonic();
    this.#delivery.resume(nowMs);
    // Open batches wait for more records, which wait for room: only an answer, or these batches, can make some.
    if (this.#readyWaits.isWaiting && this.#delivery.isIdle) this.#batcher.sealAll();
    else this.#batcher.sealDue(nowMs);
    this.#replay?.sealDue(nowMs);
    this.#delivery.dispatch(nowMs);
    this.#delivery.prepare();
    this.#delivery.expire(nowMs);
    this.#replay?.pump(this.#closed && this.#delivery.isFailing);
    if (this.#ledger.isEmpty) this.#processEnd.forget();
    this.#readyWaits.check();
    const nextMs = Math.min(
      this.#batcher.dueAtMs,
      this.#delivery.wakeAtMs(nowMs),
      this.#replay?.wakeAtMs ?? Number.POSITIVE_INFINITY,
    );
    this.#waits.end({
      settledSeq: (this.#backlog.oldest?.firstSeq ?? Number.POSITIVE_INFINITY) - 1,
      lastSeq: this.#intake.lastSeq,
      readBack: this.#replay?.readBack ?? 0,
      hasAdopted: this.#hasAdopted,
      nextMs: this.#delivery.isIdle && !this.#isReadingDisk ? nextMs : nowMs,
    });
    this.#timer?.cancel();
    this.#timer = undefined;
    const wakeAtMs = this.#delivery.expectWake(nextMs, nowMs);
    if (wakeAtMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(() => this.#pump(), Math.max(0, wakeAtMs - nowMs));
    this.#timer.unref();
  }

  get #isReadingDisk(): boolean {
    return this.#replay?.isReading || this.#spool?.isAdopting || false;
  }

  /** Whether records of dead processes wait, and requests do not fail. */
  get #hasAdopted(): boolean {
    if (!this.#spool || this.#delivery.isFailing) return false;
    const { adopted } = this.#spool;
    // Those that are being read wait no more, and are in no batch.
    return this.#backlog.hasAdopted || this.#isReadingDisk || (adopted.waiting > 0 && !adopted.isUnreadable);
  }

  /**
   * Resolves when all events accepted so far are settled, or after `timeoutMs`. `needsAdopted`: and those of dead processes, while
   * requests do not fail. `endsInVain`: sooner when no attempt can come before. Keeps the process alive meanwhile.
   */
  async #deliverAll(
    timeoutMs = Number.POSITIVE_INFINITY,
    {
      needsAdopted = false,
      endsInVain = false,
    }: { readonly needsAdopted?: boolean; readonly endsInVain?: boolean } = {},
  ): Promise<void> {
    this.#intake.drain();
    this.#sealAll();
    this.#delivery.wake(this.#intake.lastSeq);
    this.#replay?.wake();
    const onDisk = this.#spool?.overflow;
    const readBack = onDisk && onDisk.waiting > 0 ? onDisk.added : 0;
    const waited = this.#waits.for({ seq: this.#intake.lastSeq, readBack, needsAdopted }, timeoutMs, endsInVain);
    this.#pump();
    await waited;
  }

  async #shutDown(timeoutMs: number): Promise<DeliveryReport> {
    const deadlineMs = this.#clock.monotonic() + timeoutMs;
    await this.settle(timeoutMs, true);
    await this.#closeDestination(deadlineMs);
    await this.#spool?.close();
    this.#forgetExit?.();
    this.#reporter.flush();
    this.#reporter.debugLog?.close();
    this.#listing?.close();
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
