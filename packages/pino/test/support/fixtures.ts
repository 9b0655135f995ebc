import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'logferry-pino-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** Path of a file in `test/fixtures`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Path of a file that does not exist yet. */
export function newFile(): string {
  return join(folder, `${files++}.log`);
}

/** The lines of a file; none if it does not exist. */
export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Runs `app.mjs` in a process of its own, since at exit pino blocks the main thread. */
export function runApp(plan: object, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [fixture('app.mjs'), JSON.stringify(plan)], {
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr, durationMs: performance.now() - startedMs }));
  });
}
