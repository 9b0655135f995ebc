import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { assertBalanced, type DeliveryStats } from '@logferry/core';
import { expect, it } from 'vitest';
import { clouds, type RunningCloud } from './support/clouds.js';

const { LOGFERRY_SOAK_MINUTES: minutes } = process.env;
const DOWN_SECONDS = minutes === undefined ? 50 : Number(minutes) * 60;
/** The budget is full after 20 s. */
const MAX_BUFFER_BYTES = 36 * 1024 * 1024;
const MAX_HEAP_MIB = 128;
const CHILD = fileURLToPath(new URL('soak/child.js', import.meta.url));
const MIB = 1024 * 1024;

/** The message of the application each second; memory in bytes. */
interface Sample {
  readonly seconds: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly received: number;
  readonly pending: number;
  readonly dropped: number;
}

/** The last message of the application. */
interface Result {
  readonly issued: number;
  /** By id: the number of reports that the record is lost. */
  readonly lost: Uint8Array;
  /** Number of reported losses that name no record. */
  readonly unnamed: number;
  readonly stats: DeliveryStats;
}

/** The beginning and the end of an outage. */
interface Outage {
  begin(cloud: RunningCloud): Promise<void>;
  end(cloud: RunningCloud): Promise<RunningCloud>;
}

const [cloudWatch] = clouds as readonly [(typeof clouds)[number]];

const refusing: Outage = {
  begin: (cloud) => cloud.close(),
  end: ({ port }) => cloudWatch.start(port),
};

const hanging: Outage = {
  begin: (cloud) => cloud.faults({ hang: 1 }),
  async end(cloud) {
    await cloud.faults();
    return cloud;
  },
};

const soaks = [
  { framework: 'winston', away: 'refuses connections', outage: refusing, overflow: 'drop-newest' },
  { framework: 'bunyan', away: 'never responds', outage: hanging, overflow: 'drop-oldest' },
];

// The second runs only in a long soak, concurrently with the first.
it.concurrent.each(minutes === undefined ? soaks.slice(0, 1) : soaks)(
  `$framework at 5,000 records/s keeps its memory flat while the service $away, and then delivers the kept records ($overflow)`,
  async ({ framework, outage, overflow }) => {
    const down = await cloudWatch.start();
    await outage.begin(down);
    const child = fork(
      CHILD,
      [JSON.stringify({ framework, options: { ...down.options, overflow, maxBufferBytes: MAX_BUFFER_BYTES } })],
      {
        execArgv: [`--max-old-space-size=${MAX_HEAP_MIB}`],
        serialization: 'advanced',
      },
    );
    const ended = once(child, 'exit');
    const samples = await samplesOf(child);
    if (minutes !== undefined) print(framework, samples);
    expectFlatMemory(samples);

    const cloud = await outage.end(down);
    child.send('the service is back');
    const { issued, lost, unnamed, stats } = await resultOf(child);
    expect(await ended).toEqual([0, null]);
    assertBalanced(stats);
    expect(stats).toMatchObject({ received: issued, pending: 0, rejected: 0 });
    expect(stats.delivered).toBeGreaterThan(80_000);
    const records = await cloud.records();
    const delivered = new Set(records.map(({ message, msg }) => idOf(String(message ?? msg))));
    // The notice of the losses has no id.
    expect(delivered.delete(Number.NaN)).toBe(true);
    expect(delivered.size).toBe(stats.delivered);
    const ids = Array.from({ length: issued }, (_, id) => id);
    expect(ids.filter((id) => (lost[id] as number) > (delivered.has(id) ? 0 : 1))).toEqual([]);
    expect(ids.filter((id) => lost[id] === 0 && !delivered.has(id))).toHaveLength(unnamed);
    await cloud.close();
  },
  DOWN_SECONDS * 1000 + 240_000,
);

async function samplesOf(child: ChildProcess): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for await (const [sample] of on(child, 'message', { close: ['exit'] }) as AsyncIterable<[Sample]>) {
    samples.push(sample);
    if (sample.seconds >= DOWN_SECONDS) break;
  }
  return samples;
}

async function resultOf(child: ChildProcess): Promise<Result> {
  for await (const [message] of on(child, 'message', { close: ['exit'] }) as AsyncIterable<[Result]>) {
    if (message.stats) return message;
  }
  throw new Error('the application ended without a result');
}

/** Compares memory while the budget is full, which is from the first loss on. */
function expectFlatMemory(samples: readonly Sample[]): void {
  const full = samples.filter(({ dropped }) => dropped > 0);
  const third = Math.floor(full.length / 3);
  expect(samples.at(-1)?.seconds).toBeGreaterThanOrEqual(DOWN_SECONDS);
  expect(third).toBeGreaterThanOrEqual(3);
  const before = median(full.slice(0, third));
  const after = median(full.slice(-third));
  expect(after).toBeLessThan(before * 1.1);
}

function median(samples: readonly Sample[]): number {
  const sorted = samples.map(({ rss }) => rss).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function idOf(text: string): number {
  return Number(/#(\d+)#/.exec(text)?.[1]);
}

/** Prints about 60 lines for a soak of any length. */
function print(framework: string, samples: readonly Sample[]): void {
  const step = Math.ceil(samples.length / 60);
  console.table(
    samples
      .filter((_, index) => index % step === 0)
      .map(({ seconds, rss, heapUsed, pending, dropped }) => ({
        framework,
        't (s)': Math.round(seconds),
        'RSS (MiB)': Math.round(rss / MIB),
        'heap (MiB)': Math.round(heapUsed / MIB),
        pending,
        dropped,
      })),
  );
}
