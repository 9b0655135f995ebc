import type { DeliveryStats } from '@logferry/core';
import {
  type Attributes,
  type BatchObservableResult,
  type Meter,
  type MetricOptions,
  type Observable,
  ValueType,
} from '@opentelemetry/api';
import { type StatsByDestination, sumByDestination } from './worker-counters.js';

/** The instruments, and a function that records sums of the counters with them: one for each destination. */
export interface Instruments {
  readonly instruments: Observable[];
  record(result: BatchObservableResult, counters: readonly StatsByDestination[]): void;
}

/** Makes the instruments. */
export function createInstruments(meter: Meter): Instruments {
  const all = INSTRUMENTS.map(({ kind, name, read, ...options }) => {
    const create = `createObservable${kind}` as const;
    return { instrument: meter[create](`logferry.${name}`, { valueType: ValueType.INT, ...options }), read };
  });
  return {
    instruments: all.map(({ instrument }) => instrument),
    record(result, counters) {
      for (const [destination, stats] of sumByDestination(counters)) {
        const observe = (instrument: Observable, value: number, attributes?: Attributes): void =>
          result.observe(instrument, value, { 'logferry.destination': destination, ...attributes });
        for (const { instrument, read } of all) {
          const value = read(stats);
          if (typeof value === 'number') observe(instrument, value);
          else for (const [type, count] of Object.entries(value)) observe(instrument, count, { 'error.type': type });
        }
      }
    },
  };
}

interface Definition extends MetricOptions {
  readonly kind: 'Counter' | 'UpDownCounter' | 'Gauge';
  /** After `logferry.` */
  readonly name: string;
  /** A number, or numbers by the attribute `error.type`. */
  read(stats: DeliveryStats): number | Readonly<Record<string, number>>;
}

/** Units as in UCUM: https://opentelemetry.io/docs/specs/semconv/general/metrics/#instrument-units */
const INSTRUMENTS: readonly Definition[] = [
  {
    kind: 'Counter',
    name: 'records.received',
    unit: '{record}',
    description: 'Records that were handed to the transports.',
    read: (stats) => stats.received,
  },
  {
    kind: 'Counter',
    name: 'records.recovered',
    unit: '{record}',
    description: 'Records of dead processes that were found on disk.',
    read: (stats) => stats.recovered,
  },
  {
    kind: 'Counter',
    name: 'records.delivered',
    unit: '{record}',
    description: 'Records that the service stored.',
    read: (stats) => stats.delivered,
  },
  {
    kind: 'Counter',
    name: 'records.dropped',
    unit: '{record}',
    description: 'Records that were not delivered, by reason.',
    read: (stats) => stats.dropped,
  },
  {
    kind: 'Counter',
    name: 'records.rejected',
    unit: '{record}',
    description: 'Records that the service refused one by one, by reason.',
    read: (stats) => stats.rejectedByReason,
  },
  {
    kind: 'UpDownCounter',
    name: 'records.pending',
    unit: '{record}',
    description: 'Records that wait or are in flight.',
    read: (stats) => stats.pending,
  },
  {
    kind: 'UpDownCounter',
    name: 'records.spooled',
    unit: '{record}',
    description: 'Records that are on disk only.',
    read: (stats) => stats.spooled,
  },
  {
    kind: 'Counter',
    name: 'retries',
    unit: '{request}',
    description: 'Failed requests whose records are sent again, by code.',
    read: (stats) => stats.retries,
  },
  {
    kind: 'UpDownCounter',
    name: 'buffer.usage',
    unit: 'By',
    description: 'Memory of the records that wait or are in flight.',
    read: (stats) => stats.bufferBytes,
  },
  {
    kind: 'UpDownCounter',
    name: 'buffer.limit',
    unit: 'By',
    description: 'Most memory that records may take: maxBufferBytes.',
    read: (stats) => stats.bufferLimitBytes,
  },
  {
    kind: 'Gauge',
    name: 'oldest.age',
    unit: 's',
    valueType: ValueType.DOUBLE,
    description: 'Age of the oldest record that waits or is in flight.',
    read: (stats) => stats.oldestAgeMs / 1000,
  },
  {
    kind: 'UpDownCounter',
    name: 'requests.inflight',
    unit: '{request}',
    description: 'Requests in flight.',
    read: (stats) => stats.inFlight,
  },
];
