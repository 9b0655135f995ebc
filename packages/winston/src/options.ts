import {
  booleanOption,
  type DeliveryOptions,
  deliveryOptionNames,
  optionNames,
  stringOption,
  wrongOption,
} from '@logferry/core';
import type Transport from 'winston-transport';

/** The options of winston's own transports that a Logferry transport takes. */
export interface HostOptions {
  /** Least severe level that is shipped. @default the logger's level */
  readonly level?: string | undefined;
  /** True: nothing is shipped. @default false */
  readonly silent?: boolean | undefined;
  /** Format of this transport, applied after the logger's own. @default none */
  readonly format?: Transport.TransportStreamOptions['format'] | undefined;
  /** True: winston logs uncaught exceptions here, and waits for their delivery before it exits. @default false */
  readonly handleExceptions?: boolean | undefined;
  /** True: winston logs unhandled rejections here, and waits for their delivery before it exits. @default false */
  readonly handleRejections?: boolean | undefined;
}

/** The options of every Logferry transport. With `thread: true`, only `format` may be, or hold, a function. */
export interface TransportOptions extends HostOptions, DeliveryOptions {}

export const hostOptionNames: readonly (keyof HostOptions)[] = optionNames<HostOptions>({
  level: true,
  silent: true,
  format: true,
  handleExceptions: true,
  handleRejections: true,
});

/** The names of the options in {@link TransportOptions}. */
export const transportOptionNames: readonly (keyof TransportOptions)[] = [...deliveryOptionNames, ...hostOptionNames];

/**
 * Checks the host's options, and returns those for winston-transport. The format is left out: winston-transport would throw
 * its errors into the application. Throws `ConfigError`.
 */
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
