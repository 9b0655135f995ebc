import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import type { Ended, ReachContext, Started } from './row.js';

const START_TIMEOUT_MS = 60_000;

/** An HTTP server that runs, and says its port on stdout: as a field of JSON, or in a URL. */
export interface Server {
  readonly started: Started;
  /** Returns the status. */
  get(path: string): Promise<number>;
  /** Sends a signal, and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
}

/** The id that a load balancer gives to each request. */
export const REQUEST_ID = 'r-1';

export async function startServer(
  { start }: ReachContext,
  [command, ...args]: readonly [string, ...string[]],
  { env, cwd, processes = 1 }: ServerOptions,
): Promise<Server> {
  const started = start(command, args, { ...(cwd && { cwd }), env: { PORT: '0', ...env } });
  const early = started.ended.then(({ stdout, stderr, exit }) => {
    throw new Error(`${command} ${args.join(' ')} ended with ${exit}: ${stdout}${stderr}`);
  });
  const ports = () => [...started.stdout().matchAll(/(?:"port":|:\/\/\S+:)(\d+)/g)].map(([, port]) => port);
  const ready = vi.waitUntil(() => ports().length >= processes, { timeout: START_TIMEOUT_MS });
  await Promise.race([ready, early]);
  early.catch(() => {});
  const [port] = ports();
  return {
    started,
    async get(path) {
      const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-request-id': REQUEST_ID } });
      return status;
    },
    end(signal) {
      process.kill(started.pid, signal);
      return started.ended;
    },
  };
}

interface ServerOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Processes that each say a port. @default 1 */
  readonly processes?: number;
}

/** The first child of a process. */
export function childOf(pid: number): number {
  const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return Number(child);
}
