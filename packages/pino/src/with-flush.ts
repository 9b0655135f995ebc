import type { EventEmitter } from 'node:events';
import { type AnyFunction, type Flushable, withFlush as flushOthers } from '@logferry/core';
import { isThread } from './thread-call.js';
import { flush, stats } from './transport.js';

/**
 * `withFlush` of `@logferry/core`, which also takes what `pino.transport()` returns: delivers the logs of each invocation of a
 * serverless function before its end is told. Throws `ConfigError` for what is no function, and for what is no transport or stream, such
 * as a logger.
 *
 * @param transports what `pino.transport()` returned, or streams of this package
 */
export function withFlush<Handler extends AnyFunction>(
  handler: Handler,
  ...transports: readonly [EventEmitter | Flushable, ...(EventEmitter | Flushable)[]]
): Handler {
  return flushOthers(handler, ...(transports.map(flushableOf) as [Flushable]));
}

function flushableOf(transport: EventEmitter | Flushable): Flushable {
  if (!isThread(transport)) return transport as Flushable;
  return { flush: (options) => flush(transport, options), stats: () => stats(transport) };
}
