import { workerData } from 'node:worker_threads';
import { bufferCost } from '../accounting/ledger.js';
import { Reporter } from '../accounting/reporter.js';
import { type DeliveryStats, emptyStats } from '../accounting/stats.js';
import { systemClock } from '../contract/clock.js';
import type { Destination, DestinationRecipe, DropReason } from '../contract/destination.js';
import { DeliveryError } from '../contract/errors.js';
import type { LogRecord } from '../contract/record.js';
import { limitOf } from '../intake/budget.js';
import type { DeliveryOptions, ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { onProcessEnd } from '../process/exit.js';
import { currentActivity } from '../process/feedback.js';
import { createCoreShipper, type DeliveryReport, type FlushOptions, type Seams, type Shipper } from '../shipper.js';
import { MainLedger } from './main-ledger.js';
import { lineOf, lineOfCommand, type ThreadPlan, toWireRecord, type WireRecord } from './protocol.js';
import { recipeOf, refuseUncloneable } from './recipe.js';
import { checkThreadSupport } from './thread-support.js';
import { WorkerHandle } from './worker-handle.js';

/**
 * Starts a shipper in a worker thread: its records are delivered also when the process ends by `process.exit()` or an uncaught
 * error. Throws `ConfigError` for wrong options, for options that cannot go to another thread, and where no thread can start.
 */
export function createThreadShipper(
  destination: Destination,
  options: DeliveryOptions,
  resolved: ResolvedDeliveryOptions,
  onFailure: Seams['onFailure'],
): Shipper {
  checkThreadSupport();
  const recipe = recipeOf(destination);
  for (const each of [recipe.options, options])
    refuseUncloneable(each, 'cannot cross into the worker thread (thread: true)');
  // A module that Node.js preloads (--import) runs in our worker, too, and must not start a worker from there.
  const { isLogferry } = (workerData as { workerData?: Partial<ThreadPlan> } | null)?.workerData ?? {};
  if (isLogferry) return createCoreShipper(destination, options, { onFailure }, resolved);
  return new ThreadShipper(destination, recipe, options, resolved, onFailure);
}

/** Records are handed over at the end of the turn, so that log calls do not pay for it, or when they cost this much. */
const HANDOVER_BYTES = 512 * 1024;

/** The worker reports after reading this much, or an eighth of the budget. The main thread then frees the budget of these records. */
const MAX_REPORT_CHARS = 1024 * 1024;

/** A worker that dies is replaced once: the next would die of the same cause. */
const MAX_WORKERS = 2;

class ThreadShipper implements Shipper {
  readonly #destination: Destination;
  readonly #recipe: DestinationRecipe;
  readonly #options: ResolvedDeliveryOptions;
  readonly #plan: ThreadPlan;
  readonly #reporter: Reporter;
  readonly #ledger: MainLedger;
  /** None when the last worker has died, and after `close()`. */
  #worker: WorkerHandle | undefined;
  #started = 0;
  /** Records that are not handed over yet. */
  #outbox: WireRecord[] = [];
  #outboxBytes = 0;
  #handoverDeferred = false;
  #closing: Promise<DeliveryReport> | undefined;
  /** Cancels the call before the natural end of the process; set while a record may be pending. */
  #forgetBeforeExit: (() => void) | undefined;
  /** Cancels the call at the exit of the process; set from the first record on. */
  #forgetExit: (() => void) | undefined;

  constructor(
    destination: Destination,
    recipe: DestinationRecipe,
    delivery: DeliveryOptions,
    options: ResolvedDeliveryOptions,
    onFailure: Seams['onFailure'],
  ) {
    const { module, factory, options: own } = recipe;
    this.#destination = destination;
    this.#recipe = recipe;
    this.#options = options;
    this.#plan = {
      isLogferry: true,
      recipe: { module, factory, options: own },
      delivery: { ...delivery, thread: false },
      reportChars: Math.min(MAX_REPORT_CHARS, options.maxBufferBytes / 8),
    };
    this.#reporter = new Reporter(destination.name, {}, systemClock, onFailure);
    this.#ledger = new MainLedger(this.#reporter, options.concurrency);
    this.#worker = this.#startWorker();
  }

  accept(record: LogRecord): boolean {
    const activity = currentActivity();
    if (this.#reporter.isNotifying || activity === 'notifying')
      return this.#reporter.withoutReporting(() => this.#take(record));
    return this.#take(record, activity === 'sending' ? 'feedback' : undefined);
  }

  async flush({ timeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    await (this.#closing ?? this.#command('flush', timeoutMs));
    this.#reporter.notify();
    return this.stats();
  }

  close({ timeoutMs = this.#options.closeTimeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    this.#closing ??= this.#shutDown(timeoutMs);
    return this.#closing;
  }

  stats(): DeliveryStats {
    const stats = this.#ledger.stats(this.#worker);
    return {
      ...stats,
      bufferBytes: stats.bufferBytes + this.#waitingBytes,
      callbackErrors: stats.callbackErrors + this.#reporter.callbackErrors,
    };
  }

  #take(record: LogRecord, reason?: DropReason): boolean {
    const ledger = this.#ledger;
    ledger.receive();
    if (this.#closing) return ledger.refuse('closed', record);
    if (!this.#worker) return ledger.refuse('undeliverable', record);
    if (reason) return ledger.refuse(reason, record);
    try {
      const wire = toWireRecord(record, this.#destination.reads, this.#recipe.plainFields);
      const costBytes = bufferCost(Buffer.byteLength(wire.content));
      if (!this.#hasRoomFor(costBytes, wire.urgent)) return ledger.refuse('buffer-full', record);
      ledger.admit(wire.time);
      this.#post(wire, costBytes);
      return true;
    } catch (cause) {
      return ledger.refuse('unencodable', record, cause);
    }
  }

  /** Bytes of the budget of the records that the worker has not read, as far as known. */
  get #waitingBytes(): number {
    return this.#outboxBytes + (this.#worker?.unreadBytes ?? 0);
  }

  /** Records on their way have a budget like that of the worker. Nobody can take them back there, so the newest is dropped. */
  #hasRoomFor(costBytes: number, urgent: boolean): boolean {
    return this.#waitingBytes + costBytes <= limitOf(this.#options.maxBufferBytes, urgent);
  }

  #post(wire: WireRecord, costBytes: number): void {
    this.#forgetBeforeExit ??= onProcessEnd('beforeExit', () => void this.close());
    this.#forgetExit ??= onProcessEnd('exit', () => this.#endSync());
    this.#outbox.push(wire);
    this.#outboxBytes += costBytes;
    if (this.#outboxBytes >= HANDOVER_BYTES) this.#handOver();
    else if (!this.#handoverDeferred) {
      this.#handoverDeferred = true;
      setImmediate(() => {
        this.#handoverDeferred = false;
        this.#handOver();
      });
    }
  }

  #handOver(): void {
    if (!this.#worker) return;
    const { reads } = this.#destination;
    const drops = this.#ledger.takeLosses().map((drop) => lineOfCommand({ do: 'note-drops', drop }));
    const records = this.#outbox.map((wire) => lineOf(wire, reads));
    const costBytes = this.#outboxBytes;
    this.#emptyOutbox();
    this.#worker.write([...drops, ...records].join(''), costBytes);
  }

  #emptyOutbox(): void {
    this.#outbox = [];
    this.#outboxBytes = 0;
  }

  async #command(what: 'flush' | 'close', timeoutMs: number | undefined): Promise<void> {
    this.#handOver();
    await this.#worker?.command(what, timeoutMs);
  }

  async #shutDown(timeoutMs: number): Promise<DeliveryReport> {
    await this.#command('close', timeoutMs);
    this.#worker?.terminate();
    this.#dropWorker();
    this.#ledger.losePending();
    this.#reporter.flush();
    this.#forgetBeforeExit?.();
    this.#forgetExit?.();
    return this.stats();
  }

  /** The process exits: only synchronous code still runs. */
  #endSync(): void {
    this.#handOver();
    if (this.#worker && !this.#worker.endSync()) {
      this.#dropWorker();
      this.#ledger.losePending();
    }
    this.#reporter.flush();
  }

  #startWorker(): WorkerHandle {
    this.#started++;
    const worker = new WorkerHandle(this.#plan, emptyStats(this.#options.concurrency), {
      onReport: () => this.#letExitIfIdle(),
      onFailure: ({ code, message, ...details }) =>
        this.#reporter.failedInWorker(new DeliveryError(code, message, details)),
      onEnd: (error) => {
        if (this.#worker === worker && !this.#closing) this.#replaceWorker(error);
      },
    });
    return worker;
  }

  /** Does nothing at the natural end of the process while no record is pending. */
  #letExitIfIdle(): void {
    if (this.stats().pending > 0) return;
    this.#ledger.clearPendingSpan();
    this.#forgetBeforeExit?.();
    this.#forgetBeforeExit = undefined;
  }

  /** Counts the worker's records as lost, though some may have been delivered since its last report. */
  #replaceWorker(error: Error | undefined): void {
    const isLast = this.#started >= MAX_WORKERS;
    const consequence = isLast ? 'records are dropped from now on' : 'another one takes its place';
    const message = `the worker thread has ended (${error?.message ?? 'by itself'}); ${consequence}`;
    const failure = new DeliveryError('UNAVAILABLE', message, { cause: error });
    this.#dropWorker({ code: failure.code, message, time: systemClock.now() });
    this.#ledger.losePending(isLast ? 0 : this.#outbox.length);
    if (isLast) this.#emptyOutbox();
    else this.#worker = this.#startWorker();
    this.#reporter.failed(failure);
  }

  #dropWorker(lastError = this.#worker?.stats.lastError): void {
    if (this.#worker) this.#ledger.keepLastStats({ ...this.#worker.stats, lastError });
    this.#worker = undefined;
  }
}
