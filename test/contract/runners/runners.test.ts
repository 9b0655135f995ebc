import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');

const runners = [
  { runner: 'node:test', args: ['--test', '--test-reporter=tap', fileOf('node-test.mjs')] },
  { runner: 'mocha', args: [mocha, '--reporter=tap', '--timeout=20000', fileOf('mocha.cjs')] },
];

/** Returns the number of tests that passed, and the names of those that failed. */
function run(args: readonly string[], faults: object): Promise<{ passed: number; failed: string[] }> {
  // With this variable node --test would report to the test run of another process.
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...env, PLANTED_FAULTS: JSON.stringify(faults) } }, (_error, stdout) => {
      const results = [...stdout.matchAll(/^ *(not )?ok \d+ (?:- )?(collector .*)$/gm)];
      const failed = results.filter(([, not]) => not !== undefined).map(([, , name = '']) => name);
      resolve({ passed: results.length - failed.length, failed });
    });
  });
}

it.each(runners)('the destination contract runs in $runner', async ({ args }) => {
  expect(await run(args, {})).toEqual({ passed: 20, failed: [] });
});

it.each(runners)('$runner reports a destination that breaks the contract', async ({ args }) => {
  const { failed } = await run(args, { exceedsLimit: true, swallowsThrottling: true });
  expect(failed).toEqual([
    'collector encodes any record within the limits, or refuses it, without a request',
    'collector makes one data request for each send(), and does not repeat it',
    'collector reports "throttle" as THROTTLED, and can send the same batch again',
    'collector delivers everything through the core while the service fails often',
  ]);
});
