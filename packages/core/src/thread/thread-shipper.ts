import { workerData } from 'node:worker_threads';
import { systemClock } from '../contract/clock.js';
import type { Destination, DestinationRecipe } from '../contract/destination.js';
import { ConfigError, DeliveryError } from '../contract/errors.js';
import type { LogRecord } from '../contract/record.js';
import { limitOf } from '../intake/budget.js';
import { refuseUncloneable } from '../options/checks.js';
import {
  type DeliveryOptions,
  type ResolvedDeliveryOptions,
  resolveDeliveryOptions,
} from '../options/delivery-options.js';
import { onProcessEnd } from '../process/exit.js';
import { isSending } from '../process/feedback.js';
import { createShipper, type DeliveryReport, type DeliveryStats, type Shipper } from '../shipper.js';
import { stringify } from '../tools/stringify.js';
import { MainLedger } from './main-ledger.js';
import { lineOf, lineOfCommand, type ThreadPlan, type WireRecord } from './protocol.js';
import { WorkerHandle } from './worker-handle.js';

type OnError = (error: DeliveryError) => void;

/**
 * Starts a shipper in a worker thread: what it accepts is delivered also when the process ends by `process.exit()` or an
 * uncaught error. Throws `ConfigError` for wrong options, and for those that cannot go to another thread.
 *
 * @param onError told of failures, besides stderr
 */
export function createThreadShipper(
  destination: Destination,
  options: DeliveryOptions = {},
  onError: OnError = () => {},
): Shipper {
  const untouched = createShipper(destination, options).stats();
  const recipe = destination.recipe?.();
  if (!recipe) {
    const message = `thread: the destination "${destination.name}" has no recipe() by which a worker thread could make it`;
    throw new ConfigError('thread', message);
  }
  refuseUncloneable({ ...recipe.options, ...options }, 'cannot cross into the worker thread (thread: true)');
  // What Node.js preloads (--import) runs in our worker, too, and must not start a worker from there.
  const { isLogferry } = (workerData as { workerData?: Partial<ThreadPlan> } | null)?.workerData ?? {};
  if (isLogferry) return createShipper(destination, options);
  return new ThreadShipper(destination, recipe, options, untouched, onError);
}

/** Records are handed over at the end of the turn, so that log calls do not pay for it, or when there is so much. */
const HANDOVER_CHARS = 512 * 1024;

/** What a line takes besides its content, and until then the object: about so much. */
const LINE_HEAD_CHARS = 64;

/** The worker reports when it has read so much, or an eighth of the budget, so that it is soon known what has room. */
const MAX_REPORT_CHARS = 1024 * 1024;

/** A worker that dies is replaced once: the next would die of the same cause. */
const MAX_WORKERS = 2;

class ThreadShipper implements Shipper {
  readonly #destination: Destination;
  readonly #recipe: DestinationRecipe;
  readonly #options: ResolvedDeliveryOptions;
  readonly #plan: ThreadPlan;
  readonly #untouched: DeliveryStats;
  readonly #onError: OnError;
  readonly #ledger: MainLedger;
  /** None when all that may be started have died, and after `close()`. */
  #thread: WorkerHandle | undefined;
  #started = 0;
  /** What is not handed over yet. */
  #outbox: WireRecord[] = [];
  #outboxChars = 0;
  #handoverDeferred = false;
  #callbackErrors = 0;
  #closing: Promise<DeliveryReport> | undefined;
  /** Takes back the call before the natural end of the process; registered while something may be pending. */
  #forgetBeforeExit: (() => void) | undefined;
  /** Takes back the call at the exit of the process; registered from the first record on. */
  #forgetExit: (() => void) | undefined;

  constructor(
    destination: Destination,
    recipe: DestinationRecipe,
    options: DeliveryOptions,
    untouched: DeliveryStats,
    onError: OnError,
  ) {
    this.#destination = destination;
    this.#recipe = recipe;
    this.#options = resolveDeliveryOptions(options, destination.limits);
    const { module, factory, options: own } = recipe;
    const reportChars = Math.min(MAX_REPORT_CHARS, this.#options.maxBufferBytes / 8);
    this.#plan = { isLogferry: true, recipe: { module, factory, options: own }, delivery: options, reportChars };
    this.#untouched = untouched;
    this.#onError = onError;
    this.#ledger = new MainLedger(destination.name, untouched);
    this.#thread = this.#startThread();
  }

  accept(record: LogRecord): boolean {
    const ledger = this.#ledger;
    ledger.receive();
    if (this.#closing) return ledger.refuse('closed', record);
    if (!this.#thread) return ledger.refuse('undeliverable', record);
    if (isSending()) return ledger.refuse('feedback', record);
    try {
      const wire = this.#toWireRecord(record);
      if (!this.#hasRoomFor(wire)) return ledger.refuse('buffer-full', record);
      ledger.admit(wire.time);
      this.#post(wire);
      return true;
    } catch {
      return ledger.refuse('unencodable', record);
    }
  }

  async flush({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<DeliveryReport> {
    await (this.#closing ?? this.#order('flush', timeoutMs));
    return this.stats();
  }

  close({
    timeoutMs = this.#options.closeTimeoutMs,
  }: {
    readonly timeoutMs?: number | undefined;
  } = {}): Promise<DeliveryReport> {
    this.#closing ??= this.#shutDown(timeoutMs);
    return this.#closing;
  }

  stats(): DeliveryStats {
    const { bufferBytes, callbackErrors, ...others } = this.#ledger.stats(this.#thread);
    return {
      ...others,
      bufferBytes: bufferBytes + this.#waitingChars,
      callbackErrors: callbackErrors + this.#callbackErrors,
    };
  }

  /** What crosses of a record, as it is now. Throws what the record throws. */
  #toWireRecord(record: LogRecord): WireRecord {
    const { time, level, urgent } = record;
    const content = this.#destination.reads === 'fields' ? this.#fieldsOf(record) : record.text;
    if (typeof level !== 'string' || typeof content !== 'string') throw new TypeError('level and text must be strings');
    return { time, level, urgent, content };
  }

  #fieldsOf({ fields }: LogRecord): string {
    return stringify(this.#recipe.plainFields?.(fields) ?? fields);
  }

  /** Length of what the worker has not read, as far as known. */
  get #waitingChars(): number {
    return this.#outboxChars + (this.#thread?.unreadChars ?? 0);
  }

  /** What is on its way has a budget like that of the worker; nobody can take it back there, so the newest goes. */
  #hasRoomFor(excerpt: WireRecord): boolean {
    return this.#waitingChars + charsOf(excerpt) <= limitOf(this.#options.maxBufferBytes, excerpt.urgent);
  }

  #post(excerpt: WireRecord): void {
    this.#forgetBeforeExit ??= onProcessEnd('beforeExit', () => void this.close());
    this.#forgetExit ??= onProcessEnd('exit', () => this.#endSync());
    this.#outbox.push(excerpt);
    this.#outboxChars += charsOf(excerpt);
    if (this.#outboxChars >= HANDOVER_CHARS) this.#handOver();
    else if (!this.#handoverDeferred) {
      this.#handoverDeferred = true;
      setImmediate(() => {
        this.#handoverDeferred = false;
        this.#handOver();
      });
    }
  }

  #handOver(): void {
    if (!this.#thread) return;
    const { reads } = this.#destination;
    const mentions = this.#ledger.takeLosses().map((drop) => lineOfCommand({ do: 'mention', drop }));
    const records = this.#outbox.map((excerpt) => lineOf(excerpt, reads));
    this.#emptyOutbox();
    this.#thread.write([...mentions, ...records].join(''));
  }

  #emptyOutbox(): void {
    this.#outbox = [];
    this.#outboxChars = 0;
  }

  async #order(what: 'flush' | 'close', timeoutMs: number | undefined): Promise<void> {
    this.#handOver();
    await this.#thread?.order(what, timeoutMs);
  }

  async #shutDown(timeoutMs: number): Promise<DeliveryReport> {
    await this.#order('close', timeoutMs);
    this.#thread?.terminate();
    this.#retireThread();
    this.#ledger.losePending();
    this.#ledger.stderr.flush();
    this.#forgetBeforeExit?.();
    this.#forgetExit?.();
    return this.stats();
  }

  /** The process exits: what can still be done has to be done now. */
  #endSync(): void {
    this.#handOver();
    if (this.#thread && !this.#thread.endSync()) {
      this.#retireThread();
      this.#ledger.losePending();
    }
    this.#ledger.stderr.flush();
  }

  #startThread(): WorkerHandle {
    this.#started++;
    const thread = new WorkerHandle(this.#plan, this.#untouched, {
      reported: () => this.#rest(),
      failed: ({ code, message, ...details }) => this.#tell(new DeliveryError(code, message, details)),
      ended: (error) => {
        if (this.#thread === thread && !this.#closing) this.#replaceThread(error);
      },
    });
    return thread;
  }

  /** Lets the process end as it likes while nothing is pending. */
  #rest(): void {
    if (this.stats().pending > 0) return;
    this.#ledger.clearPendingSpan();
    this.#forgetBeforeExit?.();
    this.#forgetBeforeExit = undefined;
  }

  /** What the worker had is lost, though the last of it may have been delivered since it last told. */
  #replaceThread(error: Error | undefined): void {
    const isLast = this.#started >= MAX_WORKERS;
    const how = isLast ? 'records are dropped from now on' : 'another one takes its place';
    const message = `the worker thread has ended (${error?.message ?? 'by itself'}); ${how}`;
    const failure = new DeliveryError('UNAVAILABLE', message, { cause: error });
    this.#retireThread({ code: failure.code, message, time: systemClock.now() });
    this.#ledger.losePending(isLast ? 0 : this.#outbox.length);
    if (isLast) this.#emptyOutbox();
    else this.#thread = this.#startThread();
    this.#ledger.stderr.onError(failure);
    this.#tell(failure);
  }

  #retireThread(lastError = this.#thread?.stats.lastError): void {
    if (this.#thread) this.#ledger.keepLastStats({ ...this.#thread.stats, lastError });
    this.#thread = undefined;
  }

  #tell(error: DeliveryError): void {
    try {
      this.#onError(error);
    } catch {
      this.#callbackErrors++;
    }
  }
}

function charsOf({ content }: WireRecord): number {
  return content.length + LINE_HEAD_CHARS;
}
