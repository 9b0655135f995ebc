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
  numberOption,
  refuseUnknownOptions,
  type Shipper,
} from '@logferry/core';
import build from 'pino-abstract-transport';
import { levelOption } from './levels.js';
import { parseLine } from './parse-line.js';
import { isPinoWorker, replyStats } from './worker.js';

/** pino kills a worker that has not closed 10 s after `end()` or the exit of the process. */
const MAX_WORKER_CLOSE_MS = 9000;

/** Options of a stream, whatever its destination. */
export interface StreamOptions extends DeliveryOptions {
  /** Refused if true: pino has a worker thread of its own, `pino.transport({ target: '@logferry/pino/…' })`. @default false */
  readonly thread?: boolean | undefined;
  /**
   * Lines below it are left out: a standard level's name, or a number. pino itself ignores `level` beside a single
   * `target`. JSON lines with a custom label, or none, always pass. @default everything that pino writes
   */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | number | undefined;
}

export interface DestinationStreamOptions extends StreamOptions {
  /** Where the lines go. */
  readonly destination: Destination;
}

/** The names of the stream options. */
export const streamOptionNames: readonly (keyof StreamOptions)[] = [...deliveryOptionNames, 'level'];

/** A stream of log lines for `pino(options, stream)`, or for a target to return. Failed deliveries never make it emit 'error'. */
export interface DestinationStream extends Writable {
  /**
   * Delivers everything written before the call, at once and without waiting for backoffs. Drops nothing: with
   * `timeoutMs` it may return while records are still pending.
   */
  flush(options?: FlushOptions): Promise<DeliveryReport>;
  /** What `logger.flush(callback)` calls: the same, but calls back after `closeTimeoutMs` at the latest, and without an error. */
  flush(callback: () => void): void;
  /** Ends the stream and delivers what is left, until the deadline (`closeTimeoutMs`); `end()` does the same. */
  close(options?: FlushOptions): Promise<DeliveryReport>;
  stats(): DeliveryStats;
}

/** Makes a stream that ships log lines to a destination. Throws `ConfigError` for wrong options. */
export function destinationStream(options: DestinationStreamOptions): DestinationStream {
  refuseUnknownOptions(options, ['destination', ...streamOptionNames]);
  const { destination, level, ...delivery } = options;
  if (booleanOption('thread', delivery.thread, false)) {
    throw new ConfigError(
      'thread',
      "thread: pino has a worker of its own: use pino.transport({ target: '@logferry/pino/…' })",
    );
  }
  const lowest = levelOption(level);
  const inWorker = isPinoWorker();
  const flushTimeoutMs = numberOption('closeTimeoutMs', delivery.closeTimeoutMs, DEFAULT_CLOSE_TIMEOUT_MS, { min: 0 });
  const closeTimeoutMs = inWorker ? Math.min(flushTimeoutMs, MAX_WORKER_CLOSE_MS) : flushTimeoutMs;
  const shipper = createShipper(destination, { ...delivery, closeTimeoutMs });
  if (inWorker) replyStats(() => shipper.stats());
  return shipLines(shipper, lowest, flushTimeoutMs);
}

/** Where a line ends at the latest, so that text without line feeds cannot fill the memory. */
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
    // Lines are taken on the spot and none is passed on: what waits in a stream is outside the byte budget.
    parseLine: take,
    close: async () => void (await shipper.close(endOptions)),
    metadata: false,
  });
  // Delivery comes before 'finish', too, for which pino's own pipelines wait.
  const handOnLastLine = stream._flush.bind(stream);
  stream._flush = (callback) => handOnLastLine(() => void shipper.close(endOptions).then(() => callback()));
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  const writeWhileOpen = stream.write.bind(stream) as Write;
  return Object.assign(stream, {
    flush: ((how) => {
      if (typeof how !== 'function') return shipper.flush(how);
      return void shipper.flush({ timeoutMs: flushTimeoutMs }).then(() => process.nextTick(how));
    }) as DestinationStream['flush'],
    close(options?: FlushOptions) {
      endOptions ??= options;
      stream.end();
      return closed.then(() => shipper.close());
    },
    stats: () => shipper.stats(),
    /** Node.js would answer a write after the end with an 'error' event; here the lines are counted as lost. */
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
      if (typeof callback === 'function') process.nextTick(callback);
      return true;
    }) as Write,
  });
}
