import type { EventEmitter } from 'node:events';
import {
  type DeliveryReport,
  type DeliveryStats,
  type FlushOptions,
  nextTurn,
  numberOption,
  objectOption,
  optionNames,
  refuseUnknownOptions,
  sharedState,
  statsOfWorker,
  sumStats,
  sumTotals,
  warn,
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
 * without a Logferry target does. Rejects with `ConfigError` for any other object, and for wrong options. After `close()` it resolves as a
 * further call of that does.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 * @param options `timeoutMs` @default no deadline
 * @returns the counters; those of several Logferry targets in a worker are added up
 */
export async function flush(transport: EventEmitter, options?: FlushOptions): Promise<DeliveryReport> {
  const checked = checkedOptions(options);
  if (isStream(transport)) return transport.flush(checked);
  const thread = threadOf(transport);
  const closing = closings.get(thread);
  if (closing) return reportOf(closing);
  return sumTotals(await ThreadCall.run(thread, 'flush', (call) => call.flush(), checked.timeoutMs));
}

/**
 * Delivers all records that were logged before the call until the deadline, counts those left as `undeliverable`, and ends the worker
 * with all its targets. The process is held until the promise settles. The thread is not blocked while records are sent, but for those
 * that a stage of a pipeline holds until its end. Records that are logged later are lost, and raise no error. Further calls resolve with
 * the same report, which counts these records, each once, as `closed`.
 *
 * Rejects as `flush()` does, and if lines do not reach the target before the deadline. The worker may then go on.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 * @param options `timeoutMs` @default closeTimeoutMs of the target
 * @returns the counters; those of several Logferry targets in a worker are added up
 */
export async function close(transport: EventEmitter, options?: FlushOptions): Promise<DeliveryReport> {
  const checked = checkedOptions(options);
  if (isStream(transport)) return transport.close(checked);
  const thread = threadOf(transport);
  const closing = closings.get(thread) ?? startClosing(thread, checked);
  return reportOf(closing);
}

/** A call of `close()`. */
interface Closing {
  readonly report: Promise<DeliveryReport>;
  /** Records that were logged after the end of the worker. */
  lateRecords: number;
}

/** Those that did not fail. */
const closings = sharedState('pino.closings', () => new WeakMap<Thread, Closing>());

function startClosing(thread: Thread, { timeoutMs }: FlushOptions): Closing {
  const onLate = (): void => {
    if (closing.lateRecords++ === 0) warn('a record that is logged after close(transport) is lost');
  };
  const report = ThreadCall.run(thread, 'close', (call) => call.close(onLate), timeoutMs).then(sumTotals);
  const closing: Closing = { report, lateRecords: 0 };
  closings.set(thread, closing);
  report.catch(() => closings.delete(thread));
  return closing;
}

async function reportOf(closing: Closing): Promise<DeliveryReport> {
  const report = await closing.report;
  // pino's stream tells a late record at the end of the turn.
  await nextTurn();
  const { received, dropped } = report;
  const { lateRecords } = closing;
  return {
    ...report,
    received: received + lateRecords,
    dropped: { ...dropped, closed: dropped.closed + lateRecords },
  };
}

function checkedOptions(options: unknown): FlushOptions {
  const raw = objectOption('options', options);
  refuseUnknownOptions(raw, flushOptionNames);
  if (raw.timeoutMs === undefined) return {};
  return {
    timeoutMs: numberOption('timeoutMs', raw.timeoutMs, 0, { min: 0, max: Number.POSITIVE_INFINITY, integer: false }),
  };
}

const flushOptionNames = optionNames<FlushOptions>({ timeoutMs: true });

function isStream(transport: unknown): transport is DestinationStream {
  return typeof (transport as { stats?: unknown } | undefined)?.stats === 'function';
}

function threadOf(transport: unknown): Thread {
  if (isThread(transport)) return transport;
  throw wrongOption('transport', 'what pino.transport() returned, or a stream of @logferry/pino', transport);
}
