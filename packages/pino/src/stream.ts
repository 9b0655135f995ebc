import { Writable } from 'node:stream';
import {
  booleanOption,
  ConfigError,
  createShipper,
  DEFAULT_CLOSE_TIMEOUT_MS,
  DEFAULT_MAX_BUFFER_BYTES,
  type DeliveryOptions,
  type DeliveryReport,
  type DeliveryStats,
  type Destination,
  deliveryOptionNames,
  type FlushOptions,
  inBackground,
  nextTick,
  numberOption,
  optionNames,
  outsideContext,
  refuseUnknownOptions,
  type Shipper,
} from '@logferry/core';
import { levelOption } from './levels.js';
import { LineReader } from './line-reader.js';
import { type ParsedLine, parseHead, parseLine } from './parse-line.js';
import { isPinoWorker, replyStats, withoutHostKeys } from './worker.js';

/** pino kills a worker that has not closed 10 s after `end()`, or after the exit of the process began. */
const MAX_WORKER_CLOSE_MS = 9000;

/** Options of a stream to any destination. */
export interface StreamOptions extends DeliveryOptions {
  /** True is refused: `pino.transport({ target: '@logferry/pino/…' })` starts a worker thread. @default false */
  readonly thread?: boolean | undefined;
  /**
   * Least severe level that is shipped: a standard level's name, or a number. Needed since pino ignores a `level` beside a
   * single `target`. JSON lines with a custom label, or without a level, always pass. @default all lines
   */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | number | undefined;
}

export interface DestinationStreamOptions extends StreamOptions {
  /** Where the lines go. */
  readonly destination: Destination;
}

/** The names of the stream options. */
export const streamOptionNames: readonly (keyof StreamOptions)[] = [
  ...deliveryOptionNames,
  ...optionNames<Omit<StreamOptions, keyof DeliveryOptions>>({ level: true }),
];

/** A stream of log lines: the second parameter of `pino()`, and what a target returns. A failed delivery never makes it emit 'error'. */
export interface DestinationStream extends Writable {
  /**
   * Delivers all lines written before the call, at once and without waiting for backoffs. Drops nothing: with `timeoutMs` it
   * may return while records are pending. @default no deadline
   */
  flush(options?: FlushOptions): Promise<DeliveryReport>;
  /** Called by `logger.flush(callback)`. The same, but calls back after `closeTimeoutMs` at the latest, and never with an error. */
  flush(callback: () => void): void;
  /**
   * Ends the stream, as `end()` does, and delivers the rest until the deadline. Records left then are counted as
   * `undeliverable`. @default closeTimeoutMs
   */
  close(options?: FlushOptions): Promise<DeliveryReport>;
  /** All counters since the start. */
  stats(): DeliveryStats;
}

/** Makes a stream that ships log lines to a destination. Throws `ConfigError` for wrong options. */
export function destinationStream(options: DestinationStreamOptions): DestinationStream {
  const ownOptions = withoutHostKeys(options);
  refuseUnknownOptions(ownOptions, ['destination', ...streamOptionNames]);
  const { destination, level, ...delivery } = ownOptions;
  if (booleanOption('thread', delivery.thread, false)) {
    const message =
      "thread: expected false, got true: pino.transport({ target: '@logferry/pino/…' }) starts a worker thread";
    throw new ConfigError('thread', message);
  }
  const lowest = levelOption(level);
  const inWorker = isPinoWorker();
  const flushTimeoutMs = numberOption('closeTimeoutMs', delivery.closeTimeoutMs, DEFAULT_CLOSE_TIMEOUT_MS, { min: 0 });
  const closeTimeoutMs = inWorker ? Math.min(flushTimeoutMs, MAX_WORKER_CLOSE_MS) : flushTimeoutMs;
  const shipper = createShipper(destination, { ...delivery, closeTimeoutMs });
  if (inWorker) replyStats(() => shipper.stats());
  const maxLineChars = delivery.maxBufferBytes ?? DEFAULT_MAX_BUFFER_BYTES;
  return new LineStream(shipper, { lowest, maxLineChars, flushTimeoutMs });
}

interface LineOptions {
  /** The number of the least severe level that is shipped. */
  readonly lowest: number;
  readonly maxLineChars: number;
  /** Of a call of `flush` with a callback. */
  readonly flushTimeoutMs: number;
}

/** Lines are read by a stream of our own: all are counted, none waits outside of the byte budget, and none is cut. */
class LineStream extends Writable implements DestinationStream {
  readonly #shipper: Shipper;
  readonly #lowest: number;
  readonly #flushTimeoutMs: number;
  readonly #lines: LineReader;
  readonly #closed = outsideContext(() => new Promise<void>((resolve) => this.once('close', resolve)));
  #endOptions: FlushOptions | undefined;

  constructor(shipper: Shipper, { lowest, maxLineChars, flushTimeoutMs }: LineOptions) {
    super({ decodeStrings: false });
    this.#shipper = shipper;
    this.#lowest = lowest;
    this.#flushTimeoutMs = flushTimeoutMs;
    this.#lines = new LineReader(maxLineChars, {
      onLine: (line) => this.#take(line),
      onTooLong: (head) => this.#refuse(head),
    });
  }

  /** Takes the lines at once. A write after the end would emit 'error': here its lines are counted as `closed`. */
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    this.#read(chunk);
    if (this.writableEnded || this.destroyed) this.#end();
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) nextTick(done);
    return true;
  }

  /** Called for the parameter of `end`. */
  override _write(chunk: unknown, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#read(chunk);
    callback();
  }

  /** 'finish' comes after the delivery: pino's pipelines wait for that event. */
  override _final(callback: WriteCallback): void {
    this.#finish(callback);
  }

  override _destroy(_error: Error | null, callback: WriteCallback): void {
    this.#finish(callback);
  }

  flush(options?: FlushOptions): Promise<DeliveryReport>;
  flush(callback: () => void): void;
  flush(parameter?: FlushOptions | (() => void)): unknown {
    if (typeof parameter !== 'function') return this.#shipper.flush(parameter);
    return inBackground(this.#shipper.flush({ timeoutMs: this.#flushTimeoutMs }).then(() => nextTick(parameter)));
  }

  close(options?: FlushOptions): Promise<DeliveryReport> {
    this.#endOptions ??= options;
    this.end();
    return this.#closed.then(() => this.#shipper.close());
  }

  stats(): DeliveryStats {
    return this.#shipper.stats();
  }

  #read(chunk: unknown): void {
    try {
      this.#lines.read(typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : String(chunk));
    } catch (cause) {
      this.#shipper.refuse({ time: Date.now() }, 'unencodable', cause);
    }
  }

  #finish(callback: WriteCallback): void {
    this.#end();
    inBackground(this.#shipper.close(this.#endOptions).then(() => callback()));
  }

  #end(): void {
    try {
      this.#lines.end();
    } catch (cause) {
      this.#shipper.refuse({ time: Date.now() }, 'unencodable', cause);
    }
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    const record = parseLine(line, Date.now());
    if (this.#ships(record)) this.#shipper.accept(record);
  }

  /** Of a line that is too long the rest is never read. */
  #refuse(head: string): void {
    const record = parseHead(head, Date.now());
    if (this.#ships(record))
      this.#shipper.refuse(record, 'too-large', new Error('a line is longer than maxBufferBytes'));
  }

  #ships({ levelValue }: Pick<ParsedLine, 'levelValue'>): boolean {
    return levelValue === undefined || levelValue >= this.#lowest;
  }
}

type WriteCallback = (error?: Error | null) => void;
