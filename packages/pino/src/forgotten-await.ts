import { ConfigError } from '@logferry/core';

/**
 * The members that pino, pino-http and pino.multistream read of a stream before they use it. They take a promise, which has none of
 * these, for an object of options, and log to stdout.
 */
const STREAM_MEMBERS = ['_writableState', 'writable', 'emit', 'write'];

/** Lets a promise throw a `ConfigError` where it is used as a stream, since an `await` is missing. It can be awaited as any other. */
export function loudWithoutAwait<T>(promise: Promise<T>, name: string, streamName: string): Promise<T> {
  const refuse = (): never => {
    throw new ConfigError('stream', `${name}() returns a promise: await it, or call ${streamName}()`);
  };
  for (const member of STREAM_MEMBERS) Object.defineProperty(promise, member, { get: refuse });
  return promise;
}
