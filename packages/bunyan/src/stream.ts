import { EventEmitter } from 'node:events';
import {
  createShipper,
  type DeliveryOptions,
  type DeliveryReport,
  type DeliveryStats,
  type Destination,
  deliveryOptionNames,
  type FlushOptions,
  optionNames,
  type Shipper,
  splitOptions,
  stringOption,
} from '@logferry/core';
import { type BunyanLevel, levelOption } from './levels.js';
import { recordOf } from './record.js';

/** What every Logferry stream takes, whatever its destination. */
export interface StreamOptions extends DeliveryOptions {
  /** Least severe level that is shipped: a name or a number. @default the logger's level, else 'info' */
  readonly level?: BunyanLevel | undefined;
  /** Name for bunyan's `logger.levels(name)`. @default none */
  readonly name?: string | undefined;
}

const entryOptionNames = optionNames<Pick<StreamOptions, 'level' | 'name'>>({ level: true, name: true });

/** The names of the options in {@link StreamOptions}. */
export const streamOptionNames: readonly (keyof StreamOptions)[] = [...deliveryOptionNames, ...entryOptionNames];

export interface DestinationStreamOptions extends StreamOptions {
  /** Where the records go. */
  readonly destination: Destination;
}

/** An entry for the `streams` of `bunyan.createLogger`, or for `logger.addStream`. */
export interface DestinationEntry {
  readonly type: 'raw';
  /** Absent when not given: bunyan then takes the logger's own level, else 'info'. */
  readonly level?: BunyanLevel;
  readonly name?: string;
  readonly stream: DestinationStream;
}

/** Ships the records of bunyan loggers to any destination. */
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
 * What bunyan writes to. Never throws into the application and never emits `'error'`: failures and losses go to `onError`
 * and `onDrop`. bunyan never ends its streams, so that is up to the application.
 */
export class DestinationStream extends EventEmitter {
  readonly #shipper: Shipper;

  constructor(shipper: Shipper) {
    super();
    this.#shipper = shipper;
  }

  /** Called by bunyan: takes a record, or a line where the stream is not used as a raw one. Always true. */
  write(record: unknown): boolean {
    this.#shipper.accept(recordOf(record));
    return true;
  }

  /** Closes the stream, emits 'finish' and calls back, as streams of Node.js do. */
  end(callback?: () => void): this {
    if (callback) this.once('finish', callback);
    void this.close().then(() => process.nextTick(() => this.emit('finish')));
    return this;
  }

  /** Delivers all that was logged before the call. Drops nothing: with `timeoutMs` it may return sooner. */
  flush(options?: FlushOptions): Promise<DeliveryReport> {
    return this.#shipper.flush(options);
  }

  /** Takes no more records, and delivers what is left for at most `timeoutMs`. @default closeTimeoutMs */
  close(options?: FlushOptions): Promise<DeliveryReport> {
    return this.#shipper.close(options);
  }

  stats(): DeliveryStats {
    return this.#shipper.stats();
  }
}
