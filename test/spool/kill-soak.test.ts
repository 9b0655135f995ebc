import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DeliveryStats } from '@logferry/core';
import { expect, it, onTestFinished } from 'vitest';
import { full } from '../../forms.js';
import { type Cloud, clouds, type RunningCloud } from '../support/clouds.js';

const CHILD = fileURLToPath(new URL('kill-soak-child.js', import.meta.url));
const ROUNDS = Number(process.env.LOGFERRY_KILL_ROUNDS ?? 30);

const WAYS = [
  { host: 'winston', thread: false },
  { host: 'bunyan', thread: true },
  { host: 'pino', thread: false },
  { host: 'winston', thread: true },
  { host: 'bunyan', thread: false },
  { host: 'pino', thread: true },
] as const;

/** Faults of the service, in turns. None of them stores records and then says that it failed. */
const FAULTS = [
  {},
  { throttle: 0.3 },
  { serverError: 0.3 },
  { reset: 0.3 },
  { hang: 1 },
  { delayMs: [20, 300] as const },
];

/** What a process that recovers reports. */
interface Recovery extends Pick<DeliveryStats, 'recovered' | 'spooled' | 'pending' | 'replayed' | 'dropped'> {
  readonly damaged: number;
}

interface Round {
  readonly name: string;
  readonly cloud: Cloud['name'];
  readonly thread: boolean;
  /** Records that the process told as accepted: in a thread only handed over. */
  readonly issued: number;
  /** None where the next process of the same way recovers, which is killed as well. */
  readonly recovery: Recovery | undefined;
}

it.runIf(full)(
  `${ROUNDS} processes are killed at random moments, and no accepted record is lost`,
  async () => {
    const running = new Map<string, RunningCloud>();
    for (const cloud of clouds) running.set(cloud.name, await cloud.start());
    const directory = mkdtempSync(join(tmpdir(), 'logferry-kill-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const cloud = clouds[round % 2] as Cloud;
      const way = WAYS[(round >> 1) % WAYS.length] as (typeof WAYS)[number];
      const service = running.get(cloud.name) as RunningCloud;
      const options = {
        ...service.options,
        // Some overflow to disk. In a thread the budget also limits what is on the way to it.
        maxBufferBytes: !way.thread && round % 3 === 0 ? 64 * 1024 : 8 * 1024 * 1024,
        maxDelayMs: 20,
        retry: { baseMs: 10, throttledBaseMs: 10, capMs: 100 },
        spool: { directory: join(directory, `${way.host}-${way.thread}`) },
        ...(cloud.name === 'cloudwatch' && { logStreamName: 'kill' }),
      };
      const plan = { ...way, cloud: cloud.name, round, options };
      await service.faults(FAULTS[round % FAULTS.length]);
      const issued = await kill(plan);
      await service.faults();
      const isLast = ROUNDS - round <= 2 * WAYS.length;
      const recovery = round % 5 < 4 || isLast ? await recover(plan) : undefined;
      rounds.push({
        name: `round ${round}, ${way.host}${way.thread ? ' in a thread' : ''}, ${cloud.name}`,
        cloud: cloud.name,
        thread: way.thread,
        issued,
        recovery,
      });
    }
    const stored = new Map<string, number[]>();
    for (const [name, service] of running) {
      for (const record of await service.records()) {
        const [, round, id] = /#(\d+):(\d+)#/.exec(String(record.message ?? record.msg)) ?? [];
        if (round !== undefined) stored.set(`${round}`, [...(stored.get(round) ?? []), Number(id)]);
      }
      expect(name).toBeDefined();
      await service.close();
    }
    let duplicates = 0;
    let recovered = 0;
    rounds.forEach(({ name, thread, issued, recovery }, round) => {
      const ids = stored.get(String(round)) ?? [];
      const unique = new Set(ids);
      const highest = Math.max(-1, ...unique);
      // In a thread, accepted is what reached the worker, in order.
      const accepted = thread ? highest + 1 : issued;
      const missing = Array.from({ length: accepted }, (_, id) => id).filter((id) => !unique.has(id));
      expect(
        missing.length,
        `${name}: accepted records that are missing, of ${accepted}, the first ${missing[0]}, ${JSON.stringify(recovery)}`,
      ).toBe(0);
      duplicates += ids.length - unique.size;
      if (!recovery) return;
      recovered += recovery.recovered;
      expect(recovery, name).toMatchObject({ spooled: 0, pending: 0, damaged: 0 });
      expect(
        Object.values(recovery.dropped).reduce((sum, count) => sum + count),
        name,
      ).toBe(0);
      const isOwn = rounds[round - 12]?.recovery !== undefined || round < 12;
      if (isOwn)
        expect(ids.length - unique.size, `${name}: duplicates`).toBeLessThanOrEqual(recovery.replayed.ambiguous);
    });
    expect(recovered).toBeGreaterThan(ROUNDS);
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) expect(name).not.toMatch(/\.v1/);
    process.stderr.write(
      `${ROUNDS} kills: ${rounds.reduce((sum, { issued }) => sum + issued, 0)} records, ${recovered} recovered, ${duplicates} duplicates, 0 lost\n`,
    );
  },
  ROUNDS * 20_000,
);

interface Plan {
  readonly round: number;
  readonly options: object;
}

/** Runs a process and kills it. Returns the number of records that it had told as accepted. */
async function kill(plan: Plan): Promise<number> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = text(child.stdout);
  await once(child.stdout, 'data');
  await sleep(Math.random() * 600);
  child.kill('SIGKILL');
  const lines = (await output).split('\n');
  return Number(lines.at(-2));
}

async function recover(plan: Plan): Promise<Recovery> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify({ ...plan, recovers: true })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await text(child.stdout));
}
