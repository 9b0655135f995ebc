import { expect } from 'vitest';
import { installExample } from '../example.js';
import type { Group, ReachContext, Row } from '../row.js';

/** The project of an example, whose tests are the same for each runner. */
interface Runner {
  readonly name: string;
  readonly example: string;
  /** The commands that run the tests. */
  readonly commands: readonly (readonly [command: string, ...args: string[]])[];
  readonly short?: boolean;
}

const runners: readonly Runner[] = [
  { name: 'vitest 4', example: 'vitest', commands: [['vitest', 'run']] },
  {
    name: 'jest 30',
    example: 'jest',
    // In the process of jest, and in two workers of its own.
    commands: [
      ['jest', '--detectOpenHandles'],
      ['jest', '--maxWorkers=2'],
    ],
  },
  { name: 'jest 30 with ts-jest', example: 'ts-jest', commands: [['jest', '--detectOpenHandles']] },
  { name: 'node:test', example: 'node-test', commands: [['node', '--test']] },
  // Its own limit of 2 s is a matter of the machine's load.
  { name: 'mocha 12', example: 'mocha', commands: [['mocha', '--timeout=60000', '*.test.js']], short: true },
];

const TESTS = 5;
/** How the runners say how many tests passed. */
const PASSED = /Tests:? +(\d+) passed|pass (\d+)$|^ *(\d+) passing/m;
/** How they say that something is left. A runner that waits for it exceeds the time. */
const LEFT = /open handle|did not exit|failed to exit|something prevents/i;

export const testRunners: Group = {
  name: 'test runners',
  columns: ['tests passed', 'open handles at the end'],
  rows: runners.map(toRow),
};

function toRow({ name, example, commands, short = false }: Runner): Row {
  return {
    name,
    short,
    async run(context) {
      await installExample(context, `testing/${example}`);
      for (const command of commands) await runTests(context, command);
      // The servers of the tests are their own.
      expect(context.clouds.take()).toEqual([]);
      return { 'tests passed': `${TESTS} of ${TESTS}`, 'open handles at the end': 'none' };
    },
  };
}

/** Runs the tests in an environment that names no cloud. */
async function runTests({ clouds, exec }: ReachContext, [command, ...args]: Runner['commands'][number]): Promise<void> {
  const nowhere = Object.fromEntries(Object.keys(clouds.env).map((name) => [name, '']));
  const env = { ...nowhere, NO_COLOR: '1' };
  const { stdout, stderr, exit } = await exec(command, args, { env });
  const output = stdout + stderr;
  const passed = PASSED.exec(output)?.slice(1).find(Boolean);
  expect({ passed, exit, left: LEFT.exec(output)?.[0], output }).toEqual({
    passed: String(TESTS),
    exit: 0,
    left: undefined,
    output,
  });
}
