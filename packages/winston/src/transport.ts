import {
  createShipper,
  DEFAULT_CLOSE_TIMEOUT_MS,
  type DeliveryError,
  type DeliveryReport,
  type DeliveryStats,
  type Destination,
  deliveryOptionNames,
  type FlushOptions,
  guarded,
  inBackground,
  nextTick,
  nextTurn,
  type Shipper,
  splitOptions,
  wrongOption,
} from '@logferry/core';
import { LEVEL } from 'triple-beam';
import Transport from 'winston-transport';
import { CrashDelivery, crashOf, hasCrashField } from './crash.js';
import { type Logger, Loggers, removeLast } from './loggers.js';
import { type HostOptions, hostOptionNames, resolveHostOptions, type TransportOptions } from './options.js';
import { copyOf, type Info, InfoRecord, type Levels, unreadable } from './record.js';

export interface DestinationTransportOptions extends TransportOptions {
  /** Where the records go. */
  readonly destination: Destination;
}

type WriteCallback = (error?: Error | null) => void;

/**
 * Ships the records of winston loggers to any destination. Never throws into the application. A failed attempt is a `'warn'`
 * event of the transport and of its loggers, never an `'error'` event.
 */
export class DestinationTransport extends Transport {
  readonly #format: HostOptions['format'];
  readonly #shipper: Shipper;
  readonly #closeTimeoutMs: number;
  readonly #loggers: Loggers = new Loggers(this, (info, logger) => this.#receive(info, logger));
  readonly #crash = new CrashDelivery({
    holdRecords: () => this.#loggers.holdRecords,
    flush: (options) => this.#shipper.flush(options),
    onDelivered: () => this.#letWinstonExit(),
  });
  /** The logger whose record is taken now, or null for a record that was written to the transport itself. */
  #source: Logger | null | undefined;
  /** Of the logger that was added last: a removed transport may still get records. */
  #levels: Levels | undefined;
  /** winston's handler of crashes calls `log` with a record that the logger may write as well. */
  #lastCopied: { readonly info: Info; readonly isWritten: boolean } | undefined;
  #firstLogger: Logger | undefined;
  #isFinished = false;

  /** Throws `ConfigError` for wrong options. */
  constructor(options: DestinationTransportOptions) {
    const [delivery, { destination, ...host }] = splitOptions(options, deliveryOptionNames, [
      'destination',
      ...hostOptionNames,
    ]);
    super(resolveHostOptions(host));
    this.#format = host.format;
    this.#shipper = createShipper(destination, delivery, { onFailure: (error) => this.#warn(error) });
    this.#closeTimeoutMs = delivery.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS;
    this.#followLoggers();
  }

  /**
   * Takes a record at once, also while the stream is corked, and never causes backpressure. Nothing that it is called with is an
   * 'error' event: a value that is no record is counted as `unencodable`, a record after the end as `closed`.
   */
  override write(info: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    this.#receive(info, this.#loggers.first ?? null);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) nextTick(done);
    return true;
  }

  /** Called for each record that has the level, and by winston's handlers of crashes. Takes it and calls back at once. */
  override log(info: Info, callback?: () => void): void {
    const isCopy = this.#source === undefined && hasCrashField(info) && this.#isSecondCopy(info, false);
    if (!isCopy) {
      const formatted = this.#formatted(info);
      if (formatted !== false) this.#accept(formatted);
    }
    if (this.#source === undefined) this.#crash.recordArrived();
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
   * calls this when it removes the transport, and may add it again. The end of its last logger ends the transport.
   * @default closeTimeoutMs
   */
  override async close({ timeoutMs = this.#closeTimeoutMs }: FlushOptions = {}): Promise<DeliveryReport> {
    await nextTurn();
    return this.#shipper.release({ timeoutMs });
  }

  /** All counters since the start. */
  stats(): DeliveryStats {
    return this.#shipper.stats();
  }

  /**
   * Called by `logger.end()`, which waits for 'finish'. While another logger goes on, the transport only delivers, and lets the
   * logger that ended finish. Otherwise it ends.
   */
  override end(...args: unknown[]): this {
    if (args.length > 0 || !this.writable || !this.#loggers.arePartlyEnded) return super.end(...(args as []));
    const finish = removeLast(this, 'finish');
    inBackground(this.flush({ timeoutMs: this.#closeTimeoutMs }).then(() => finish && nextTick(finish)));
    return this;
  }

  /** Read by `logger.end()`, which does not wait for a transport that has finished. */
  get finished(): boolean {
    return this.#isFinished;
  }

  /** 'finish' comes after this has called back. */
  override _final(callback: (error?: Error | null) => void): void {
    inBackground(
      this.#shipper.close().then(() =>
        nextTick(() => {
          this.#isFinished = true;
          callback();
        }),
      ),
    );
  }

  /** winston sets this on each transport that handles a crash, immediately before it logs the crash, in all versions from 3.2. */
  protected set _ending(_: boolean) {
    this.#crash.begin();
  }

  #receive(info: unknown, source: Logger | null): void {
    const outer = this.#source;
    this.#source = source;
    try {
      if (this.#wants(info as Info | false, source)) this.log(info as Info, ignore);
    } catch {
      // The value is no object, or its level cannot be read.
      this.#accept(unreadable);
    } finally {
      this.#source = outer;
      this.#crash.recordArrived();
    }
  }

  /** Whether the record has the level. A format of the logger leaves out a record by false. */
  #wants(info: Info | false, source: Logger | null): boolean {
    if (info === false) return false;
    if (Object(info) !== info) throw new TypeError('a record must be an object');
    const level = this.level ?? source?.level;
    const levels = source?.levels ?? this.#levels;
    const hasLevel = !level || !levels || (levels[level] as number) >= (levels[info[LEVEL] as string] as number);
    if (!hasCrashField(info)) return hasLevel;
    const crash = crashOf(info);
    const isWanted = crash === 'exception' ? this.handleExceptions : hasLevel || (crash && this.handleRejections);
    return !!isWanted && !this.#isSecondCopy(info, true);
  }

  /** Whether winston hands over a record for the second time, since the transport is in `transports` and a handler of crashes. */
  #isSecondCopy(info: Info, isWritten: boolean): boolean {
    const last = this.#lastCopied;
    const isSecond = last?.info === info && last.isWritten !== isWritten;
    this.#lastCopied = isSecond ? undefined : { info, isWritten };
    return isSecond;
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
    if (this.silent) return;
    const levels = (this.#source ?? this.#loggers.first)?.levels ?? this.#levels;
    const accepted = this.#shipper.accept(new InfoRecord(info, levels));
    if (accepted && this.listenerCount('logged') > 0) inBackground(this.#emitLogged(info));
  }

  async #emitLogged(info: Info): Promise<void> {
    await nextTurn();
    nextTick(() => this.emit('logged', info));
  }

  #followLoggers(): void {
    // winston-transport follows the first logger only. winston adds listeners for each logger, and for each crash.
    this.removeAllListeners('pipe').removeAllListeners('unpipe').setMaxListeners(0);
    // It throws a wrong level into the call that adds the transport.
    this.on('pipe', (source: Logger) => {
      const isLogger = source.levels !== undefined;
      if (isLogger) this.#follow(source);
    });
    const left = guarded(async (source: Logger) => {
      if (!this.#loggers.detach(source)) return;
      await (this.#loggers.first ? this.flush({ timeoutMs: this.#closeTimeoutMs }) : this.close());
    });
    this.on('unpipe', left);
  }

  #follow(logger: Logger): void {
    const { levels } = logger;
    const { level } = this;
    if (level !== undefined && !Object.hasOwn(levels, level)) {
      // With a level that the logger lacks, winston would ship nothing and report no error.
      logger.unpipe(this);
      throw wrongOption('level', `one of the logger's levels (${Object.keys(levels).join(', ')})`, level);
    }
    this.#loggers.attach(logger);
    this.#firstLogger ??= logger;
    this.#levels = levels;
  }

  /** winston forwards the event of a transport to the first logger that it is added to. */
  #warn(error: DeliveryError): void {
    this.emit('warn', error);
    for (const logger of this.#loggers.all) if (logger !== this.#firstLogger) logger.emit('warn', error, this);
  }

  /** winston exits after 'finish'. With `exitOnError: false` it goes on. The real 'finish' comes if the transport ends now. */
  #letWinstonExit(): void {
    const isEnding = !this.writable && !this.#isFinished;
    if (!isEnding) this.emit('finish');
  }
}

function ignore(): void {}
