// Runs the packages' suites on the newest Node.js.
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { run, withNodes } from './nodes.mjs';

const suites = ['core', 'cloudwatch', 'log-service', 'winston', 'pino', 'bunyan', 'emulators'];
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

withNodes(['latest'], (nodes) => {
  const bin = nodes.get('latest');
  const node = join(bin, 'node');
  run(node, ['--version']);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const args = [vitest, 'run', '--config=../../vitest.config.ts', '--outputFile.json=test-results/newest-node.json'];
  for (const suite of suites) run(node, args, { cwd: join('packages', suite), env });
});
