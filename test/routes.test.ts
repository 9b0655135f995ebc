import { assertBalanced } from '@logferry/core';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { afterEach, beforeEach, expect, it } from 'vitest';
import winston from 'winston';
import { shipTo } from './support/clouds.js';

/** A level for each route: the stream is named after it. */
const ROUTES = Array.from({ length: 50 }, (_, index) => `route-${index}`);
const BAD = 'route-7';
const GOOD = ROUTES.filter((route) => route !== BAD);
const ROUNDS = 20;
/** A request that hangs holds its slot longer than the test waits for the others. */
const REQUEST_TIMEOUT_MS = 20_000;
const PATIENCE_MS = 15_000;

let cloud: CloudWatchEmulator;
beforeEach(async () => {
  cloud = await startCloudWatch({ strict: true });
});
afterEach(() => cloud.close());

function start(): { readonly transport: CloudWatchTransport; logRounds(from: number): void; end(): Promise<unknown> } {
  const transport = new CloudWatchTransport({
    ...shipTo(cloud),
    logStreamName: '{level}',
    ordered: true,
    maxDelayMs: 50,
    maxBatchEvents: 7,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    retry: { baseMs: 20, capMs: 200 },
    onError() {},
  });
  const levels = Object.fromEntries(ROUTES.map((route, rank) => [route, rank]));
  const logger = winston.createLogger({ levels, level: ROUTES.at(-1) ?? '', transports: [transport] });
  return {
    transport,
    logRounds(from) {
      for (let round = from; round < from + ROUNDS; round++) {
        for (const route of ROUTES) logger.log(route, String(round));
      }
    },
    end: () => transport.close(),
  };
}

/** The messages of each stream, in order of arrival. */
function arrivals(routes: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    routes.map((route) => [
      route,
      cloud.events({ logStreamName: route }).map(({ message }) => JSON.parse(message).message),
    ]),
  );
}

/** All rounds so far, in order. */
function complete(routes: readonly string[], rounds: number): Record<string, string[]> {
  const inOrder = Array.from({ length: rounds }, (_, round) => String(round));
  return Object.fromEntries(routes.map((route) => [route, inOrder]));
}

it('one route of 50 that fails, and then hangs, does not delay the others', async () => {
  const where = { logStreamName: BAD };
  const { transport, logRounds, end } = start();
  const refused = (): number => cloud.stats().faults.serverError ?? 0;
  const hung = (): number => cloud.stats().faults.hang ?? 0;

  cloud.faults({ serverError: 1, where });
  logRounds(0);
  await expect.poll(() => arrivals(GOOD), { timeout: PATIENCE_MS }).toEqual(complete(GOOD, ROUNDS));
  expect(refused()).toBeGreaterThan(0);
  await expect.poll(() => transport.stats()).toMatchObject({ delivered: GOOD.length * ROUNDS, pending: ROUNDS });

  // It continues to fail alone. That must not count as an outage for the records that follow.
  const before = refused();
  await expect.poll(refused, { timeout: PATIENCE_MS }).toBeGreaterThan(before + 5);
  cloud.faults({ hang: 1, where });
  await expect.poll(hung, { timeout: PATIENCE_MS }).toBe(1);
  logRounds(ROUNDS);
  await expect.poll(() => arrivals(GOOD), { timeout: PATIENCE_MS }).toEqual(complete(GOOD, 2 * ROUNDS));
  await expect.poll(() => transport.stats()).toMatchObject({ pending: 2 * ROUNDS, inFlight: 1 });
  expect(arrivals([BAD])).toEqual({ [BAD]: [] });
  assertBalanced(transport.stats());

  cloud.faults();
  await transport.flush();
  expect(arrivals(ROUTES)).toEqual(complete(ROUTES, 2 * ROUNDS));
  await end();
});
