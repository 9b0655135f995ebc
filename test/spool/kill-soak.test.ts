import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DeliveryStats } from '@logferry/core';
import { expect, it, onTestFinished } from 'vitest';
import { type Cloud, clouds, type RunningCloud, signedLogService } from '../support/clouds.js';

const CHILD = fileURLToPath(new URL('kill-soak-child.js', import.meta.url));
const ROUNDS = Number(process.env.LOGFERRY_KILL_ROUNDS ?? 30);

/** Rounds with the same services and directories: their records are compared at the end. */
const BLOCK = 60;

/** Most records of a burst, after which a process tells what it has logged. */
const MAX_BURST = 97;

const WAYS = [
  { host: 'winston', thread: false },
  { host: 'bunyan', thread: true },
  { host: 'pino', thread: false },
  { host: 'winston', thread: true },
  { host: 'bunyan', thread: false },
  { host: 'pino', thread: true },
] as const;

type Way = (typeof WAYS)[number];

/** Faults of the service, in turns. None of them stores records and then says that it failed. */
const FAULTS = [
  {},
  { throttle: 0.3 },
  { serverError: 0.3 },
  { reset: 0.3 },
  { hang: 1 },
  { delayMs: [20, 300] as const },
];

/** What a process tells while it logs. */
interface Progress extends Pick<DeliveryStats, 'inFlight' | 'spooled'> {
  readonly issued: number;
  /** In a thread or worker, records that it is known to have on disk. */
  readonly accepted: number;
}

/** What a process reports that recovers. */
interface Recovery extends Pick<DeliveryStats, 'recovered' | 'spooled' | 'pending' | 'replayed' | 'dropped'> {
  readonly damaged: number;
}

interface Round extends Progress {
  readonly name: string;
  readonly way: Way;
  /** Records that were left when a process that recovered was killed. None where that was not tried. */
  readonly leftByRecovery: number | undefined;
  /** None where the next process of the same way recovers, which is killed as well. */
  readonly recovery: Recovery | undefined;
  readonly stderr: string;
}

/** How often what was, over all rounds. */
const counts = {
  records: 0,
  recovered: 0,
  duplicates: 0,
  'killed in flight': 0,
  'killed while records were on disk only': 0,
  'killed in recovery': 0,
  'killed, then another, before any recovered': 0,
  'handed over, and never reached the worker': 0,
  'known to the worker': 0,
  'killed in the middle of a write': 0,
};

/** States that are too rare to be awaited. */
const RARE = 'killed in the middle of a write';

it(
  `${ROUNDS} processes are killed at random moments, and no accepted record is lost`,
  async () => {
    for (let from = 0; from < ROUNDS; from += BLOCK) await runBlock(from, Math.min(BLOCK, ROUNDS - from));
    process.stderr.write(`${ROUNDS} kills, 0 records lost: ${JSON.stringify(counts)}\n`);
    // A soak that kills only processes at rest proves nothing.
    for (const [name, count] of Object.entries(counts))
      if (ROUNDS >= 30 && name !== RARE) expect(count, name).toBeGreaterThan(0);
  },
  ROUNDS * 20_000,
);

async function runBlock(from: number, length: number): Promise<void> {
  const running = new Map<string, RunningCloud>();
  const [cloudWatch, logService] = clouds as readonly [Cloud, Cloud];
  // The two ways to write to Log Service take turns.
  const targets = [cloudWatch, (from / BLOCK) % 2 === 0 ? signedLogService : logService] as const;
  for (const cloud of targets) running.set(cloud.name, await cloud.start());
  const directory = mkdtempSync(join(tmpdir(), 'logferry-kill-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const rounds: Round[] = [];
  for (let index = 0; index < length; index++) {
    const round = from + index;
    const cloud = targets[index % 2] as Cloud;
    const isLast = length - index <= 2 * WAYS.length;
    rounds.push(await runRound(round, cloud.name, running.get(cloud.name) as RunningCloud, directory, isLast));
  }
  const stored = new Map<number, number[]>();
  for (const service of running.values()) {
    for (const record of await service.records()) {
      const [, round, id] = /#(\d+):(\d+)#/.exec(String(record.message ?? record.msg)) ?? [];
      if (round === undefined) continue;
      const ids = stored.get(Number(round)) ?? [];
      stored.set(Number(round), ids);
      ids.push(Number(id));
    }
    await service.close();
  }
  rounds.forEach((round, index) => {
    // Else the process of another round may have delivered them.
    const isOwn = index < 2 * WAYS.length || rounds[index - 2 * WAYS.length]?.recovery !== undefined;
    check(round, stored.get(from + index) ?? [], isOwn);
  });
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    expect(name).not.toMatch(/\.v1(\.marks)?$/);
}

async function runRound(
  round: number,
  cloud: Cloud['name'],
  service: RunningCloud,
  directory: string,
  isLast: boolean,
): Promise<Round> {
  const way = WAYS[(round >> 1) % WAYS.length] as Way;
  const options = {
    ...service.options,
    // Some overflow to disk. In a thread the budget also limits what is on the way to it.
    maxBufferBytes: !way.thread && round % 8 < 2 ? 64 * 1024 : 8 * 1024 * 1024,
    maxDelayMs: 20,
    retry: { baseMs: 10, throttledBaseMs: 10, capMs: 100 },
    spool: { directory: join(directory, `${way.host}-${way.thread}`) },
    ...(cloud === 'cloudwatch' && { logStreamName: 'kill' }),
  };
  const plan = { ...way, cloud, round, options };
  await service.faults(FAULTS[round % FAULTS.length]);
  const { progress, stderr } = await kill(plan, round % 7 === 6);
  const isLeftToNext = round % 5 === 4 && !isLast;
  const leftByRecovery = !isLeftToNext && round % 3 === 2 ? await killRecovery(plan) : undefined;
  await service.faults();
  const recovered = isLeftToNext ? undefined : await recover(plan);
  return {
    name: `round ${round}, ${way.host}${way.thread ? ' in a thread' : ''}, ${cloud}`,
    way,
    ...progress,
    leftByRecovery,
    recovery: recovered?.recovery,
    stderr: stderr + (recovered?.stderr ?? ''),
  };
}

/** Compares what a process logged with what was stored. */
function check(
  { name, way, issued, accepted, inFlight, spooled, leftByRecovery, recovery, stderr }: Round,
  ids: readonly number[],
  isOwn: boolean,
): void {
  const unique = new Set(ids);
  const reached = Math.max(-1, ...unique) + 1;
  // A thread or worker gets records in order: what it had is on disk up to some record, at least to the last that it is known to have.
  const owed = way.thread ? Math.max(accepted, reached) : accepted;
  const missing = Array.from({ length: owed }, (_, id) => id).filter((id) => !unique.has(id));
  const details = `the first ${missing[0]}, ${JSON.stringify(recovery)}\n${stderr}`;
  expect(missing.length, `${name}: accepted records that are missing, of ${owed}, ${details}`).toBe(0);
  expect(reached, `${name}: records that were never logged`).toBeLessThanOrEqual(issued + MAX_BURST);
  const duplicates = ids.length - unique.size;
  counts.records += issued;
  counts.duplicates += duplicates;
  if (inFlight > 0) counts['killed in flight']++;
  if (spooled > 0) counts['killed while records were on disk only']++;
  if (leftByRecovery) counts['killed in recovery']++;
  if (way.thread) counts['known to the worker'] += accepted;
  if (way.thread) counts['handed over, and never reached the worker'] += Math.max(0, issued - reached);
  if (!recovery) {
    counts['killed, then another, before any recovered']++;
    return;
  }
  counts.recovered += recovery.recovered;
  expect(recovery, name).toMatchObject({ spooled: 0, pending: 0 });
  // The kernel may end a write of several pages in the middle: its records were not accepted.
  counts['killed in the middle of a write'] += recovery.damaged;
  expect(recovery.damaged, `${name}: damaged`).toBeLessThanOrEqual(isOwn && leftByRecovery === undefined ? 1 : 3);
  const dropped = Object.values(recovery.dropped).reduce((sum, count) => sum + count);
  expect(dropped, name).toBe(0);
  // A process that was killed in recovery could not report how many of its records were ambiguous.
  if (isOwn && leftByRecovery === undefined)
    expect(duplicates, `${name}: duplicates`).toBeLessThanOrEqual(recovery.replayed.ambiguous);
}

interface Plan {
  readonly round: number;
  readonly options: object;
}

/**
 * Runs a process and kills it: a while after its first records, or `isEarly` at any moment from its start on. Returns what it told
 * last.
 */
async function kill(plan: Plan, isEarly: boolean): Promise<{ readonly progress: Progress; readonly stderr: string }> {
  const { child, told, first, ended } = start(plan);
  if (!isEarly) await Promise.race([first, ended]);
  await sleep(Math.random() * 500);
  child.kill('SIGKILL');
  const { signal, stderr } = await ended;
  if (signal !== 'SIGKILL') throw new Error(`a process ended by itself: ${stderr}`);
  return { progress: { issued: 0, accepted: 0, inFlight: 0, spooled: 0, ...told.at(-1) }, stderr };
}

/** Kills a process that recovers, soon after it has found records. Returns how many of them were left. */
async function killRecovery(plan: Plan): Promise<number> {
  const { child, told, first, ended } = start({ ...plan, recovers: true }, ({ recovered }) => Number(recovered) > 0);
  await Promise.race([first, ended]);
  await sleep(Math.random() * 50);
  child.kill('SIGKILL');
  await ended;
  return Number(told.at(-1)?.left ?? 0);
}

async function recover(plan: Plan): Promise<{ readonly recovery: Recovery; readonly stderr: string }> {
  const { told, ended } = start({ ...plan, recovers: true });
  const { stderr } = await ended;
  return { recovery: told.at(-1) as unknown as Recovery, stderr };
}

type Told = Readonly<Record<string, unknown>>;

/** Starts a process. `first` resolves when it has told something that `isAwaited`; `told` is all that it told when it has ended. */
function start(plan: object, isAwaited: (told: Told) => boolean = () => true) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const told: Told[] = [];
  const lines = createInterface({ input: child.stdout });
  const first = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      // The last line may be cut.
      if (!line.endsWith('}')) return;
      told.push(JSON.parse(line));
      if (isAwaited(told.at(-1) as Told)) resolve();
    });
  });
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close'), text(child.stderr)]).then(
    ([[, signal], , stderr]) => ({ signal: signal as NodeJS.Signals | null, stderr }),
  );
  return { child, told, first, ended };
}
