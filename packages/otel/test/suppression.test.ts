import dns from 'node:dns';
import { once } from 'node:events';
import { createShipper } from '@logferry/core';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { context, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import winston from 'winston';

const exporter = new InMemorySpanExporter();
const tracer = trace.getTracer('test');
let cloudWatch: CloudWatchEmulator;
beforeAll(async () => {
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  cloudWatch = await startCloudWatch({ strict: true });
});
afterAll(() => cloudWatch.close());
afterEach(() => {
  vi.restoreAllMocks();
  exporter.reset();
});

/** Makes a span, as an instrumentation does. */
function act(name: string): void {
  tracer.startSpan(name).end();
}

const names = (): readonly string[] => exporter.getFinishedSpans().map(({ name }) => name);

it('a span that begins in a request is not recorded: in the look-up of credentials and of the host, and in the request', async () => {
  const { lookup } = dns;
  const asked: boolean[] = [];
  vi.spyOn(dns, 'lookup').mockImplementation(((...args: Parameters<typeof lookup>) => {
    asked.push(isTracingSuppressed(context.active()));
    act('look-up of the host');
    lookup(...args);
  }) as typeof lookup);
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = cloudWatch.env;
  const transport = new CloudWatchTransport({
    logGroupName: 'shop',
    region,
    endpoint: cloudWatch.url.replace('127.0.0.1', 'localhost'),
    credentials: async () => {
      asked.push(isTracingSuppressed(context.active()));
      act('look-up of credentials');
      return { accessKeyId, secretAccessKey };
    },
  });
  const logger = winston.createLogger({ transports: [transport] });
  tracer.startActiveSpan('request of the application', (span) => {
    logger.info('order paid');
    span.end();
  });
  const ended = once(logger, 'finish');
  logger.end();
  await ended;
  expect(cloudWatch.events()).toHaveLength(1);
  expect(asked.length).toBeGreaterThanOrEqual(2);
  expect(new Set(asked)).toEqual(new Set([true]));
  expect(names()).toEqual(['request of the application']);
});

it('a span of a destination is not recorded, and one of a callback is', async () => {
  const shipper = createShipper(
    {
      name: 'spans',
      reads: 'text',
      limits: { maxEvents: 10, maxBytes: 1000 },
      encode: ({ time, text }) => ({ route: '', time, payload: text, bytes: text.length }),
      async send(batch) {
        act('send');
        await null;
        act('send, later');
        return { rejected: batch.events.map((_, index) => ({ index, reason: 'invalid' })), wireBytes: 0 };
      },
    },
    { onDrop: () => act('onDrop') },
  );
  shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'order paid', fields: {} });
  await shipper.close();
  expect(shipper.stats().rejected).toBe(1);
  expect(names()).toEqual(['onDrop']);
});
