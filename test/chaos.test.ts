import { setInterval as every } from 'node:timers/promises';
import type { DeliveryStats } from '@logferry/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installJumpingClock, type JumpingClock } from './chaos/jumping-clock.js';
import { type Account, Traffic } from './chaos/traffic.js';
import { clockOffsetsMs, storm } from './chaos/weather.js';
import { ways } from './support/ways.js';

const { LOGFERRY_SEED: seed = '20261122', LOGFERRY_CHAOS_ROUNDS: rounds = '1' } = process.env;
const SEED = Number(seed);
const ROUNDS = Number(rounds);

const RECORDS_PER_SECOND = 300;
const SAMPLE_MS = 500;
const STORMS_MS = [11_000, 6000] as const;
const MAX_DELAY_MS = 500;
const OUTAGE_MS = 30_000;
/** An outage fills the buffer, and outlasts the age of a record. */
const MAX_BUFFER_BYTES = 2_000_000;
const MAX_AGE_MS = 8000;
/** After this part of an outage every earlier request has ended, and the shipper sends single probes. */
const OUTAGE_GRACE_MS = 6000;

/** Events that have to happen, or the test proves nothing. */
const seen = {
  'clock jumps forward': 0,
  'clock jumps backward': 0,
  'outages without a success': 0,
  'batches throttled': 0,
  'batches refused with a server error': 0,
  'connections reset': 0,
  'attempts that took too long': 0,
  'batches repeated after a lost acknowledgement': 0,
  'ways that lost no failed batch': 0,
  'records dropped for lack of room': 0,
  'records dropped for their age': 0,
};

let traffics: readonly Traffic[];
let clock: JumpingClock;
let ticker: NodeJS.Timeout;
const offsetsMs = clockOffsetsMs(SEED);
let offsetMs = 0;

beforeAll(async () => {
  traffics = await Promise.all(
    ways.map((way, index) =>
      Traffic.start(way, {
        maxDelayMs: MAX_DELAY_MS,
        maxBatchEvents: 100,
        maxBufferBytes: MAX_BUFFER_BYTES,
        overflow: index % 2 === 0 ? 'drop-newest' : 'drop-oldest',
        ordered: index % 3 === 0,
        requestTimeoutMs: 1500,
        retry: { baseMs: 50, throttledBaseMs: 100, capMs: 1000, ...(index % 4 === 3 && { maxAgeMs: MAX_AGE_MS }) },
        closeTimeoutMs: 60_000,
      }),
    ),
  );
  clock = installJumpingClock();
});
afterAll(async () => {
  clearInterval(ticker);
  clock.restore();
  await Promise.all(traffics.map((traffic) => traffic.end()));
});

it(
  `delivers or reports every record in chaos, and delivers after it (LOGFERRY_SEED=${SEED})`,
  async () => {
    const startMs = performance.now();
    ticker = setInterval(() => {
      const due = Math.floor(((performance.now() - startMs) / 1000) * RECORDS_PER_SECOND);
      for (const traffic of traffics) traffic.logUpTo(due);
    }, 20);

    for (let round = 0; round < ROUNDS; round++) {
      await inStorm(STORMS_MS[0], SEED + 100 * round);
      await inOutage();
      await inCalm(4000);
      await inStorm(STORMS_MS[1], SEED + 100 * round + 50);
    }

    clearInterval(ticker);
    await Promise.all(traffics.map(({ cloud }) => cloud.faults()));
    await Promise.all(traffics.map((traffic) => traffic.flush()));
    for (const traffic of traffics) {
      await traffic.expectNoViolation();
      take(await traffic.account());
    }
    for (const [state, count] of Object.entries(seen)) expect(count, state).toBeGreaterThan(0);
    await Promise.all(traffics.map((traffic) => traffic.expectFreshRecordToArrive()));
  },
  120_000 * ROUNDS + 60_000,
);

/** A third of all requests meet a fault. */
async function inStorm(durationMs: number, stormSeed: number): Promise<void> {
  await Promise.all(
    traffics.map(({ cloud, way }, index) => cloud.faults({ next: storm(way.cloud.name, stormSeed + index) })),
  );
  await sampling(durationMs, 2000);
}

/** Every second way gets resets, the others get no response. Few probes are sent. */
async function inOutage(): Promise<void> {
  await Promise.all(traffics.map(({ cloud }, index) => cloud.faults(index % 2 === 0 ? { down: true } : { hang: 1 })));
  await sampling(OUTAGE_GRACE_MS, 3000);
  const before = await Promise.all(traffics.map(({ cloud }) => cloud.dataRequests()));
  const delivered = await Promise.all(traffics.map(async (traffic) => (await traffic.sample()).delivered));
  await sampling(OUTAGE_MS - OUTAGE_GRACE_MS, 3000, ({ inFlight }, name) => {
    expect(inFlight, name).toBeLessThanOrEqual(1);
  });
  for (const [index, traffic] of traffics.entries()) {
    const requests = (await traffic.cloud.dataRequests()) - (before[index] ?? 0);
    expect(requests, traffic.name).toBeGreaterThan(3);
    expect(requests, traffic.name).toBeLessThan(120);
    expect((await traffic.sample()).delivered, traffic.name).toBe(delivered[index]);
    seen['outages without a success']++;
  }
}

/** Only the clock is wrong. A jump neither stops delivery nor multiplies requests. */
async function inCalm(durationMs: number): Promise<void> {
  const jumpEveryMs = 500;
  await Promise.all(traffics.map(({ cloud }) => cloud.faults()));
  await Promise.all(traffics.map((traffic) => traffic.flush()));
  const before = await Promise.all(traffics.map((traffic) => traffic.sample()));
  await sampling(durationMs, jumpEveryMs);
  for (const [index, traffic] of traffics.entries()) {
    const { requests, delivered } = await traffic.sample();
    const { requests: requestsBefore = 0, delivered: deliveredBefore = 0 } = before[index] ?? {};
    expect(delivered - deliveredBefore, traffic.name).toBeGreaterThan((RECORDS_PER_SECOND * durationMs) / 1000 / 4);
    // Each of three routes makes a batch in that time, and each jump invalidates the signatures once. The limit is twice that.
    const expected = 3 * (durationMs / MAX_DELAY_MS + durationMs / jumpEveryMs);
    expect(requests - requestsBefore, traffic.name).toBeLessThan(2 * expected);
  }
}

/** Waits, with jumps of the wall clock. The ledger adds up at every sample. */
async function sampling(
  durationMs: number,
  jumpEveryMs: number,
  check: (stats: DeliveryStats, name: string) => void = () => {},
): Promise<void> {
  const endMs = performance.now() + durationMs;
  let nextJumpMs = performance.now() + jumpEveryMs;
  for await (const _ of every(SAMPLE_MS)) {
    for (const traffic of traffics) check(await traffic.sample(), traffic.name);
    const nowMs = performance.now();
    if (nowMs >= nextJumpMs) {
      nextJumpMs += jumpEveryMs;
      jump();
    }
    if (nowMs >= endMs) return;
  }
}

function jump(): void {
  const nextMs = offsetsMs.shift() ?? 0;
  seen[nextMs > offsetMs ? 'clock jumps forward' : 'clock jumps backward']++;
  offsetMs = nextMs;
  clock.jumpTo(offsetMs);
}

function take({ stats, faults, repeatedBatches }: Account): void {
  const { retries, dropped } = stats;
  seen['batches throttled'] += retries.THROTTLED ?? 0;
  seen['batches refused with a server error'] += retries.UNAVAILABLE ?? 0;
  seen['connections reset'] += Math.min((retries.NETWORK ?? 0) + (retries.AGAIN ?? 0), faults.reset ?? 0);
  seen['attempts that took too long'] += retries.TIMEOUT ?? 0;
  seen['batches repeated after a lost acknowledgement'] += repeatedBatches;
  seen['records dropped for lack of room'] += dropped['buffer-full'];
  seen['records dropped for their age'] += dropped.expired;
  if (dropped.expired === 0 && (retries.THROTTLED ?? 0) > 0) seen['ways that lost no failed batch']++;
}
