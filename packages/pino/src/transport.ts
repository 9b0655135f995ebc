import type { EventEmitter } from 'node:events';
import {
  type DeliveryReport,
  type DeliveryStats,
  type FlushOptions,
  sharedState,
  statsOfWorker,
  sumStats,
  sumTotals,
  wrongOption,
} from '@logferry/core';
import type { DestinationStream } from './stream.js';
import { isThread, type Thread, ThreadCall } from './thread-call.js';

/**
 * Reads the counters of a stream, or asks a worker thread for those of all its Logferry streams, added up. Rejects when the
 * worker has ended, or does not reply within 5 s, as a worker without a Logferry target does. Rejects with `ConfigError` for
 * any other object.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 */
export async function stats(transport: EventEmitter): Promise<DeliveryStats> {
  if (isStream(transport)) return transport.stats();
  return sumStats([...(await statsOfWorker(threadOf(transport))).values()]);
}

/**
 * Delivers all records that were logged before the call, at once and without waiting for backoffs, also those that have not reached
 * the worker. Drops nothing: with `timeoutMs` it may return while records are pending. The transport stays as it is, and the process
 * is held until the promise settles.
 *
 * Rejects, with an `Error`, when the worker has ended (`cause`: why), has not started within `timeoutMs`, or does not reply, as a worker
 * without a Logferry target does. Rejects with `ConfigError` for any other object. After `close()` it resolves with the report of that.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 * @param options `timeoutMs` @default no deadline
 * @returns the counters; those of several Logferry targets in a worker are added up
 */
export async function flush(transport: EventEmitter, options: FlushOptions = {}): Promise<DeliveryReport> {
  if (isStream(transport)) return transport.flush(options);
  const thread = threadOf(transport);
  return closings.get(thread) ?? ask(thread, 'flush', options);
}

/**
 * Delivers all records that were logged before the call until the deadline, counts those left as `undeliverable`, and ends the worker
 * with all its targets. The process is held until the promise settles; the thread is not blocked while records are sent. Records that are
 * logged later are lost, and raise no error. Further calls return the same promise.
 *
 * Rejects as `flush()` does. The worker may then go on.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 * @param options `timeoutMs` @default closeTimeoutMs of the target
 * @returns the counters; those of several Logferry targets in a worker are added up
 */
export async function close(transport: EventEmitter, options: FlushOptions = {}): Promise<DeliveryReport> {
  if (isStream(transport)) return transport.close(options);
  const thread = threadOf(transport);
  const known = closings.get(thread);
  if (known) return known;
  const closing = ask(thread, 'close', options);
  closings.set(thread, closing);
  closing.catch(() => closings.delete(thread));
  return closing;
}

/** The calls of `close()` that did not fail. */
const closings = sharedState('pino.closings', () => new WeakMap<Thread, Promise<DeliveryReport>>());

function isStream(transport: unknown): transport is DestinationStream {
  return typeof (transport as { stats?: unknown } | undefined)?.stats === 'function';
}

function threadOf(transport: unknown): Thread {
  if (isThread(transport)) return transport;
  throw wrongOption('transport', 'what pino.transport() returned, or a stream of @logferry/pino', transport);
}

async function ask(thread: Thread, method: 'flush' | 'close', { timeoutMs }: FlushOptions): Promise<DeliveryReport> {
  return ThreadCall.run(
    thread,
    method,
    async (call) => {
      await call.handOver();
      const reports = await call.ask(method);
      if (method === 'close') await call.end();
      return sumTotals(reports);
    },
    timeoutMs,
  );
}
