// Counters of all transports for Prometheus, and the ids of the active span in each record.
import { once } from 'node:events';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { observeLogferry } from '@logferry/otel';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import { trace } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';
import { traceIds } from './trace-ids.js';

const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const logService = { endpoint, project, logstore };
const cloudWatch = { logGroupName: 'logferry-examples' };

// An application that uses NodeSDK has both providers from it.
new NodeTracerProvider().register();
const exporter = new PrometheusExporter();
const meterProvider = new MeterProvider({ readers: [exporter] });
const logferry = observeLogferry({ meterProvider });

const winstonLogger = winston.createLogger({
  // winston reads them in the log call. A format may run later, outside of the span, while another transport is slow.
  defaultMeta: traceIds,
  transports: [
    new CloudWatchTransport({ ...cloudWatch, logStreamName: 'metrics-and-traces/winston' }),
    new LogServiceTransport({ ...logService, source: 'winston' }),
  ],
});

const transport = pino.transport({
  targets: [
    {
      target: '@logferry/pino/cloudwatch',
      options: { ...cloudWatch, logStreamName: 'metrics-and-traces/pino' },
    },
    { target: '@logferry/pino/log-service', options: { ...logService, source: 'pino' } },
  ],
});
const pinoLogger = pino({ mixin: () => ({ ...traceIds }) }, transport);
// A worker thread is asked for its counters.
logferry.observe(transport);

/** Adds the ids to a copy: all raw streams of bunyan get the same record. */
const withTraceIds = (entry) => ({
  ...entry,
  stream: { write: (record) => entry.stream.write({ ...record, ...traceIds }) },
});
const streams = [
  cloudWatchStream({ ...cloudWatch, logStreamName: 'metrics-and-traces/bunyan' }),
  logServiceStream({ ...logService, source: 'bunyan' }),
];
const bunyanLogger = bunyan.createLogger({ name: 'shop', streams: streams.map(withTraceIds) });

for (const logger of [winstonLogger, pinoLogger, bunyanLogger]) logger.info('shop opens');
trace.getTracer('shop').startActiveSpan('pay order', (span) => {
  for (const logger of [winstonLogger, pinoLogger, bunyanLogger]) logger.info('order paid');
  console.log(`trace_id ${span.spanContext().traceId}`);
  span.end();
});

await Promise.all([...winstonLogger.transports, ...streams.map(({ stream }) => stream)].map((each) => each.flush()));
const { port } = PrometheusExporter.DEFAULT_OPTIONS;
const metrics = `http://localhost:${process.env.OTEL_EXPORTER_PROMETHEUS_PORT ?? port}/metrics`;
console.log(await delivered());

const ended = [once(winstonLogger, 'finish'), once(transport, 'close')];
winstonLogger.end();
transport.end();
await Promise.all([...ended, ...streams.map(({ stream }) => stream.close())]);
logferry.stop();
await meterProvider.shutdown();

/** Waits for the records of the worker thread, and returns the lines of Prometheus. */
async function delivered() {
  for (;;) {
    const text = await (await fetch(metrics)).text();
    const lines = text.split('\n').filter((line) => line.startsWith('logferry_records_delivered_total{'));
    if (lines.length === 2 && lines.every((line) => line.endsWith(' 6'))) return lines.join('\n');
  }
}
