import type { EventEmitter } from 'node:events';
import { isWorkerStream, objectOption, refuseUnknownOptions, statsByDestination, wrongOption } from '@logferry/core';
import { createNoopMeter, diag, type MeterProvider, metrics } from '@opentelemetry/api';
import { createInstruments } from './instruments.js';
import { WorkerCounters } from './worker-counters.js';

/** Options of {@link observeLogferry}. */
export interface ObserveOptions {
  /** Makes the instruments. @default the global one: `metrics.getMeterProvider()` */
  readonly meterProvider?: MeterProvider | undefined;
}

/** What {@link observeLogferry} returns. */
export interface LogferryMetrics {
  /**
   * Adds the transports of a worker thread of pino, which is asked for its counters at each collection. Once it has ended, the counts
   * of its last reply stay in the sums. Does nothing for a transport of this thread: it is found without. Throws `ConfigError` for
   * any other object.
   *
   * @param transport what `pino.transport()` returned
   */
  observe(transport: EventEmitter): void;
  /** Ends the observation. */
  stop(): void;
}

/**
 * Exports the counters of all Logferry transports in this thread as metrics of OpenTelemetry, also of those that are made later. Call it
 * after the SDK has registered its meter provider, or pass that. Throws `ConfigError` for wrong options.
 */
export function observeLogferry(options: ObserveOptions = {}): LogferryMetrics {
  const meter = providerOf(options).getMeter('@logferry/otel');
  if (meter === createNoopMeter())
    diag.warn('@logferry/otel: no meter provider is registered yet, so that nothing is observed');
  const workers = new WorkerCounters();
  const { instruments, record } = createInstruments(meter);
  const collect = async (result: Parameters<typeof record>[0]): Promise<void> => {
    const ofWorkers = await workers.read();
    record(result, [statsByDestination(), ...ofWorkers]);
  };
  meter.addBatchObservableCallback(collect, instruments);
  return {
    observe(transport) {
      if (isWorkerStream(transport)) workers.add(transport);
      else if (!hasStats(transport))
        throw wrongOption('transport', 'what pino.transport() returned, or a transport of Logferry', transport);
    },
    stop: () => meter.removeBatchObservableCallback(collect, instruments),
  };
}

function providerOf(options: ObserveOptions): MeterProvider {
  refuseUnknownOptions(objectOption('options', options), ['meterProvider']);
  const { meterProvider = metrics.getMeterProvider() } = options;
  if (typeof meterProvider?.getMeter !== 'function')
    throw wrongOption('meterProvider', 'a MeterProvider of OpenTelemetry', meterProvider);
  return meterProvider;
}

function hasStats(transport: unknown): boolean {
  return typeof (transport as { readonly stats?: unknown } | undefined)?.stats === 'function';
}
