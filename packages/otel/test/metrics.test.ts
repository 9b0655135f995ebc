import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { assertBalanced, ConfigError, statsByDestination } from '@logferry/core';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import cloudWatchTarget from '@logferry/pino/cloudwatch';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import { metrics } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import bunyan from 'bunyan';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import winston from 'winston';
import { type LogferryMetrics, observeLogferry } from '../src/index.js';
import { type Collecting, startCollecting, startPrometheus } from './support/collecting.js';

let cloudWatch: CloudWatchEmulator;
let logService: LogServiceEmulator;
let collecting: Collecting;
let observed: LogferryMetrics;
/** The counters stay in the sums of the process: each test looks at what it adds. */
let before: Awaited<ReturnType<Collecting['collect']>>;

beforeAll(async () => {
  cloudWatch = await startCloudWatch({ strict: true });
  logService = await startLogService({ strict: true });
});
afterAll(async () => {
  await cloudWatch.close();
  await logService.close();
});
beforeEach(async () => {
  collecting = startCollecting();
  observed = observeLogferry({ meterProvider: collecting.meterProvider });
  before = await collecting.collect();
});
afterEach(async () => {
  for (const [destination, stats] of statsByDestination())
    expect(() => assertBalanced(stats), destination).not.toThrow();
  cloudWatch.faults();
  observed.stop();
  await collecting.meterProvider.shutdown();
});

/** The difference since the beginning of the test: of the instrument `logferry.` + name, for attributes as in {@link Collecting}. */
async function added(name: string, attributes = 'cloudwatch'): Promise<number | undefined> {
  const value = (await collecting.collect())[`logferry.${name}`]?.[attributes];
  return value === undefined ? undefined : value - (before[`logferry.${name}`]?.[attributes] ?? 0);
}

/** A logger of winston with these transports, which are closed at the end of the test. */
function logTo(...transports: winston.transport[]): winston.Logger {
  const logger = winston.createLogger({ transports });
  onTestFinished(async () => {
    const over = once(logger, 'finish');
    logger.end();
    await over;
  });
  return logger;
}

const DAY_MS = 24 * 3600 * 1000;

function toCloudWatch() {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = cloudWatch.env;
  return { logGroupName: 'shop', region, endpoint: cloudWatch.url, credentials: { accessKeyId, secretAccessKey } };
}

describe('finds by itself', () => {
  it('winston transports, bunyan streams, pino streams of this process and a transport with a thread, by destination', async () => {
    const transports = [new CloudWatchTransport(toCloudWatch()), new LogServiceTransport(logService.target)];
    const inThread = new CloudWatchTransport({ ...toCloudWatch(), thread: true });
    const logger = logTo(...transports, inThread);
    logger.info('one');
    logger.info('two');
    const { stream } = cloudWatchStream(toCloudWatch());
    bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream }] }).info('three');
    const target = await cloudWatchTarget(toCloudWatch());
    pino(target).info('four');
    await Promise.all([...transports, inThread, stream, target].map((each) => each.flush()));
    for (const name of ['records.received', 'records.delivered']) {
      expect(await added(name, 'cloudwatch')).toBe(6);
      expect(await added(name, 'log-service')).toBe(2);
    }
    await Promise.all([stream, target].map((each) => each.close()));
  });

  it('transports of the CommonJS copy of a package', async () => {
    const copy: { readonly CloudWatchTransport: typeof CloudWatchTransport } = createRequire(import.meta.url)(
      '@logferry/winston/cloudwatch',
    );
    expect(copy.CloudWatchTransport).not.toBe(CloudWatchTransport);
    const transport = new copy.CloudWatchTransport(toCloudWatch());
    logTo(transport).info('one');
    await transport.flush();
    expect(await added('records.delivered')).toBe(1);
  });
});

describe('counts', () => {
  it('dropped records by reason, and retries by code', async () => {
    cloudWatch.faults({ next: ['throttle'] });
    const { stream } = cloudWatchStream({ ...toCloudWatch(), retry: { throttledBaseMs: 1 }, onDrop() {} });
    const logger = bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream }] });
    logger.info('one');
    await stream.flush();
    expect(await added('retries', 'cloudwatch THROTTLED')).toBe(1);
    await stream.close();
    logger.info('too late');
    expect(await added('records.dropped', 'cloudwatch closed')).toBe(1);
    expect(await added('records.dropped', 'cloudwatch buffer-full')).toBe(0);
  });

  it('records that the service refuses one by one, by reason', async () => {
    // The service's clock is ahead: its window of time has left the record behind.
    const aheadMs = 4 * 60_000;
    const ahead = await startCloudWatch({ strict: true, clock: () => Date.now() + aheadMs });
    onTestFinished(() => ahead.close());
    const { stream } = cloudWatchStream({ ...toCloudWatch(), endpoint: ahead.url, onDrop() {} });
    const logger = bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream }] });
    logger.info({ time: new Date(Date.now() - 14 * DAY_MS + aheadMs / 2) }, 'old');
    await stream.close();
    expect(stream.stats().rejectedByReason['too-old']).toBe(1);
    expect(await added('records.rejected', 'cloudwatch too-old')).toBe(1);
  });

  it('what is in use while requests hang, and nothing of it once the transport is closed', async () => {
    cloudWatch.faults({ next: ['hang'] });
    const delivery = { maxBufferBytes: 1024 * 1024, closeTimeoutMs: 0, onDrop() {} };
    const { stream } = cloudWatchStream({ ...toCloudWatch(), ...delivery });
    bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream }] }).info('waits');
    void stream.flush();
    await expect.poll(() => added('requests.inflight')).toBe(1);
    expect(await added('records.pending')).toBe(1);
    expect(await added('buffer.usage')).toBe(stream.stats().bufferBytes);
    expect(await added('buffer.limit')).toBe(1024 * 1024);
    await expect.poll(() => added('oldest.age')).toBeGreaterThan(0);
    expect(await added('oldest.age')).toBeLessThanOrEqual(stream.stats().oldestAgeMs / 1000);
    await stream.close();
    for (const name of ['requests.inflight', 'records.pending', 'buffer.usage', 'buffer.limit', 'oldest.age'])
      expect(await added(name), name).toBe(0);
    expect(await added('records.dropped', 'cloudwatch undeliverable')).toBe(1);
  });

  it('the records of transports that were closed, or forgotten and collected as garbage, for ever', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const collected = new FinalizationRegistry<string>(() => {
      gone++;
    });
    let gone = 0;
    const use = async (thread: boolean): Promise<void> => {
      const transport = new CloudWatchTransport({ ...toCloudWatch(), thread });
      const logger = winston.createLogger({ transports: [transport] });
      logger.info('one');
      await transport.flush();
      // Removed, and never ended.
      logger.remove(transport);
      await transport.close();
      collected.register(transport, '');
    };
    await use(false);
    await use(true);
    await expect
      .poll(() => {
        collectGarbage();
        return gone;
      })
      .toBe(2);
    expect(await added('records.delivered')).toBe(2);
    expect(await added('buffer.limit')).toBe(0);
    const closed = cloudWatchStream(toCloudWatch()).stream;
    bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream: closed }] }).info('two');
    await closed.close();
    expect(await added('records.delivered')).toBe(3);
  });
});

describe('observe()', () => {
  const start = () =>
    pino.transport({ target: '@logferry/pino/cloudwatch', options: { ...toCloudWatch(), closeTimeoutMs: 5000 } });

  it('adds the counters of a worker of pino, and keeps them once it has ended', async () => {
    const transport = start();
    const logger = pino(transport);
    observed.observe(transport);
    logger.info('one');
    await new Promise<void>((resolve) => logger.flush(() => resolve()));
    expect(await added('records.delivered')).toBe(1);
    expect(await added('buffer.limit')).toBe(64 * 1024 * 1024);
    const own = new CloudWatchTransport(toCloudWatch());
    logTo(own).info('two');
    await own.flush();
    expect(await added('records.delivered')).toBe(2);
    transport.end();
    await once(transport, 'close');
    expect(await added('records.delivered')).toBe(2);
    expect(await added('buffer.limit')).toBe(own.stats().bufferLimitBytes);
  });

  it('does nothing for a transport that is found by itself', async () => {
    const { stream } = cloudWatchStream(toCloudWatch());
    observed.observe(stream);
    bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream }] }).info('one');
    await stream.close();
    expect(await added('records.received')).toBe(1);
  });

  it.each([undefined, null, {}, 'shop', process.stdout])('throws ConfigError for %o', (transport) => {
    expect(() => observed.observe(transport as never)).toThrow(ConfigError);
    expect(() => observed.observe(transport as never)).toThrow(/transport: expected what pino\.transport\(\) returned/);
  });
});

it('names, kinds and units are those of the conventions of OpenTelemetry', async () => {
  const transport = new CloudWatchTransport(toCloudWatch());
  cloudWatch.faults({ next: ['throttle'] });
  logTo(transport).info('one');
  await transport.flush();
  const found = (await collecting.metrics()).map(({ descriptor }) => descriptor);
  expect(
    found.map(({ name, type, unit }: (typeof found)[number] & { type?: string }) => `${name} ${type} ${unit}`),
  ).toEqual([
    'logferry.records.received OBSERVABLE_COUNTER {record}',
    'logferry.records.recovered OBSERVABLE_COUNTER {record}',
    'logferry.records.delivered OBSERVABLE_COUNTER {record}',
    'logferry.records.dropped OBSERVABLE_COUNTER {record}',
    'logferry.records.rejected OBSERVABLE_COUNTER {record}',
    'logferry.records.pending OBSERVABLE_UP_DOWN_COUNTER {record}',
    'logferry.records.spooled OBSERVABLE_UP_DOWN_COUNTER {record}',
    'logferry.retries OBSERVABLE_COUNTER {request}',
    'logferry.buffer.usage OBSERVABLE_UP_DOWN_COUNTER By',
    'logferry.buffer.limit OBSERVABLE_UP_DOWN_COUNTER By',
    'logferry.oldest.age OBSERVABLE_GAUGE s',
    'logferry.requests.inflight OBSERVABLE_UP_DOWN_COUNTER {request}',
  ]);
});

it('a scrape of Prometheus has all of them', async () => {
  const { exporter, url } = await startPrometheus();
  const meterProvider = new MeterProvider({ readers: [exporter] });
  onTestFinished(() => meterProvider.shutdown());
  observeLogferry({ meterProvider });
  const transport = new LogServiceTransport(logService.target);
  const logger = logTo(transport);
  logger.info('one');
  await transport.flush();
  const scrape = async (): Promise<string> => (await fetch(url)).text();
  const delivered = async (): Promise<number> =>
    Number(
      /^logferry_records_delivered_total\{logferry_destination="log-service".*\} (\d+)/m.exec(await scrape())?.[1],
    );
  const count = await delivered();
  expect(count).toBeGreaterThan(0);
  logger.info('two');
  await transport.flush();
  expect(await delivered()).toBe(count + 1);
  const text = await scrape();
  expect(text).toContain('# TYPE logferry_records_delivered_total counter');
  expect(text).toMatch(/^logferry_records_dropped_total\{.*error_type="buffer-full".*\} \d+/m);
  expect(text).toContain('# TYPE logferry_buffer_usage gauge');
  expect(text).toContain('# TYPE logferry_oldest_age gauge');
});

it('takes the global meter provider without options', async () => {
  metrics.setGlobalMeterProvider(collecting.meterProvider);
  onTestFinished(() => metrics.disable());
  observed.stop();
  observed = observeLogferry();
  const transport = new LogServiceTransport(logService.target);
  logTo(transport).info('one');
  await transport.flush();
  expect(await added('records.delivered', 'log-service')).toBe(1);
});

it('stop() ends the observation', async () => {
  const transport = new LogServiceTransport(logService.target);
  observed.stop();
  logTo(transport).info('one');
  await transport.flush();
  expect(await added('records.delivered', 'log-service')).toBe(0);
});

it.each([
  [{ meterProvider: {} }, /meterProvider: expected a MeterProvider of OpenTelemetry, got/],
  [{ meterProvidr: {} }, /did you mean "meterProvider"/],
  [7, /options: expected an object, got 7/],
])('throws ConfigError for the options %o', (options, message) => {
  expect(() => observeLogferry(options as never)).toThrow(message);
  expect(() => observeLogferry(options as never)).toThrow(ConfigError);
});
