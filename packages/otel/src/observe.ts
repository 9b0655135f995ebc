import type { EventEmitter } from 'node:events';
import {
  isWorkerStream,
  objectOption,
  refuseUnknownOptions,
  sharedState,
  statsByDestination,
  wrongOption,
} from '@logferry/core';
import { createNoopMeter, diag, type Meter, type MeterProvider, metrics } from '@opentelemetry/api';
import { createInstruments } from './instruments.js';
import { addWorker, statsOfWorkers } from './worker-counters.js';

/** Options of {@link observeLogferry}. */
export interface ObserveOptions {
  /** Makes the instruments. @default the global one: `metrics.getMeterProvider()` */
  readonly meterProvider?: MeterProvider | undefined;
}

/** What {@link observeLogferry} returns. */
export interface LogferryMetrics {
  /**
   * Adds the transports of a worker thread of pino, for all observers of this thread. The worker is asked for its counters at each
   * collection, and holds it for at most 1 s. Once it has ended, the counts of its last reply stay in the sums. Does nothing for a
   * transport of this thread: it is found without. Throws `ConfigError` for any other object.
   *
   * @param transport what `pino.transport()` returned
   */
  observe(transport: EventEmitter): void;
  /** Ends this observation. Others go on, also with the workers that were added here. */
  stop(): void;
}

/**
 * Exports the counters of all Logferry transports in this thread as metrics of OpenTelemetry, also of those that are made later. Call it
 * after the SDK has registered its meter provider, or pass that. Several observations of one meter provider export the same counters
 * once. Throws `ConfigError` for wrong options.
 */
export function observeLogferry(options: ObserveOptions = {}): LogferryMetrics {
  const meter = providerOf(options).getMeter('@logferry/otel');
  if (meter === createNoopMeter())
    diag.warn('@logferry/otel: no meter provider is registered yet, so that nothing is observed');
  const end = beginCollecting(meter);
  let isStopped = false;
  return {
    observe(transport) {
      if (isWorkerStream(transport)) addWorker(transport);
      else if (!hasStats(transport))
        throw wrongOption('transport', 'what pino.transport() returned, or a transport of Logferry', transport);
    },
    stop() {
      if (!isStopped) end();
      isStopped = true;
    },
  };
}

/** What records the counters with the instruments of a meter, for all its observers. */
interface Collector {
  observers: number;
  end(): void;
}

/**
 * Of all copies of this package. A meter has one callback: the SDK adds up what two of them record for one instrument wherever
 * the second value is the lower one, since it takes that for a restart.
 */
const collectors = sharedState('otel.collectors', () => new WeakMap<Meter, Collector>());

/** Returns the function that ends it, to be called once. */
function beginCollecting(meter: Meter): () => void {
  const collector = collectors.get(meter) ?? startCollector(meter);
  collectors.set(meter, collector);
  collector.observers++;
  return () => {
    collector.observers--;
    if (collector.observers > 0) return;
    collectors.delete(meter);
    collector.end();
  };
}

function startCollector(meter: Meter): Collector {
  const { instruments, record } = createInstruments(meter);
  const collect = async (result: Parameters<typeof record>[0]): Promise<void> => {
    const ofWorkers = await statsOfWorkers();
    record(result, [statsByDestination(), ...ofWorkers]);
  };
  meter.addBatchObservableCallback(collect, instruments);
  return { observers: 0, end: () => meter.removeBatchObservableCallback(collect, instruments) };
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
