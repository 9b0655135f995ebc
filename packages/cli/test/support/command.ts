import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import { onTestFinished } from 'vitest';

export const BIN: string = fileURLToPath(new URL('../../bin/logferry.js', import.meta.url));

/** How a command is started. */
export interface Setting {
  readonly env?: NodeJS.ProcessEnv;
  /** @default an empty directory */
  readonly cwd?: string;
}

/** What became of a command. `out` has a character for each byte. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** What came so far. */
  readonly output: { out: string; error: string };
  readonly ended: Promise<Outcome>;
}

/** A new directory. */
export function directory(): string {
  return mkdtempSync(join(tmpdir(), 'logferry-cli-'));
}

/** Starts the command; it is killed at the end of the test. No variable of the machine's reaches it but PATH. */
export function start(args: readonly string[], { env = {}, cwd = directory() }: Setting = {}): Running {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: directory(), AWS_EC2_METADATA_DISABLED: 'true', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { out: '', error: '' };
  child.stdout.setEncoding('latin1').on('data', (bytes: string) => {
    output.out += bytes;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.error += text;
  });
  // A command that ends early reads nothing.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }) as Outcome);
  return { child, output, ended };
}

/** Runs the command to its end, with an input. */
export function run(
  args: readonly string[],
  setting: Setting & { readonly input?: string | Uint8Array } = {},
): Promise<Outcome> {
  const { child, ended } = start(args, setting);
  child.stdin.end(setting.input ?? '');
  return ended;
}

/** A local CloudWatch Logs until the end of the test. */
export async function cloudWatch(...options: Parameters<typeof startCloudWatch>): Promise<CloudWatchEmulator> {
  const server = await startCloudWatch(...options);
  onTestFinished(() => server.close());
  return server;
}

/** A local Log Service until the end of the test. */
export async function logService(...options: Parameters<typeof startLogService>): Promise<LogServiceEmulator> {
  const server = await startLogService(...options);
  onTestFinished(() => server.close());
  return server;
}

/** The flags that direct the command to a local Log Service. */
export function flagsOf({ target }: LogServiceEmulator): readonly string[] {
  return Object.entries(target).flatMap(([name, value]) => [`--${name}`, value]);
}

/** The messages in their order in each stream. */
export function messages(server: CloudWatchEmulator): readonly string[] {
  return server.events().map(({ message }) => message);
}
