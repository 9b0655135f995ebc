import { setImmediate as nextTurn } from 'node:timers/promises';
import { assertBalanced } from '@logferry/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Cloud, EventTime, RunningCloud } from './support/clouds.js';
import type { RunningHost } from './support/hosts.js';
import { waysInTurns } from './support/ways.js';

/** Makes records of about 230 bytes, with the fields of the frameworks. */
const PADDING = 'x'.repeat(110);
const BURST = 50_000;
const UNDER_FAULTS = 30_000;

vi.setConfig({ maxConcurrency: waysInTurns.length });

describe.each(waysInTurns)('under load, $name', ({ host, cloud: kind }) => {
  let cloud: RunningCloud;
  beforeEach(async () => {
    cloud = await kind.start();
  });
  afterEach(async () => {
    await cloud.close();
  });

  it('delivers a burst of records, each once, with default options', async () => {
    const logger = await host.start(kind.name, cloud.options);
    const loggedAt = await burst(logger, BURST, 200);
    await logger.flush();
    const stats = await logger.stats();
    assertBalanced(stats);
    expect(stats).toMatchObject({ received: BURST, delivered: BURST });
    await logger.end();
    await expectEachOnce(cloud, kind, BURST);
    await expectInOrder(cloud);
    await expectTimes(cloud, loggedAt);
  });

  it('delivers 15,000 tiny records logged in one turn, in requests within the limit of the service', async () => {
    const logger = await host.start(kind.name, cloud.options);
    await burst(logger, 15_000, Number.POSITIVE_INFINITY);
    await logger.end();
    await expectEachOnce(cloud, kind, 15_000);
  });
});

// These tests mostly wait, so all ways run at once.
describe.concurrent('under faults', () => {
  it.for(waysInTurns)(
    'delivers every record with 30 % throttling, 20 % server errors and 10 % resets, $name',
    async ({ host, cloud: kind }, { onTestFinished }) => {
      const cloud = await kind.start();
      onTestFinished(() => cloud.close());
      const isCloudWatch = kind.name === 'cloudwatch';
      await cloud.faults({
        [isCloudWatch ? 'throttle' : 'quota']: 0.3,
        [isCloudWatch ? 'serverError' : 'busy']: 0.2,
        reset: 0.1,
      });
      const retry = { baseMs: 50, throttledBaseMs: 100, capMs: 1000 };
      const options = { ...cloud.options, maxBatchEvents: 500, retry, closeTimeoutMs: 60_000 };
      const logger = await host.start(kind.name, options);
      await burst(logger, UNDER_FAULTS, 200);
      await logger.flush();
      const stats = await logger.stats();
      assertBalanced(stats);
      expect(stats).toMatchObject({ received: UNDER_FAULTS, delivered: UNDER_FAULTS });
      expect(stats.retries.THROTTLED).toBeGreaterThan(5);
      expect(stats.retries.UNAVAILABLE).toBeGreaterThan(5);
      // On a connection that was used before, a reset is repeated at once.
      const { NETWORK = 0, AGAIN = 0 } = stats.retries;
      expect(NETWORK + AGAIN).toBeGreaterThan(2);
      await logger.end();
      await expectEachOnce(cloud, kind, UNDER_FAULTS);
      await expectInOrder(cloud);
    },
  );
});

/** Returns the times before and after each log call. */
async function burst(logger: RunningHost, count: number, perTurn: number): Promise<(readonly [number, number])[]> {
  const loggedAt: (readonly [number, number])[] = [];
  for (let id = 0; id < count; id++) {
    const before = Date.now();
    logger.log('info', PADDING, { id });
    loggedAt.push([before, Date.now()]);
    if (id % perTurn === perTurn - 1) await nextTurn();
  }
  return loggedAt;
}

/** Checks that each record is stored once. */
async function expectEachOnce(cloud: RunningCloud, { maxEvents }: Cloud, count: number): Promise<void> {
  const ids = (await cloud.records()).map((record) => Number(record.id));
  expect(ids).toHaveLength(count);
  expect(new Set(ids).size).toBe(count);
  const { violations, largestBatch } = await cloud.stats();
  expect(violations).toEqual([]);
  expect(largestBatch.events).toBeLessThanOrEqual(maxEvents);
}

/** Checks that the records are in order of acceptance when they are read back by time, and by arrival where that is the same. */
async function expectInOrder(cloud: RunningCloud): Promise<void> {
  const times = await cloud.times();
  const records = (await cloud.records()).map(({ id }, index) => ({ id: Number(id), time: times[index] as EventTime }));
  const ids = records.sort((a, b) => a.time.ms - b.time.ms || a.time.order - b.time.order).map(({ id }) => id);
  expect(ids.filter((id, index) => id < (ids[index - 1] ?? 0))).toEqual([]);
}

/** Checks that the time of each record is that of its log call, to the millisecond. */
async function expectTimes(cloud: RunningCloud, loggedAt: readonly (readonly [number, number])[]): Promise<void> {
  const times = await cloud.times();
  const wrong = (await cloud.records()).filter(({ id }, index) => {
    const [before = 0, after = 0] = loggedAt[Number(id)] ?? [];
    const ms = times[index]?.ms ?? Number.NaN;
    return !(ms >= before && ms <= after);
  });
  expect(wrong).toEqual([]);
}
