import { booleanOption, type DeliveryOptions, deliveryOptionNames, stringOption, wrongOption } from '@logferry/core';
import type Transport from 'winston-transport';

/** The options of winston's own transports that a Logferry transport takes. */
export interface HostOptions {
  /** Least severe level that is shipped. @default the logger's level */
  readonly level?: string | undefined;
  /** True: nothing is shipped. @default false */
  readonly silent?: boolean | undefined;
  /** Format of this transport alone, applied to what the logger's own format made. @default none */
  readonly format?: Transport.TransportStreamOptions['format'] | undefined;
  /** True: winston logs uncaught exceptions here, and waits for their delivery before it exits. @default false */
  readonly handleExceptions?: boolean | undefined;
  /** True: winston logs unhandled rejections here, and waits for their delivery before it exits. @default false */
  readonly handleRejections?: boolean | undefined;
}

/** What every Logferry transport takes, whatever its destination. */
export interface TransportOptions extends DeliveryOptions, HostOptions {
  /**
   * True: ships from a worker thread. The event loop stays free, and `process.exit()` still delivers; but for `format` no option
   * may be, or have, a function. @default false
   */
  readonly thread?: boolean | undefined;
}

export const hostOptionNames: readonly (keyof HostOptions)[] = [
  'level',
  'silent',
  'format',
  'handleExceptions',
  'handleRejections',
];

/** The names of the options in {@link TransportOptions}. */
export const transportOptionNames: readonly (keyof TransportOptions)[] = [
  ...deliveryOptionNames,
  ...hostOptionNames,
  'thread',
];

/** Checks the host's options and gives winston-transport what it wants: all but the format, which it would let throw. */
export function resolveHostOptions(options: HostOptions): Transport.TransportStreamOptions {
  const { format } = options;
  const level = stringOption('level', options.level, undefined);
  if (format !== undefined && typeof format?.transform !== 'function') {
    throw wrongOption('format', 'a winston format, such as format.json()', format);
  }
  return {
    ...(level !== undefined && { level }),
    silent: booleanOption('silent', options.silent, false),
    handleExceptions: booleanOption('handleExceptions', options.handleExceptions, false),
    handleRejections: booleanOption('handleRejections', options.handleRejections, false),
  };
}
