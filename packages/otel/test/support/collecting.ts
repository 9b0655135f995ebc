import { type AddressInfo, createServer } from 'node:net';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';

/** A value for each set of attributes: `{ 'cloudwatch': 3 }`, `{ 'cloudwatch THROTTLED': 1 }`. */
type Values = Readonly<Record<string, number>>;

/** A meter provider of the SDK. */
export interface Collecting {
  readonly meterProvider: MeterProvider;
  /** Collects once. Values by the name of the instrument. */
  collect(): Promise<Readonly<Record<string, Values>>>;
  /** The same, as the SDK gives it. */
  metrics(): Promise<readonly MetricData[]>;
}

export function startCollecting(): Collecting {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const metrics = async (): Promise<readonly MetricData[]> => {
    exporter.reset();
    await reader.forceFlush();
    return exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  };
  return {
    meterProvider,
    metrics,
    async collect() {
      const valuesOf = ({ dataPoints }: MetricData): Values =>
        Object.fromEntries(
          dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(' '), value as number]),
        );
      return Object.fromEntries((await metrics()).map((each) => [each.descriptor.name, valuesOf(each)]));
    },
  };
}

/** The exporter listens on a free port. */
export async function startPrometheus(): Promise<{ readonly exporter: PrometheusExporter; readonly url: string }> {
  // The exporter takes 0 for its default.
  const port = await freePort();
  const exporter = await new Promise<PrometheusExporter>((resolve, reject) => {
    const started: PrometheusExporter = new PrometheusExporter({ host: '127.0.0.1', port }, (error) => {
      if (error) reject(error);
      else queueMicrotask(() => resolve(started));
    });
  });
  return { exporter, url: `http://127.0.0.1:${port}/metrics` };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
