import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

/** Runs a script of the folder `children` to its end; kills it after 20 s. */
export async function runChild(script: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const path = fileURLToPath(new URL(`../children/${script}`, import.meta.url));
  const startedMs = performance.now();
  const child = spawn(process.execPath, [path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr, tookMs: performance.now() - startedMs };
}
