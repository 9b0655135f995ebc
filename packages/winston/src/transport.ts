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
import { type Info, InfoRecord, type Levels, unreadable } from './record.js';

/** Within this the last records must be out after a crash: winston exits 3,000 ms after it, whatever is left. */
const CRASH_TIMEOUT_MS = 2500;

export interface DestinationTransportOptions extends TransportOptions {
  /** Where the records go. */
  readonly destination: Destination;
}

type WriteCallback = (error?: Error | null) => void;

/** What a transport sees of the logger that it is added to. */
interface Logger extends NodeJS.ReadableStream {
  readonly levels: Levels;
  /** Whether an uncaught exception ends the process, or what decides it. */
  readonly exitOnError: unknown;
}

/**
 * Ships the records of one winston logger to any destination. Never throws into the application, and never emits
 * `'error'`: a failed attempt is a `'warn'` event, of the transport and so of the logger.
 */
export class DestinationTransport extends Transport {
  /** Set by winston-transport when the transport is added to a logger. */
  declare protected levels: Levels | undefined;
  /** Set by winston-transport while the transport is added to a logger. */
  declare protected parent: Logger | null | undefined;
  readonly #format: HostOptions['format'];
  readonly #threaded: boolean;
  readonly #shipper: Shipper;
  readonly #closeTimeoutMs: number;

  constructor(options: DestinationTransportOptions) {
    const [delivery, { destination, ...host }] = splitOptions(options, deliveryOptionNames, [
      'destination',
      ...hostOptionNames,
    ]);
    super(resolveHostOptions(host));
    this.#format = host.format;
    this.#threaded = delivery.thread === true;
    this.#shipper = createShipper(destination, delivery, { onFailure: (error) => this.emit('warn', error) });
    this.#closeTimeoutMs = delivery.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS;
    this.#followLogger();
  }

  /** Called by the logger. Nothing here ever waits, so records need not go through the stream's buffer and its callbacks. */
  override write(info: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const isPlain = info !== null && encoding === undefined && callback === undefined;
    const isFree = this.writable && this.writableLength === 0;
    if (!isPlain || !isFree) return super.write(info, encoding as BufferEncoding, callback);
    this._write(info, 'utf8', ignore);
    return true;
  }

  /** Called by winston. Takes the record and calls back at once, since siblings wait for it. */
  override log(info: Info, callback?: () => void): void {
    const formatted = this.#formatted(info);
    if (formatted !== false) this.#accept(formatted);
    if (this.#isCrash(info)) this.#deliverCrash();
    callback?.();
  }

  /** Delivers all that was logged before the call. Drops nothing: with `timeoutMs` it may return sooner. */
  async flush(options?: FlushOptions): Promise<DeliveryReport> {
    // What a logger held while it had no transport reaches the first one only in the next turn.
    await nextTurn();
    return this.#shipper.flush(options);
  }

  /**
   * Delivers what is left, for at most `closeTimeoutMs`. winston calls this when the transport is removed, or the logger
   * configured anew, and may add the transport again: it stays usable. `logger.end()` closes for good.
   */
  override close({ timeoutMs = this.#closeTimeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    return this.flush({ timeoutMs });
  }

  stats(): DeliveryStats {
    return this.#shipper.stats();
  }

  /** The end for good: `logger.end()` emits 'finish' when this has called back. */
  override _final(callback: (error?: Error | null) => void): void {
    void this.#shipper.close().then(() => process.nextTick(callback));
  }

  /** What the transport's own format makes of a record; false if it leaves the record out. */
  #formatted(info: Info): Info | false {
    if (!this.#format) return info;
    try {
      return this.#format.transform({ ...info } as never, this.#format.options) as Info | false;
    } catch {
      return unreadable;
    }
  }

  #accept(info: Info): void {
    const accepted = this.#shipper.accept(new InfoRecord(info, this.levels));
    if (accepted && this.listenerCount('logged') > 0) setImmediate(() => this.emit('logged', info));
  }

  /** winston-transport minds only its first 'pipe' and 'unpipe'; added again it would lose the logger's level. */
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

  /** winston itself would ship nothing, without a word. */
  #checkLevel(levels: Levels): void {
    const level = this.level;
    if (level === undefined || Object.hasOwn(levels, level)) return;
    throw wrongOption('level', `one of the logger's levels (${Object.keys(levels).join(', ')})`, level);
  }

  /** Whether winston waits for this record to be out before it ends the process. */
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

  /** Where winston certainly exits now, what is left is counted and told. A worker thread has the time of the exit, too. */
  async #giveUpIfLast(pending: number): Promise<void> {
    if (pending > 0 && !this.#threaded && this.parent?.exitOnError === true)
      await this.#shipper.close({ timeoutMs: 0 });
  }

  /** winston waits for 'finish'. With `exitOnError: false` it goes on after that, but 'finish' has ended the pipe. */
  #letWinstonExit(): void {
    const ending = !this.writable;
    if (ending) return;
    const logger = this.parent;
    this.emit('finish');
    logger?.pipe(this);
  }
}

function ignore(): void {}
