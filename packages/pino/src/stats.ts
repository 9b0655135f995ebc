import type { EventEmitter } from 'node:events';
import { type DeliveryStats, isWorkerStream, statsOfWorker, sumStats, wrongOption } from '@logferry/core';

/**
 * Reads the counters of a stream, or asks a worker thread for those of all its Logferry streams, added up. Rejects when the
 * worker has ended, or does not reply within 5 s, as a worker without a Logferry target does. Rejects with `ConfigError` for
 * any other object.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 */
export async function stats(transport: EventEmitter): Promise<DeliveryStats> {
  if (isStream(transport)) return transport.stats();
  if (isWorkerStream(transport)) return sumStats([...(await statsOfWorker(transport)).values()]);
  throw wrongOption('transport', 'what pino.transport() returned, or a stream of @logferry/pino', transport);
}

function isStream(transport: unknown): transport is { stats(): DeliveryStats } {
  return typeof (transport as { stats?: unknown } | undefined)?.stats === 'function';
}
