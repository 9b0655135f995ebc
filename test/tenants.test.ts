import { once } from 'node:events';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import type { CloudWatchOptions } from '@logferry/cloudwatch';
import { assertBalanced, type DeliveryStats } from '@logferry/core';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import { stats } from '@logferry/pino';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import bunyan from 'bunyan';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import winston from 'winston';
import { shipTo } from './support/clouds.js';

/** Records of each framework. A multiple of the tenants, so that each has as many. */
const RECORDS = 40_008;
const PATIENCE_MS = 60_000;

/** The value of the field `tenant.id`, and the end of the group's name that it stands for. */
const TENANTS: readonly (readonly [id: unknown, name: string])[] = [
  ['acme', 'acme'],
  ['Acme', 'Acme'],
  ['a/b', 'a/b'],
  ['über uns', '-ber-uns'],
  ['x:y*z', 'x-y-z'],
  ['../acme', '../acme'],
  ['#1', '#1'],
  [42, '42'],
  [false, 'false'],
  [null, 'none'],
  [undefined, 'none'],
  ['denied', 'denied'],
];
const PER_TENANT = RECORDS / TENANTS.length;

/** The last midnight: half an hour before it and after it no record is too old or too new. */
const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;
const HALF_HOUR_MS = 1_800_000;

/** A logger that ships by one framework. */
interface Framework {
  /** Logs a record with this time, in epoch milliseconds. */
  log(time: number, text: string, tenant: object): void;
  stats(): Promise<DeliveryStats>;
  flush(): Promise<unknown>;
  end(): Promise<unknown>;
}

function startWinston(options: CloudWatchOptions): Framework {
  const transport = new CloudWatchTransport({ ...options, onError: () => {} });
  const logger = winston.createLogger({ transports: [transport] });
  return {
    log: (time, text, tenant) => void logger.info(text, { tenant, timestamp: new Date(time).toISOString() }),
    stats: async () => transport.stats(),
    flush: () => transport.flush(),
    end: () => once(logger.end(), 'finish'),
  };
}

async function startPinoWorker(options: CloudWatchOptions): Promise<Framework> {
  const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options });
  await once(transport, 'ready');
  let now = 0;
  const logger = pino({ timestamp: () => `,"time":${now}` }, transport);
  return {
    log(time, text, tenant) {
      now = time;
      logger.info({ tenant }, text);
    },
    stats: () => stats(transport),
    flush: () => new Promise<void>((resolve) => logger.flush(() => resolve())),
    async end() {
      transport.end();
      await once(transport, 'close');
    },
  };
}

function startBunyanThread(options: CloudWatchOptions): Framework {
  const entry = cloudWatchStream({ ...options, thread: true });
  const logger = bunyan.createLogger({ name: 'tenants', streams: [entry] });
  return {
    log: (time, text, tenant) => logger.info({ tenant, time: new Date(time) }, text),
    stats: async () => entry.stream.stats(),
    flush: () => entry.stream.flush(),
    end: () => entry.stream.close(),
  };
}

/** The stored records that are in another stream than their own fields and time name. */
function misplaced(cloud: CloudWatchEmulator): unknown[] {
  return cloud.events().filter(({ logGroupName, logStreamName, message }) => {
    const { tenant, time, timestamp = time } = JSON.parse(message);
    const [, name] = TENANTS.find(([id]) => id === (tenant.id ?? undefined)) ?? [undefined, 'none'];
    const day = new Date(timestamp).toISOString().slice(0, 10);
    return logGroupName !== `/tenants/${name}` || logStreamName !== day;
  });
}

it('twelve tenants and three frameworks: each record is in the stream that its fields and time name, and a tenant that is denied holds up no other', async () => {
  const cloud = await startCloudWatch({ strict: true });
  onTestFinished(() => cloud.close());
  cloud.faults({
    accessDenied: 1,
    where: { logGroupName: '/tenants/denied' },
    only: ['PutLogEvents', 'CreateLogGroup'],
  });
  const options: CloudWatchOptions = {
    ...shipTo(cloud),
    logGroupName: '/tenants/{field:tenant.id}',
    logStreamName: '{date:yyyy-MM-dd}',
  };
  const frameworks = [startWinston(options), await startPinoWorker(options), startBunyanThread(options)];
  for (let number = 0; number < RECORDS; number++) {
    const [id] = TENANTS[number % TENANTS.length] as (typeof TENANTS)[number];
    const time = midnight + ((number * 7919) % (2 * HALF_HOUR_MS)) - HALF_HOUR_MS;
    for (const framework of frameworks) framework.log(time, String(number), { id });
    // The loggers of an application leave the event loop some time, too.
    if (number % 1000 === 999) await new Promise((resolve) => setImmediate(resolve));
  }

  const delivered = async (): Promise<number[]> =>
    (await Promise.all(frameworks.map((each) => each.stats()))).map((each) => each.delivered);
  const others = RECORDS - PER_TENANT;
  await expect.poll(delivered, { timeout: PATIENCE_MS }).toEqual(frameworks.map(() => others));
  expect(cloud.stats().faults.accessDenied).toBeGreaterThan(0);
  expect(cloud.events({ logGroupName: '/tenants/denied' })).toEqual([]);

  cloud.faults();
  await Promise.all(frameworks.map((each) => each.flush()));
  for (const framework of frameworks) {
    const report = await framework.stats();
    assertBalanced(report);
    expect(report).toMatchObject({ received: RECORDS, delivered: RECORDS });
  }
  await Promise.all(frameworks.map((each) => each.end()));
  expect(misplaced(cloud)).toEqual([]);
  const events = cloud.events();
  const numbers = events.map(({ message }) => Number(JSON.parse(message).msg ?? JSON.parse(message).message));
  expect(numbers.sort((a, b) => a - b)).toEqual(
    Array.from({ length: RECORDS * frameworks.length }, (_, index) => Math.floor(index / frameworks.length)),
  );
  const streams = new Set(events.map(({ logGroupName, logStreamName }) => `${logGroupName}:${logStreamName}`));
  expect(streams.size).toBe(new Set(TENANTS.map(([, name]) => name)).size * 2);
  expect(cloud.stats().violations).toEqual([]);
}, 120_000);
