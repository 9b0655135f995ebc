import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { pinned } from './context.js';
import type { Ended, ReachContext } from './row.js';

export const ours: readonly string[] = ['@logferry/winston', '@logferry/pino', '@logferry/bunyan'];
export const hosts: readonly string[] = ['winston', 'pino', 'bunyan'].map(pinned);
/** A peer of the ways to CloudWatch. */
export const sdk: string = pinned('@aws-sdk/client-cloudwatch-logs');
/** What the program of the six ways needs, for `install`. */
export const sixWaysPackages: readonly string[] = [...ours, ...hosts, sdk];

type Program = 'six-ways.mjs' | 'six-ways.cjs' | 'pino-worker.mjs';
type Mode = 'process' | 'thread';

/** A way that was refused, or failed. */
export interface Refusal {
  readonly way: string;
  readonly name: string;
  readonly message: string;
}

interface Attempt extends Ended {
  /** Texts of the records that arrived, sorted. */
  readonly arrived: readonly string[];
  readonly refused: readonly Refusal[];
}

export interface Settings {
  readonly mode: Mode;
  /** How the program ends. @default 'natural' */
  readonly ending?: 'natural' | 'exit';
  readonly clouds?: readonly Cloud[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

type Cloud = 'cloudwatch' | 'log-service';

/** Puts the program into a folder. Returns its name. */
export function copyProgram(program: Program, folder: string): Program {
  copyFileSync(fileURLToPath(new URL(`program/${program}`, import.meta.url)), join(folder, program));
  return program;
}

/** Runs the program of the six ways, or a bundle of it, by a command. */
export async function trySixWays(
  { exec, clouds }: ReachContext,
  [command, ...args]: readonly [string, ...string[]],
  { mode, ending = 'natural', clouds: names = bothClouds, cwd, env }: Settings,
): Promise<Attempt> {
  const settings = { REACH_MODE: mode, REACH_ENDING: ending, REACH_CLOUDS: names.join(' ') };
  const ended = await exec(command, args, { ...(cwd && { cwd }), env: { ...settings, ...env } });
  const lines = ended.stdout.split('\n').filter((line) => line.startsWith('{'));
  return { ...ended, arrived: clouds.take(), refused: lines.map((line) => JSON.parse(line)) };
}

/** Expects that each way delivers, and that the program says nothing. Returns the cell: `6 of 6`. */
export async function expectSixWays(
  context: ReachContext,
  command: readonly [string, ...string[]],
  settings: Settings,
): Promise<string> {
  const attempt = await trySixWays(context, command, settings);
  const ways = waysOf(settings);
  expect(attempt).toEqual({ stdout: '', stderr: '', exit: 0, arrived: ways, refused: [] });
  return `${attempt.arrived.length} of ${ways.length}`;
}

const bothClouds: readonly Cloud[] = ['cloudwatch', 'log-service'];

/** The texts of the records of all ways, sorted. */
export function waysOf({ mode, clouds = bothClouds }: Settings): readonly string[] {
  return clouds.flatMap((cloud) => ['winston', 'pino', 'bunyan'].map((host) => `${host} ${cloud} ${mode}`)).sort();
}
