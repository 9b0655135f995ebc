import type { Writable } from 'node:stream';
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
  guarded,
  inBackground,
  nextTick,
  numberOption,
  optionNames,
  outsideContext,
  refuseUnknownOptions,
  replyStats,
  type Shipper,
  systemClock,
} from '@logferry/core';
import build from 'pino-abstract-transport';
import { Levels, levelOption } from './levels.js';
import { LineReader } from './line-reader.js';
import { type ParsedLine, parseHead, parseLine } from './parse-line.js';
import { Stages } from './stages.js';
import { answerCalls, hasPipeline, isPinoWorker, withoutHostKeys } from './worker.js';
import { workerLevels } from './worker-levels.js';

/** pino kills a worker that has not closed 10 s after `end()`, or after the exit of the process began. */
const MAX_WORKER_CLOSE_MS = 9000;

/** Time for the end of the input to pass the stages of a pipeline, also when the deadline of `close(transport)` is near. */
const MIN_END_MS = 250;

/** Options of a stream to any destination. */
export interface StreamOptions extends DeliveryOptions {
  /** True is refused: `pino.transport({ target: '@logferry/pino/…' })` starts a worker thread. @default false */
  readonly thread?: boolean | undefined;
  /**
   * Deadline of closing, in milliseconds: in pino's worker at most 9000, but for `close(transport)`. Records left then are counted as
   * `undeliverable`. @default 5000
   */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * Least severe level that is shipped: a standard level's name, or a number. Needed since pino ignores a `level` beside a
   * single `target`. JSON lines with a label that no logger has told, or without a level, always pass. @default all lines
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
  const maxLineChars = delivery.maxBufferBytes ?? DEFAULT_MAX_BUFFER_BYTES;
  const line = { lowest, maxLineChars, flushTimeoutMs };
  if (!inWorker) {
    const levels = new Levels();
    const stream = shipLines(shipper, { ...line, levels });
    return stream.on(
      'message',
      guarded((message: unknown) => levels.learn(message)),
    );
  }
  workerLevels.listen();
  const stages = hasPipeline() ? new Stages() : undefined;
  const afterStages = async (options: FlushOptions): Promise<FlushOptions> =>
    (await stages?.passed(options)) ?? options;
  const onChunk = (): void => {
    stages?.onChunk();
    workerLevels.catchUp();
  };
  let closeByMs = Number.POSITIVE_INFINITY;
  let endByMs: number | undefined;
  const restMs = (untilMs: number): number => Math.max(0, untilMs - systemClock.monotonic());
  const endTimeoutMs = (): number | undefined => (endByMs === undefined ? undefined : restMs(endByMs));
  const stream = shipLines(shipper, { ...line, levels: workerLevels, onChunk, endTimeoutMs });
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  replyStats();
  answerCalls({
    flush: async (options) => shipper.flush(await afterStages(options)),
    async beforeEnd({ timeoutMs = flushTimeoutMs }) {
      closeByMs = systemClock.monotonic() + timeoutMs;
      await shipper.flush(await afterStages({ timeoutMs }));
    },
    async ended() {
      endByMs = Math.min(closeByMs, systemClock.monotonic() + MAX_WORKER_CLOSE_MS);
      let isCut = false;
      const cut = (): void => {
        if (stream.writableEnded) return;
        isCut = true;
        stream.destroy();
      };
      const timer = systemClock.setTimer(cut, Math.max(restMs(endByMs), MIN_END_MS));
      await closed;
      timer.cancel();
      if (isCut) throw new Error('a stage of the pipeline has not ended before the deadline, its lines are lost');
      return shipper.close();
    },
  });
  return stream;
}

interface LineOptions {
  /** The number of the least severe level that is shipped. */
  readonly lowest: number;
  readonly maxLineChars: number;
  /** Of a call of `flush` with a callback. */
  readonly flushTimeoutMs: number;
  /** Names and numbers of levels. */
  readonly levels: Levels;
  /** Called before each chunk is read. */
  readonly onChunk?: () => void;
  /** The time that the end of the stream may take. @default closeTimeoutMs */
  readonly endTimeoutMs?: () => number | undefined;
}

type WriteCallback = (error?: Error | null) => void;

/**
 * A stream of pino-abstract-transport whose lines we read ourselves: it limits no line, lets lines wait outside of the byte budget, and
 * takes an error of ours for a line that is not valid.
 */
function shipLines(
  shipper: Shipper,
  { lowest, maxLineChars, flushTimeoutMs, levels, onChunk, endTimeoutMs }: LineOptions,
): DestinationStream {
  let endOptions: FlushOptions | undefined;
  const ships = ({ levelValue }: Pick<ParsedLine, 'levelValue'>): boolean =>
    levelValue === undefined || levelValue >= lowest;
  const lines = new LineReader(maxLineChars, {
    onLine(line) {
      if (line.trim() === '') return;
      const record = parseLine(line, Date.now(), levels);
      if (ships(record)) shipper.accept(record);
    },
    // The rest of the line is never read.
    onTooLong(head) {
      const record = parseHead(head, Date.now(), levels);
      if (ships(record)) shipper.refuse(record, 'too-large', new Error('a line is longer than maxBufferBytes'));
    },
  });
  const counted = (act: () => void): void => {
    try {
      shipper.together(act);
    } catch (cause) {
      shipper.refuse({ time: Date.now() }, 'unencodable', cause);
    }
  };
  const read = (chunk: unknown): void => {
    onChunk?.();
    counted(() => lines.read(typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : String(chunk)));
  };
  const end = async (): Promise<void> => {
    counted(() => lines.end());
    await shipper.close(endOptions ?? { timeoutMs: endTimeoutMs?.() });
  };
  const stream = build((source) => void source.resume(), { close: end, metadata: false });
  const closed = outsideContext(() => new Promise<void>((resolve) => stream.once('close', resolve)));
  return Object.assign(stream, {
    /** Called for the parameter of `end`. */
    _transform(chunk: unknown, _encoding: BufferEncoding, callback: WriteCallback) {
      read(chunk);
      callback();
    },
    /** Delivers before 'finish', since pino's pipelines wait for that event. */
    _flush(callback: WriteCallback) {
      inBackground(end().then(() => callback()));
    },
    /** Takes the lines at once. A write after the end would emit 'error': here its lines are counted as `closed`. */
    write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback) {
      read(chunk);
      if (stream.writableEnded || stream.destroyed) counted(() => lines.end());
      const done = typeof encoding === 'function' ? encoding : callback;
      if (done) nextTick(done);
      return true;
    },
    flush: ((parameter) => {
      if (typeof parameter !== 'function') return shipper.flush(parameter);
      return inBackground(shipper.flush({ timeoutMs: flushTimeoutMs }).then(() => nextTick(parameter)));
    }) as DestinationStream['flush'],
    close(options?: FlushOptions) {
      endOptions ??= options;
      stream.end();
      return closed.then(() => shipper.close());
    },
    stats: () => shipper.stats(),
  });
}
