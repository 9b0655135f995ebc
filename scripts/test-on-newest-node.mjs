// Runs the packages' suites on the newest Node.js.
import { readFileSync } from 'node:fs';
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
  for (const suite of suites) {
    const cwd = join('packages', suite);
    const { scripts } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
    const args = scripts.test.split(' ').slice(1);
    run(node, [vitest, ...args, '--maxWorkers=2', '--outputFile.json=test-results/newest-node.json'], { cwd, env });
  }
});
