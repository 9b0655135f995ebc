import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { assertBalanced, type DeliveryStats } from '@logferry/core';
import { expect, it, onTestFinished } from 'vitest';
import { clouds } from '../support/clouds.js';

const CHILD = fileURLToPath(new URL('outage-child.js', import.meta.url));
const OUTAGE_MS = 60_000;
const MAX_BUFFER_BYTES = 8 * 1024 * 1024;
/** From then on memory is compared. */
const SETTLED_AFTER_MS = 10_000;
const CATCH_UP_MS = 120_000;
const MAX_GROWTH_BYTES = 30e6;

/** The message of the application each second. */
interface Sample {
  readonly rss: number;
  readonly stats: DeliveryStats;
  /** Number of records that were logged; with the last message only. */
  readonly issued?: number;
}

const [cloudWatch] = clouds as readonly [(typeof clouds)[number]];

it(
  'an outage costs disk, and neither memory nor records: with a journal all arrive soon after it, while new ones go on',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'logferry-outage-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const cloud = await cloudWatch.start();
    const options = { ...cloud.options, maxBufferBytes: MAX_BUFFER_BYTES, spool: { directory } };
    const child = fork(CHILD, [JSON.stringify(options)], { serialization: 'advanced' });
    const ended = once(child, 'exit');
    const samples = watch(child);
    await samples.until(({ stats }) => stats.delivered > 0);
    await cloud.faults({ down: true });

    const startMs = performance.now();
    await sleep(SETTLED_AFTER_MS);
    const first = samples.count();
    await sleep(startMs + OUTAGE_MS - performance.now());
    const sizes = samples.from(first).map(({ rss }) => rss);
    const { stats: during } = samples.last();
    assertBalanced(during);
    expect(during.spooled).toBeGreaterThan(0);

    await cloud.faults();
    const endMs = performance.now();
    await samples.until(({ stats: { spooled, pending } }) => spooled === 0 && pending < 15_000);
    const tookMs = performance.now() - endMs;
    child.send('stop');
    const { issued = 0, stats } = await samples.until((sample) => sample.issued !== undefined);
    expect(await ended).toEqual([0, null]);
    assertBalanced(stats);
    expect(stats).toMatchObject({ received: issued, delivered: issued, spooled: 0, pending: 0 });
    const ids = new Set((await cloud.records()).map(({ message }) => idOf(String(message))));
    expect(ids.size).toBe(issued);
    process.stderr.write(
      `caught up in ${Math.round(tookMs / 1000)} s; RSS during the outage ${Math.round(Math.min(...sizes) / 1e6)} to ${Math.round(Math.max(...sizes) / 1e6)} MB\n`,
    );
    await cloud.close();
    expect(tookMs).toBeLessThan(CATCH_UP_MS);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(MAX_GROWTH_BYTES);
  },
  OUTAGE_MS + CATCH_UP_MS + 60_000,
);

function watch(child: ChildProcess) {
  const samples: Sample[] = [];
  const incoming = on(child, 'message', { close: ['exit'] }) as AsyncIterator<[Sample]>;
  let next: Promise<void>;
  const read = async (): Promise<void> => {
    const { value, done } = await incoming.next();
    if (done) throw new Error('the application ended too soon');
    samples.push(value[0]);
    next = read();
    next.catch(() => {});
  };
  next = read();
  next.catch(() => {});
  return {
    count: () => samples.length,
    from: (index: number) => samples.slice(index),
    last: () => samples.at(-1) as Sample,
    async until(isReached: (sample: Sample) => boolean): Promise<Sample> {
      for (let from = samples.length; ; await next) {
        const found = samples.slice(from).find(isReached);
        if (found) return found;
        from = samples.length;
      }
    },
  };
}

function idOf(text: string): number {
  return Number(/#(\d+)#/.exec(text)?.[1]);
}
