import { workerData } from 'node:worker_threads';
import { bufferCost, withCause } from '../accounting/ledger.js';
import type { Listing } from '../accounting/listing.js';
import { Reporter } from '../accounting/reporter.js';
import { type DeliveryStats, emptyStats } from '../accounting/stats.js';
import type { Destination, DestinationRecipe, DropReason } from '../contract/destination.js';
import { ConfigError, DeliveryError } from '../contract/errors.js';
import type { LogRecord } from '../contract/record.js';
import { CoreShipper, createCoreShipper } from '../core-shipper.js';
import { limitOf } from '../intake/budget.js';
import type { DeliveryOptions, ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { isTakenApart } from '../options/shaping-options.js';
import { currentActivity } from '../process/feedback.js';
import { ProcessEnd } from '../process/process-end.js';
import { ReadyWaits } from '../ready-waits.js';
import type { DeliveryReport, FlushOptions, Seams, Shipper } from '../shipper.js';
import { guarded } from '../tools/guarded.js';
import { outsideContext, systemClock } from '../tools/system-clock.js';
import { MainLedger } from './main-ledger.js';
import { Outbox } from './outbox.js';
import {
  fromCause,
  fromFailure,
  lineOfCommand,
  parseLine,
  type ThreadPlan,
  toWireRecord,
  type WireForm,
} from './protocol.js';
import { recipeOf, refuseUncloneable } from './recipe.js';
import { checkThreadSupport } from './thread-support.js';
import { type Successor, WorkerDeaths } from './worker-deaths.js';
import { WorkerHandle } from './worker-handle.js';

/**
 * Starts a shipper in a worker thread: its records are delivered also when the process ends by `process.exit()` or an uncaught
 * error. Throws `ConfigError` for wrong options, for options that cannot go to another thread, and where no thread can start.
 */
export function createThreadShipper(
  destination: Destination,
  options: DeliveryOptions,
  resolved: ResolvedDeliveryOptions,
  seams: ThreadSeams,
): Shipper {
  checkThreadSupport();
  const recipe = recipeOf(destination);
  for (const each of [recipe.options, options])
    refuseUncloneable(
      each,
      'cannot cross into the worker thread (thread: true); the option hooks names a module with functions',
    );
  // A module that Node.js preloads (--import) runs in our worker, too, and must not start a worker from there.
  const { isLogferry } = (workerData as { workerData?: Partial<ThreadPlan> } | null)?.workerData ?? {};
  if (isLogferry) return createCoreShipper(destination, options, seams, resolved);
  return new ThreadShipper(destination, recipe, options, resolved, seams);
}

/** The worker reports after reading this much, or an eighth of the budget. The main thread then frees the budget of these records. */
const MAX_REPORT_CHARS = 1024 * 1024;

/** At the exit of the process the main thread blocks for this time, and no longer. */
const MAX_EXIT_MS = 9000;

/** The start of the process waits for the worker to load the functions of the option `hooks`. */
const HOOKS_START_MS = 2000;
type ThreadSeams = Pick<Seams, 'onFailure'> & { readonly listing: Listing };

/** The consequences of a worker's death, for the failure that reports it. */
const CONSEQUENCES: Readonly<Record<Successor, string>> = {
  'another worker': 'another one takes its place',
  'this thread': 'records are shipped from the main thread from now on',
  nobody: 'records are dropped for 10 minutes, before another one is tried',
};

class ThreadShipper implements Shipper {
  readonly #destination: Destination;
  readonly #wireForm: WireForm;
  readonly #options: ResolvedDeliveryOptions;
  readonly #plan: Omit<ThreadPlan, 'line'>;
  readonly #reporter: Reporter;
  readonly #ledger: MainLedger;
  readonly #deaths = new WorkerDeaths();
  readonly #processEnd: ProcessEnd;
  /** None while there is nothing to ship, after its death, and after `close()`. */
  #worker: WorkerHandle | undefined;
  /** Ships in this thread, after the last worker, and ends with the process by itself. */
  #inProcess: CoreShipper | undefined;
  readonly #outbox: Outbox;
  readonly #listing: Listing;
  readonly #readyWaits = new ReadyWaits(systemClock, () => this.#isReady);
  #closing: Promise<DeliveryReport> | undefined;
  /** End of the time that the exit of the process may take, on the monotonic clock. */
  #exitEndsMs: number | undefined;

  constructor(
    destination: Destination,
    recipe: DestinationRecipe,
    delivery: DeliveryOptions,
    options: ResolvedDeliveryOptions,
    { onFailure, listing }: ThreadSeams,
  ) {
    const { module, format, factory, options: own } = recipe;
    this.#destination = destination;
    this.#wireForm = wireFormOf(destination, recipe, options);
    this.#options = options;
    this.#listing = listing;
    this.#plan = {
      isLogferry: true,
      recipe: { module, format, factory, options: own },
      delivery: { ...delivery, thread: false, hooks: undefined },
      hooks: options.hooks,
      reportChars: Math.min(MAX_REPORT_CHARS, options.maxBufferBytes / 8),
    };
    this.#reporter = new Reporter(destination.name, {}, systemClock, onFailure);
    this.#ledger = new MainLedger(this.#reporter, options);
    this.#outbox = new Outbox(this.#wireForm, () => this.#handOver());
    this.#processEnd = new ProcessEnd({
      received: () => this.#ledger.received,
      flush: async () => {
        await this.#run('drain', options.closeTimeoutMs);
        return this.stats().pending;
      },
      idle: () => listing.idle(this.stats()),
      exit: (isGivenUp) => this.#settleSync(isGivenUp ? 0 : options.closeTimeoutMs),
    });
    this.#start();
    const fault = options.hooks === undefined ? undefined : this.#worker?.waitForStart(HOOKS_START_MS);
    if (!fault) return;
    this.#worker?.terminate();
    this.#worker = undefined;
    throw fault;
  }

  accept(record: LogRecord): boolean {
    try {
      const activity = currentActivity();
      if (activity === 'feedback') return this.refuse(record, 'feedback');
      const isNotifying = this.#reporter.isNotifying || activity === 'notifying';
      const accepted = isNotifying ? this.#reporter.withoutReporting(() => this.#take(record)) : this.#take(record);
      this.#settleAtExit();
      return accepted;
    } catch (cause) {
      return this.refuse(record, 'unencodable', cause);
    }
  }

  /** Records go to the worker together in any case. */
  together<T>(act: () => T): T {
    return act();
  }

  refuse(record: Pick<LogRecord, 'time'>, reason: DropReason, cause?: unknown): false {
    const refuse = (): void => {
      this.#ledger.receive();
      this.#ledger.refuse(reason, record, cause);
    };
    guarded(() => {
      const isNotifying = this.#reporter.isNotifying || currentActivity() === 'notifying';
      if (isNotifying) this.#reporter.withoutReporting(refuse);
      else refuse();
      this.#settleAtExit();
    })();
    return false;
  }

  ready(): Promise<void> {
    return this.#inProcess ? this.#inProcess.ready() : this.#readyWaits.wait();
  }

  async flush({ timeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    await this.#run('flush', timeoutMs);
    return this.stats();
  }

  async release(options: FlushOptions = {}): Promise<DeliveryReport> {
    await this.flush(options);
    const worker = this.#worker;
    if (worker && !this.#closing && this.stats().pending === 0) {
      this.#dropWorker();
      await worker.command('close', this.#options.closeTimeoutMs);
      worker.terminate();
    }
    return this.stats();
  }

  close({ timeoutMs = this.#options.closeTimeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    // The promise is kept: outside of the context of the caller.
    this.#closing ??= outsideContext(() => this.#shutDown(timeoutMs));
    this.#readyWaits.check();
    return this.#closing;
  }

  stats(): DeliveryStats {
    const stats = this.#ledger.stats(
      this.#inProcess ? { stats: this.#inProcess.stats(), reportedAtMs: systemClock.monotonic() } : this.#worker,
    );
    return {
      ...stats,
      bufferBytes: stats.bufferBytes + this.#waitingBytes,
      bufferLimitBytes: stats.bufferLimitBytes + (this.#inProcess ? 0 : this.#options.maxBufferBytes),
      callbackErrors: stats.callbackErrors + (this.#inProcess ? 0 : this.#reporter.callbackErrors),
    };
  }

  #take(record: LogRecord): boolean {
    const ledger = this.#ledger;
    // The death of a worker counts what is pending as lost: this record is not yet.
    if (!this.#worker && !this.#inProcess && !this.#closing && this.#deaths.areForgiven) this.#start();
    ledger.receive();
    if (this.#closing) return ledger.refuse('closed', record);
    if (this.#inProcess) return this.#inProcess.accept(record);
    if (!this.#worker) return ledger.refuse('undeliverable', record);
    try {
      const wire = toWireRecord(record, this.#wireForm);
      const costBytes = bufferCost(Buffer.byteLength(wire.content));
      if (!this.#hasRoomFor(costBytes, wire.urgent)) return ledger.refuse('buffer-full', record);
      ledger.admit(wire.time);
      this.#processEnd.watch();
      this.#outbox.push(wire, costBytes);
      return true;
    } catch (cause) {
      return ledger.refuse('unencodable', record, cause);
    }
  }

  /** Bytes of the budget of the records that the worker has not read, as far as known. */
  get #waitingBytes(): number {
    return this.#outbox.bytes + (this.#worker?.unreadBytes ?? 0);
  }

  /**
   * The worker has room also for the records on their way, which come on top of what its last report states. Without a worker there is
   * nothing to wait for.
   */
  get #isReady(): boolean {
    if (this.#closing !== undefined || !this.#worker) return true;
    return this.#waitingBytes + this.#worker.stats.bufferBytes < this.#options.maxBufferBytes / 2;
  }

  /** Records on their way have a budget like that of the worker. Nobody can take them back there, so the newest is dropped. */
  #hasRoomFor(costBytes: number, urgent: boolean): boolean {
    return this.#waitingBytes + costBytes <= limitOf(this.#options.maxBufferBytes, urgent);
  }

  /** Only synchronous code still runs: nothing later hands the record over. */
  #settleAtExit(): void {
    if (this.#processEnd.isExiting && !this.#inProcess) this.#settleSync(this.#options.closeTimeoutMs);
  }

  #handOver(): void {
    if (!this.#worker) return;
    const drops = this.#ledger.takeLosses().map((drop) => lineOfCommand({ do: 'note-drops', drop }));
    const { lines, costBytes } = this.#outbox.take();
    this.#worker.write([...drops, ...lines].join(''), costBytes);
  }

  async #run(what: 'flush' | 'drain', timeoutMs: number | undefined): Promise<void> {
    if (this.#closing) await this.#closing;
    else {
      this.#handOver();
      await this.#inProcess?.flush({ timeoutMs });
      await this.#worker?.command(what, timeoutMs);
    }
    this.#reporter.notify();
  }

  async #shutDown(timeoutMs: number): Promise<DeliveryReport> {
    this.#handOver();
    if (this.#inProcess) await this.#inProcess.close({ timeoutMs });
    else {
      await this.#worker?.command('close', timeoutMs);
      this.#endWorker(new Error('the worker thread gave no answer before the deadline of close()'));
    }
    this.#processEnd.forget();
    this.#listing.close();
    return this.stats();
  }

  /** Delivers while the process exits: only synchronous code still runs here, but the worker goes on. */
  #settleSync(timeoutMs: number): void {
    this.#handOver();
    this.#exitEndsMs ??= systemClock.monotonic() + MAX_EXIT_MS;
    const isSettled = this.stats().pending === 0 || this.#worker?.settleSync(timeoutMs, this.#exitEndsMs);
    if (!isSettled) this.#endWorker(new Error('the worker thread gave no answer at the exit of the process'));
    this.#reporter.flush();
  }

  /** Counts all that is pending as lost: nobody knows better. */
  #endWorker(cause: Error): void {
    this.#worker?.terminate();
    this.#dropWorker();
    this.#ledger.losePending(cause);
    this.#reporter.flush();
  }

  /** Starts a worker. One that cannot start has died: an error would reach the application, in a log call perhaps. */
  #start(): void {
    try {
      this.#worker = this.#startWorker();
    } catch (error) {
      this.#succeed(error as Error);
    }
  }

  #startWorker(): WorkerHandle {
    const worker: WorkerHandle = outsideContext(
      () =>
        new WorkerHandle(this.#plan, emptyStats(this.#options), {
          onReport: ({ failures, drops }) => {
            for (const failure of failures) this.#reporter.failedElsewhere(fromFailure(failure), failure.isTold);
            for (const { cause, isTold, ...counts } of drops) {
              const drop = { ...counts, ...withCause(fromCause(cause)) };
              if (isTold) this.#reporter.droppedElsewhere(drop);
              else this.#reporter.dropped(drop, true);
            }
            if (this.stats().pending === 0) this.#letExit();
            else this.#processEnd.watch();
            this.#readyWaits.check();
          },
          onEnd: (error) => {
            if (this.#worker === worker) this.#succeed(error);
          },
        }),
    );
    return worker;
  }

  /** Nothing is pending. */
  #letExit(): void {
    this.#ledger.clearPendingSpan();
    this.#processEnd.forget();
  }

  /** The worker has died. Its records are counted as lost, though some may have been delivered since its last report. */
  #succeed(error: Error | undefined): void {
    // The functions of hooks are in the worker alone.
    const canShipHere = this.#options.hooks === undefined;
    const successor = this.#closing ? 'nobody' : this.#deaths.successorAfter(error, canShipHere);
    const consequence = this.#closing ? 'its records are lost' : CONSEQUENCES[successor];
    const message = `the worker thread has ended (${error?.message ?? 'by itself'}); ${consequence}`;
    const code = ConfigError.is(error) ? 'MISCONFIGURED' : 'UNAVAILABLE';
    const failure = new DeliveryError(code, message, { cause: error });
    this.#dropWorker({ code: failure.code, message, time: systemClock.now() });
    this.#ledger.losePending(failure, successor === 'nobody' ? 0 : this.#outbox.size);
    this.#reporter.failed(failure);
    if (successor === 'another worker') this.#start();
    else if (successor === 'this thread') {
      this.#processEnd.forget();
      this.#inProcess = this.#shipInThisThread();
    } else this.#outbox.take();
    this.#readyWaits.check();
  }

  /** Takes over the records that no worker has read. */
  #shipInThisThread(): CoreShipper {
    const shipper = new CoreShipper(this.#destination, this.#options, this.#reporter);
    for (const drop of this.#ledger.takeLosses()) shipper.noteDrops(drop);
    for (const line of this.#outbox.take().lines) {
      const parsed = parseLine(line.slice(0, -1));
      if ('record' in parsed) shipper.accept(parsed.record);
    }
    return shipper;
  }

  #dropWorker(lastError = this.#worker?.stats.lastError): void {
    if (this.#worker) this.#ledger.keepLastStats({ ...this.#worker.stats, lastError }, this.#worker.onDisk);
    this.#worker = undefined;
  }
}

/** The worker redacts, transforms and calls functions: for that it gets all of a record. */
function wireFormOf(
  { reads }: Destination,
  { plainFields }: DestinationRecipe,
  { shaping, hooks }: ResolvedDeliveryOptions,
): WireForm {
  const isExact = isTakenApart(shaping) || hooks !== undefined;
  return { reads: isExact && reads === 'text' ? 'both' : reads, plainFields, isExact };
}
