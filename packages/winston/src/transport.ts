import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  createShipper,
  DEFAULT_CLOSE_TIMEOUT_MS,
  type DeliveryReport,
  type DeliveryStats,
  type Destination,
  deliveryOptionNames,
  type FlushOptions,
  type Shipper,
  splitOptions,
  wrongOption,
} from '@logferry/core';
import Transport from 'winston-transport';
import { type HostOptions, hostOptionNames, resolveHostOptions, type TransportOptions } from './options.js';
import { copyOf, type Info, InfoRecord, type Levels, unreadable } from './record.js';

/** Deadline of the delivery after a crash: winston exits 3,000 ms after it. */
const CRASH_TIMEOUT_MS = 2500;

export interface DestinationTransportOptions extends TransportOptions {
  /** Where the records go. */
  readonly destination: Destination;
}

type WriteCallback = (error?: Error | null) => void;

/** The members of a logger that its transport uses. */
interface Logger extends NodeJS.ReadableStream {
  readonly levels: Levels;
  /** Whether an uncaught exception ends the process, or a function that decides it. */
  readonly exitOnError: unknown;
}

/**
 * Ships the records of one winston logger to any destination. Never throws into the application. A failed attempt is a
 * `'warn'` event of the transport and of its logger, never an `'error'` event.
 */
export class DestinationTransport extends Transport {
  /** Set by winston-transport when the transport is added to a logger. */
  declare protected levels: Levels | undefined;
  /** Set by winston-transport while the transport is added to a logger. */
  declare protected parent: Logger | null | undefined;
  readonly #format: HostOptions['format'];
  readonly #isThreaded: boolean;
  readonly #shipper: Shipper;
  readonly #closeTimeoutMs: number;

  /** Throws `ConfigError` for wrong options. */
  constructor(options: DestinationTransportOptions) {
    const [delivery, { destination, ...host }] = splitOptions(options, deliveryOptionNames, [
      'destination',
      ...hostOptionNames,
    ]);
    super(resolveHostOptions(host));
    this.#format = host.format;
    this.#isThreaded = delivery.thread === true;
    this.#shipper = createShipper(destination, delivery, { onFailure: (error) => this.emit('warn', error) });
    this.#closeTimeoutMs = delivery.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS;
    this.#followLogger();
  }

  /** Called by the logger. Bypasses the stream's buffer and callbacks, since taking a record never waits. */
  override write(info: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const isPlain = info !== null && encoding === undefined && callback === undefined;
    const isFree = this.writable && this.writableLength === 0;
    if (!isPlain || !isFree) return super.write(info, encoding as BufferEncoding, callback);
    this._write(info, 'utf8', ignore);
    return true;
  }

  /** Called by winston. Takes the record and calls back at once, so that the logger's other transports do not wait. */
  override log(info: Info, callback?: () => void): void {
    const formatted = this.#formatted(info);
    if (formatted !== false) this.#accept(formatted);
    if (this.#isCrash(info)) this.#deliverCrash();
    callback?.();
  }

  /**
   * Delivers all records logged before the call. Drops nothing: with `timeoutMs` it may return while records are pending.
   * @default no deadline
   */
  async flush(options?: FlushOptions): Promise<DeliveryReport> {
    // A logger hands over the records that it kept while it had no transport in the next turn.
    await nextTurn();
    return this.#shipper.flush(options);
  }

  /**
   * Delivers the pending records, for at most `timeoutMs` milliseconds. Drops nothing, and the transport stays usable: winston
   * calls this when it removes the transport, and may add it again. `logger.end()` ends the transport.
   * @default closeTimeoutMs
   */
  override close({ timeoutMs = this.#closeTimeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    return this.flush({ timeoutMs });
  }

  /** All counters since the start. */
  stats(): DeliveryStats {
    return this.#shipper.stats();
  }

  /** Ends the transport. `logger.end()` emits 'finish' after this has called back. */
  override _final(callback: (error?: Error | null) => void): void {
    void this.#shipper.close().then(() => process.nextTick(callback));
  }

  /** The result of the transport's own format; false if it leaves the record out. */
  #formatted(info: Info): Info | false {
    if (!this.#format) return info;
    try {
      return this.#format.transform(copyOf(info) as never, this.#format.options) as Info | false;
    } catch {
      return unreadable;
    }
  }

  #accept(info: Info): void {
    const accepted = this.#shipper.accept(new InfoRecord(info, this.levels));
    if (accepted && this.listenerCount('logged') > 0) setImmediate(() => this.emit('logged', info));
  }

  /** winston-transport listens once to 'pipe' and 'unpipe': a transport that is added again would lose the logger's levels. */
  #followLogger(): void {
    this.on('pipe', (logger: Logger) => this.#checkLevel(logger.levels));
    this.on('pipe', (logger: Logger) => {
      if (this.parent) return;
      this.levels = logger.levels;
      this.parent = logger;
    });
    this.on('unpipe', (logger: Logger) => {
      if (this.parent !== logger) return;
      this.parent = null;
      void this.close();
    });
  }

  /** With a level that the logger lacks, winston would ship nothing and report no error. */
  #checkLevel(levels: Levels): void {
    const level = this.level;
    if (level === undefined || Object.hasOwn(levels, level)) return;
    throw wrongOption('level', `one of the logger's levels (${Object.keys(levels).join(', ')})`, level);
  }

  /** Whether winston ends the process after this record, and waits for its delivery. */
  #isCrash(info: Info): boolean {
    try {
      return (
        (info.exception === true && !!this.handleExceptions) || (info.rejection === true && !!this.handleRejections)
      );
    } catch {
      return false;
    }
  }

  #deliverCrash(): void {
    void this.#shipper
      .flush({ timeoutMs: CRASH_TIMEOUT_MS })
      .then(({ pending }) => this.#giveUpIfLast(pending))
      .then(() => process.nextTick(() => this.#letWinstonExit()));
  }

  /** Counts the rest as lost if winston exits now. A worker thread goes on delivering during the exit. */
  async #giveUpIfLast(pending: number): Promise<void> {
    if (pending > 0 && !this.#isThreaded && this.parent?.exitOnError === true)
      await this.#shipper.close({ timeoutMs: 0 });
  }

  /** winston exits after 'finish'. With `exitOnError: false` it goes on, but 'finish' has ended the pipe, which is made anew. */
  #letWinstonExit(): void {
    const isEnding = !this.writable;
    if (isEnding) return;
    const logger = this.parent;
    this.emit('finish');
    logger?.pipe(this);
  }
}

function ignore(): void {}
