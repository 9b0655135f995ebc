import { EventEmitter } from 'node:events';
import {
  createShipper,
  type DeliveryOptions,
  type DeliveryReport,
  type DeliveryStats,
  type Destination,
  deliveryOptionNames,
  type FlushOptions,
  inBackground,
  nextTick,
  optionNames,
  type Shipper,
  splitOptions,
  stringOption,
} from '@logferry/core';
import { type BunyanLevel, levelOption } from './levels.js';
import { recordOf } from './record.js';

/** Options of a stream to any destination. */
export interface StreamOptions extends DeliveryOptions {
  /** Least severe level that is shipped: a name or a number. @default the logger's level, or `'info'` */
  readonly level?: BunyanLevel | undefined;
  /** Name for bunyan's `logger.levels(name)`. @default none */
  readonly name?: string | undefined;
}

const entryOptionNames = optionNames<Omit<StreamOptions, keyof DeliveryOptions>>({ level: true, name: true });

/** The names of the options in {@link StreamOptions}. */
export const streamOptionNames: readonly (keyof StreamOptions)[] = [...deliveryOptionNames, ...entryOptionNames];

export interface DestinationStreamOptions extends StreamOptions {
  /** Where the records go. */
  readonly destination: Destination;
}

/** An entry for the `streams` of `bunyan.createLogger`, or for `logger.addStream`. */
export interface DestinationEntry {
  readonly type: 'raw';
  /** Absent without the option: bunyan then uses the logger's level, or 'info'. */
  readonly level?: BunyanLevel;
  readonly name?: string;
  readonly stream: DestinationStream;
}

/** Makes a stream that ships bunyan's records to any destination. Throws `ConfigError` for wrong options. */
export function destinationStream(options: DestinationStreamOptions): DestinationEntry {
  const [delivery, own] = splitOptions(options, deliveryOptionNames, ['destination', ...entryOptionNames]);
  const level = levelOption(own.level);
  const name = stringOption('name', own.name, undefined);
  return {
    type: 'raw',
    ...(level !== undefined && { level }),
    ...(name !== undefined && { name }),
    stream: new DestinationStream(createShipper(own.destination, delivery)),
  };
}

/**
 * The stream that bunyan writes to. Never throws into the application and never emits `'error'`: failures are reported to
 * `onError`, losses to `onDrop`. bunyan does not end its streams: the application calls `close()` or `end()`.
 */
export class DestinationStream extends EventEmitter {
  readonly #shipper: Shipper;

  constructor(shipper: Shipper) {
    super();
    this.#shipper = shipper;
  }

  /** Called by bunyan with a record, or with a line if the stream is not used as a raw one. Always true. */
  write(record: unknown): boolean {
    this.#shipper.accept(recordOf(record));
    return true;
  }

  /** Closes the stream, then emits 'finish' and calls back, as streams of Node.js do. */
  end(callback?: () => void): this {
    if (callback) this.once('finish', callback);
    inBackground(this.close().then(() => nextTick(() => this.emit('finish'))));
    return this;
  }

  /**
   * Delivers all records logged before the call. Drops nothing: with `timeoutMs` it may return while records are pending.
   * @default no deadline
   */
  flush(options?: FlushOptions): Promise<DeliveryReport> {
    return this.#shipper.flush(options);
  }

  /**
   * Ends the stream, and delivers the rest for at most `timeoutMs` milliseconds. Records left then are counted as
   * `undeliverable`, later ones as `closed`. @default closeTimeoutMs
   */
  close(options?: FlushOptions): Promise<DeliveryReport> {
    return this.#shipper.close(options);
  }

  /** All counters since the start. */
  stats(): DeliveryStats {
    return this.#shipper.stats();
  }
}
