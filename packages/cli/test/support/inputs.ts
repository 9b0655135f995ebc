import { execFile } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { directory } from './command.js';

/** The logs that package managers wrote on this machine; where there are none, recorded ones. */
export function packageLogs(): readonly string[] {
  return [
    firstReadable('/var/log/dpkg.log', 'dpkg.txt'),
    firstReadable('/var/log/apt/history.log', 'apt-history.txt'),
    firstReadable('/var/log/apt/term.log', 'apt-term.txt'),
  ];
}

function firstReadable(path: string, fixture: string): string {
  try {
    accessSync(path, constants.R_OK);
    return path;
  } catch {
    return fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url));
  }
}

/** The debug log of an `npm install` that fails. */
export async function npmDebugLog(): Promise<string> {
  const cwd = directory();
  const args = ['install', 'no-such-package', '--offline', '--cache', cwd, '--logs-dir', cwd, '--silent'];
  await new Promise((resolve) => execFile('npm', args, { cwd }, resolve));
  const name = readdirSync(cwd).find((each) => each.endsWith('-debug-0.log'));
  if (name === undefined) throw new Error('npm wrote no debug log');
  return join(cwd, name);
}

/** Large inputs: each line has its number. */
const kinds = { plain: plainLine, ndjson: ndjsonLine } as const;

/** A generated file. */
export interface Generated {
  readonly path: string;
  readonly lines: number;
  /** The line of this number, without its end. */
  readonly lineOf: (number: number) => string;
}

/** Writes a file of at least so many bytes. */
export function generate(kind: keyof typeof kinds, bytes: number): Generated {
  const path = join(directory(), kind);
  const startMs = Date.now() - 60_000;
  const lineOf = (number: number): string => kinds[kind](number, startMs + (number >> 5));
  const file = openSync(path, 'wx');
  let lines = 0;
  for (let written = 0; written < bytes; ) {
    let text = '';
    while (text.length < BLOCK_CHARS) text += `${lineOf(lines++)}\n`;
    written += writeSync(file, text);
  }
  closeSync(file);
  return { path, lines, lineOf };
}

const BLOCK_CHARS = 256 * 1024;
const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR'];

/** About 100 bytes. */
function plainLine(number: number, time: number): string {
  return `${new Date(time).toISOString()} ${LEVELS[number % 4]} order #${number} placed by customer ${(number * 7919) % 10_007}, payment "confirmed"`;
}

/** A line of pino, about 170 bytes. Each eighth is not of ASCII. */
function ndjsonLine(number: number, time: number): string {
  const msg = number % 8 === 0 ? `bestellt: ${number} × Käse` : `order "${number}" placed`;
  const req = { method: 'GET', url: `/orders/${(number * 7919) % 10_007}` };
  return JSON.stringify({ level: 20 + 10 * (number % 4), time, pid: 7, hostname: 'web-1', number, req, msg });
}
