import type { Writable } from 'node:stream';
import {
  booleanOption,
  ConfigError,
  createShipper,
  DEFAULT_CLOSE_TIMEOUT_MS,
  type DeliveryOptions,
  type DeliveryReport,
  type DeliveryStats,
  type Destination,
  deliveryOptionNames,
  type FlushOptions,
  nextTick,
  numberOption,
  optionNames,
  refuseUnknownOptions,
  type Shipper,
} from '@logferry/core';
import build from 'pino-abstract-transport';
import { levelOption } from './levels.js';
import { parseLine } from './parse-line.js';
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
  return shipLines(shipper, lowest, flushTimeoutMs);
}

/** Longest line, about: text without line feeds must not fill the memory. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

type Write = (chunk: string | Buffer, ...others: unknown[]) => boolean;

function shipLines(shipper: Shipper, lowest: number, flushTimeoutMs: number): DestinationStream {
  let endOptions: FlushOptions | undefined;
  let openLineChars = 0;
  const take = (line: string): null => {
    if (line.trim() === '') return null;
    const record = parseLine(line, Date.now());
    if (record.levelValue === undefined || record.levelValue >= lowest) shipper.accept(record);
    return null;
  };
  const stream = build((source) => void source.resume(), {
    // Takes each line at once and passes none on: lines that wait in a stream would be outside the byte budget.
    parseLine: take,
    close: async () => void (await shipper.close(endOptions)),
    metadata: false,
  });
  // Delivers before 'finish', since pino's pipelines wait for that event.
  const flushLastLine = stream._flush.bind(stream);
  stream._flush = (callback) => flushLastLine(() => void shipper.close(endOptions).then(() => callback()));
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  const writeWhileOpen = stream.write.bind(stream) as Write;
  return Object.assign(stream, {
    flush: ((parameter) => {
      if (typeof parameter !== 'function') return shipper.flush(parameter);
      return void shipper.flush({ timeoutMs: flushTimeoutMs }).then(() => nextTick(parameter));
    }) as DestinationStream['flush'],
    close(options?: FlushOptions) {
      endOptions ??= options;
      stream.end();
      return closed.then(() => shipper.close());
    },
    stats: () => shipper.stats(),
    /** A write after the end would emit 'error'; here its lines are counted as `closed`. */
    write: ((chunk, ...others) => {
      if (!stream.writableEnded && !stream.destroyed) {
        const lineFeed = chunk.lastIndexOf('\n');
        openLineChars = lineFeed < 0 ? openLineChars + chunk.length : chunk.length - lineFeed - 1;
        const written = writeWhileOpen(chunk, ...others);
        if (openLineChars <= MAX_LINE_CHARS) return written;
        openLineChars = 0;
        return writeWhileOpen('\n');
      }
      for (const line of String(chunk).split('\n')) take(line);
      const callback = others.at(-1);
      if (typeof callback === 'function') nextTick(callback as () => void);
      return true;
    }) as Write,
  });
}
