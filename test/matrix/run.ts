import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { DeliveryStats } from '@logferry/core';
import { type Cloud, clouds, type RunningCloud, signedLogService } from '../support/clouds.js';
import { type Ending, type Endpoint, endpoints, type Host } from './endings.js';

/** One process: a framework, a cloud and an ending. */
export interface Cell {
  readonly host: Host;
  readonly cloud: Cloud['label'];
  readonly ending: Ending;
}

/** The end of a process. */
export interface Outcome {
  /** The numbers of the records that the cloud stored, sorted. */
  readonly delivered: readonly number[];
  /** Number of records that the application logged. */
  readonly logged: number;
  readonly exit: number | NodeJS.Signals;
  /** From the last record to the end of the process. */
  readonly tookMs: number;
  readonly stderr: string;
  /** The counters at the exit. Absent for a worker, and after a signal. */
  readonly stats?: DeliveryStats;
}

export interface Matrix {
  /** Runs a cell once. Further calls return the outcome of the first. */
  run(cell: Cell): Promise<Outcome>;
  /** All requests of the processes that broke a rule of a service. */
  violations(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** Starts each cloud once for each kind of endpoint. Each has its own process. */
export async function startMatrix(kinds: readonly Endpoint[] = ['healthy', 'hanging', 'down']): Promise<Matrix> {
  const running = new Map<string, RunningCloud>();
  const outcomes = new Map<string, Promise<Outcome>>();
  for (const cloud of [...clouds, signedLogService]) {
    for (const endpoint of kinds) {
      const started = await cloud.start();
      await started.faults(endpoints[endpoint]);
      running.set(`${cloud.label} ${endpoint}`, started);
    }
  }
  return {
    run({ host, cloud, ending }) {
      const cell = [host, cloud, ending.name, JSON.stringify(ending.options)].join(', ');
      const service = running.get(`${cloud} ${ending.endpoint}`) as RunningCloud;
      const { act, records, listeners = 'none' } = ending;
      const options = { ...service.options, ...ending.options };
      const name = cloud === 'cloudwatch' ? cloud : 'log-service';
      const outcome =
        outcomes.get(cell) ?? runCell({ cell, host, cloud: name, options, records, act, listeners }, service);
      outcomes.set(cell, outcome);
      return outcome;
    },
    async violations() {
      const stats = await Promise.all([...running.values()].map((service) => service.stats()));
      return stats.flatMap(({ violations }): readonly unknown[] => violations);
    },
    async close() {
      for (const service of running.values()) await service.close();
    },
  };
}

async function runCell<Plan extends { readonly cell: string }>(plan: Plan, service: RunningCloud): Promise<Outcome> {
  const { actedAt, endedAt, ...outcome } = await runChild(plan);
  const stored = (await service.records()).filter(({ cell }) => cell === plan.cell);
  const delivered = stored.map(({ number }) => Number(number)).sort((a, b) => a - b);
  return { ...outcome, delivered, tookMs: endedAt - actedAt };
}

/** What a process said, and its end. Times are epoch milliseconds. */
interface ChildOutcome extends Pick<Outcome, 'logged' | 'exit' | 'stderr' | 'stats'> {
  readonly actedAt: number;
  readonly endedAt: number;
}

/** Runs `child.js`. */
export async function runChild<Plan extends { readonly cell: string }>(plan: Plan): Promise<ChildOutcome> {
  const file = fileURLToPath(new URL('child.js', import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({ exit: code ?? signal, endedAt: Date.now() }));
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const messages = stdout.split('\n').filter(Boolean);
  const said = Object.assign({}, ...messages.map((message) => JSON.parse(message)));
  if (said.actedAt === undefined) throw new Error(`${plan.cell} did not reach its ending: ${stderr}`);
  return { ...said, ...end, stderr };
}
