import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { assertBalanced, type DeliveryCode, type DeliveryOptions, type DeliveryStats } from '@logferry/core';
import { describe, expect, it, type TestContext } from 'vitest';
import type { RunningCloud } from '../support/clouds.js';
import type { RunningHost } from '../support/hosts.js';
import { type Way, ways } from '../support/ways.js';
import { type Directives, freePort, type Nginx, startNginx } from './nginx.js';

/** Makes records of about 230 bytes. */
const PADDING = 'x'.repeat(110);

/** Retries so quick that a test need not wait, and time for all of them in a flush of pino. */
const QUICK: DeliveryOptions = {
  maxDelayMs: 10,
  retry: { baseMs: 50, throttledBaseMs: 50, capMs: 500 },
  closeTimeoutMs: 60_000,
};

/**
 * Most bytes of refused bodies for each byte of a body that was taken. CloudWatch's 8 batches of 1 MiB are a little too large: as
 * many as are in flight before the first refusal, up to 4, are refused. Log Service's of 3 MB are halved twice, and are all in flight
 * before the first is refused.
 */
const MAX_IN_VAIN = { cloudwatch: 0.5, 'log-service': 2 } as const;

/** A logger, an nginx and a service behind it. */
interface Proxied {
  readonly logger: RunningHost;
  readonly nginx: Nginx;
  readonly cloud: RunningCloud;
}

describe.concurrent('through nginx', () => {
  describe.each(['http', 'https'] as const)('by %s', (scheme) => {
    it.for(ways)('10,000 records arrive, each once: $name', async (way, context) => {
      const proxied = await start(way, context, { scheme, options: { closeTimeoutMs: 60_000 } });
      await logMany(proxied.logger, 10_000, { text: () => PADDING });
      const { stats, repeated } = await end(proxied, 10_000);
      expect({ ambiguous: stats.ambiguous, repeated }).toEqual({ ambiguous: 0, repeated: 0 });
    });

    it.for(ways)('full batches arrive in pieces that the limit of bodies lets through: $name', async (way, context) => {
      const proxied = await start(way, context, { scheme, options: { ...QUICK, maxDelayMs: 60_000 } });
      await logMany(proxied.logger, texts.length, { text: (id) => texts[id] ?? '' });
      const { stats, repeated } = await end(proxied, texts.length);
      expect({ ambiguous: stats.ambiguous, repeated }).toEqual({ ambiguous: 0, repeated: 0 });
      const refused = (await proxied.nginx.requests()).filter(({ status }) => status === 413);
      expect(stats.retries.TOO_LARGE).toBe(refused.length);
      expect(refused.length).toBeGreaterThan(0);
      const inVainBytes = refused.reduce((bytes, { bodyBytes }) => bytes + bodyBytes, 0);
      expect(inVainBytes / stats.wireBytes).toBeLessThanOrEqual(MAX_IN_VAIN[way.cloud.name]);
    });
  });

  it.for(ways)(
    'records of a time without a service arrive later, and nginx is named for it: $name',
    async (way, context) => {
      const { host, cloud: kind } = way;
      const port = await freePort();
      const { options, close } = await kind.start(port);
      await close();
      const nginx = await startNginx(port);
      context.onTestFinished(() => nginx.stop());
      const logger = await host.start(kind.name, {
        ...options,
        endpoint: nginx.urls.http,
        ...QUICK,
      } as DeliveryOptions);
      await logMany(logger, 500);
      await context.expect.poll(() => countOf(nginx, 502)).toBeGreaterThan(2);
      const cloud = await kind.start(port);
      context.onTestFinished(() => cloud.close());
      const { stats, repeated } = await end({ logger, nginx, cloud }, 500);
      expect(repeated).toBe(0);
      expect(stats.retries.UNAVAILABLE).toBe(await countOf(nginx, 502));
      expect(stats.lastError).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('502') });
    },
  );

  it.for(ways)('a service too slow for nginx makes no more duplicates than told: $name', async (way, context) => {
    const proxied = await start(way, context, { nginx: { server: 'proxy_read_timeout 1s;' }, options: QUICK });
    // The first record has the stream created.
    await logMany(proxied.logger, 1);
    await proxied.logger.flush();
    await proxied.cloud.faults({ delayMs: [2000, 2000] });
    await logMany(proxied.logger, 200, { from: 1 });
    await context.expect.poll(() => countOf(proxied.nginx, 504)).toBeGreaterThan(0);
    await proxied.cloud.faults();
    const { stats, repeated } = await end(proxied, 201);
    expect(repeated).toBeGreaterThan(0);
    expect(stats.ambiguous).toBe(await countOf(proxied.nginx, 504));
    expect(stats.lastError).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('504') });
  });

  it.for(ways)('no record is lost when nginx reloads and restarts: $name', async (way, context) => {
    const proxied = await start(way, context, { options: QUICK });
    const { nginx, logger } = proxied;
    const flow = logOn(logger);
    for (const interrupt of [nginx.reload, nginx.restart, nginx.reload, nginx.restart]) {
      const before = (await nginx.requests()).length;
      await context.expect.poll(async () => (await nginx.requests()).length).toBeGreaterThan(before + 5);
      await interrupt();
    }
    await end(proxied, await flow.stop());
  });

  it.for(ways)(
    'no record is lost when nginx closes connections that are idle or have served enough: $name',
    async (way, context) => {
      const closing = 'keepalive_timeout 1s; keepalive_requests 3;';
      const proxied = await start(way, context, { nginx: { server: closing }, options: { ...QUICK, maxDelayMs: 0 } });
      for (let id = 0; id < 4; id++) {
        proxied.logger.log('info', 'a record', { id });
        await delay(1000);
      }
      await end(proxied, 4);
      const connections = (await proxied.nginx.requests()).map(({ connection }) => connection);
      expect(new Set(connections).size).toBeGreaterThan(1);
    },
  );

  it.for(ways)('nginx compresses no response, since the client asks for none: $name', async (way, context) => {
    const types = 'application/json application/x-amz-json-1.1 application/x-ndjson';
    const directives = { http: `gzip_types ${types}; gzip_min_length 0; gzip_proxied any;` };
    const proxied = await start(way, context, { nginx: directives, options: QUICK });
    await logMany(proxied.logger, 100);
    await end(proxied, 100);
    const requests = await proxied.nginx.requests();
    expect(new Set(requests.map(({ encoding }) => encoding))).toEqual(new Set(['-']));
    const response = await fetch(proxied.nginx.urls.http, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    await response.text();
  });

  const limits = [
    { status: 503, code: 'UNAVAILABLE' },
    { status: 429, code: 'THROTTLED' },
  ] as const;
  describe.each(limits)('that refuses with $status', ({ status, code }) => {
    it.for(ways)('too many requests a second, all records arrive: $name', async (way, context) => {
      const http = `limit_req_zone $binary_remote_addr zone=rate:1m rate=10r/s; limit_req_status ${status};`;
      const nginx = { http, server: 'limit_req zone=rate burst=5 nodelay;' };
      const proxied = await start(way, context, { nginx, options: { ...QUICK, maxBatchEvents: 25 } });
      await logMany(proxied.logger, 500);
      await expectThrottled(proxied, status, code);
    });

    it.for(ways)('too many connections, all records arrive: $name', async (way, context) => {
      const http = `limit_conn_zone $binary_remote_addr zone=connections:1m; limit_conn_status ${status};`;
      const nginx = { http, server: 'limit_conn connections 1;' };
      const proxied = await start(way, context, { nginx, options: QUICK });
      const free = await occupy(proxied.nginx);
      await logMany(proxied.logger, 500);
      await context.expect.poll(() => countOf(proxied.nginx, status)).toBeGreaterThan(2);
      free();
      await expectThrottled(proxied, status, code);
    });
  });
});

/** Texts of 4,000 random bytes, so that no compression makes them smaller: 8 MB. */
const texts: readonly string[] = Array.from({ length: 2000 }, () => randomBytes(3000).toString('base64'));

/** Starts a service, an nginx and a logger, for one test. */
async function start(
  { host, cloud: kind }: Way,
  { onTestFinished }: TestContext,
  settings: { readonly nginx?: Directives; readonly scheme?: 'http' | 'https'; readonly options: DeliveryOptions },
): Promise<Proxied> {
  const cloud = await kind.start();
  onTestFinished(() => cloud.close());
  const nginx = await startNginx(cloud.port, settings.nginx);
  onTestFinished(() => nginx.stop());
  const endpoint = nginx.urls[settings.scheme ?? 'http'];
  const options = { ...cloud.options, endpoint, ...settings.options };
  return { logger: await host.start(kind.name, options), nginx, cloud };
}

/** Logs records with ids from 0 on. */
async function logMany(
  logger: RunningHost,
  count: number,
  { from = 0, text = (_id: number): string => 'a record' } = {},
): Promise<void> {
  for (let id = from; id < from + count; id++) {
    logger.log('info', text(id), { id });
    if (id % 200 === 199) await nextTurn();
  }
}

/** Logs a record every few milliseconds. */
function logOn(logger: RunningHost): { stop(): Promise<number> } {
  let isOn = true;
  const count = (async () => {
    for (let id = 0; ; id++) {
      if (!isOn) return id;
      logger.log('info', 'a record', { id });
      await delay(3);
    }
  })();
  return {
    stop() {
      isOn = false;
      return count;
    },
  };
}

/**
 * Ends the logger. Checks that no record is lost, and that each request of which something was stored again is one that
 * `stats().ambiguous` counts. `repeated` is the number of such requests.
 */
async function end(
  { logger, cloud }: Proxied,
  count: number,
): Promise<{ readonly stats: DeliveryStats; readonly repeated: number }> {
  await logger.flush();
  const stats = await logger.stats();
  await logger.end();
  assertBalanced(stats);
  expect(stats).toMatchObject({ received: count, delivered: count });
  const stored = new Set<number>();
  let repeated = 0;
  for (const batch of (await cloud.batches()).toReversed()) {
    const ids = batch.map(({ id }) => Number(id));
    if (ids.some((id) => stored.has(id))) repeated++;
    for (const id of ids) stored.add(id);
  }
  expect(stored.size).toBe(count);
  expect(repeated).toBeLessThanOrEqual(stats.ambiguous);
  expect((await cloud.stats()).violations).toEqual([]);
  return { stats, repeated };
}

/** Ends the logger. Checks that nginx refused requests with this status, and that the transport counts them under this code. */
async function expectThrottled(proxied: Proxied, status: number, code: DeliveryCode): Promise<void> {
  const { stats, repeated } = await end(proxied, 500);
  const refused = await countOf(proxied.nginx, status);
  expect(refused).toBeGreaterThan(0);
  // Several batches may wait for one request that creates their stream.
  expect(stats.retries[code]).toBeGreaterThanOrEqual(refused);
  expect(repeated).toBe(0);
}

/** Begins a request that nginx waits for. Returns a function that gives it up. */
async function occupy(nginx: Nginx): Promise<() => void> {
  const { hostname, port } = new URL(nginx.urls.http);
  const socket = connect(Number(port), hostname);
  socket.write(`POST / HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 1\r\n\r\n`);
  await once(socket, 'connect');
  return () => socket.destroy();
}

async function countOf(nginx: Nginx, status: number): Promise<number> {
  return (await nginx.requests()).filter((request) => request.status === status).length;
}
