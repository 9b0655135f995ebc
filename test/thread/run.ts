import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly tookMs: number;
}

/** Runs an application of this folder until it ends. Kills it after 40 s. */
export function run(app: string, plan: object, ...flags: readonly string[]): Promise<Ended> {
  return spawnNode([...flags, fileURLToPath(new URL(app, import.meta.url))], { PLAN: JSON.stringify(plan) });
}

/** Runs a module of code, which can import the files of this folder, until it ends. */
export function runCode(code: string, ...flags: readonly string[]): Promise<Ended> {
  return spawnNode([...flags, '--input-type=module', '--eval', code]);
}

async function spawnNode(args: readonly string[], env: object = {}): Promise<Ended> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 40_000,
  });
  const [stderr, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code, signal, stderr, tookMs: performance.now() - startedMs };
}
