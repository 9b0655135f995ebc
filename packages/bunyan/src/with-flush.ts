import { type AnyFunction, type Flushable, withFlush as flushOthers } from '@logferry/core';
import type { DestinationEntry } from './stream.js';

/**
 * `withFlush` of `@logferry/core`, which also takes the entries that `cloudWatchStream()` and `logServiceStream()` return: delivers the
 * logs of each invocation of a serverless function before its end is told. Throws `ConfigError` for what is no function, and no stream.
 *
 * @param streams entries of `bunyan.createLogger({ streams })`, or their streams
 */
export function withFlush<Handler extends AnyFunction>(
  handler: Handler,
  ...streams: readonly [DestinationEntry | Flushable, ...(DestinationEntry | Flushable)[]]
): Handler {
  return flushOthers(handler, ...(streams.map(streamOf) as [Flushable]));
}

function streamOf(each: DestinationEntry | Flushable): Flushable {
  const { type, stream } = Object(each) as Partial<DestinationEntry>;
  return type === 'raw' && stream ? stream : (each as Flushable);
}
