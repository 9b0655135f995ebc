import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';

const { resolve } = createRequire(import.meta.url);

/** An application with the doctor and what it imports, but without the AWS SDK. */
async function installWithoutSdk(): Promise<string> {
  const app = mkdtempSync(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rmSync(app, { recursive: true, force: true }));
  const packages = {
    ...Object.fromEntries(
      ['core', 'cloudwatch', 'log-service'].map((name) => [
        `@logferry/${name}`,
        dirname(resolve(`@logferry/${name}/package.json`)),
      ]),
    ),
    '@pinojs/redact': dirname(resolve('@pinojs/redact')),
  };
  for (const [name, source] of Object.entries(packages)) {
    const target = join(app, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    const filter = (path: string): boolean => !/[/\\](node_modules|src|test)$/.test(path.slice(source.length));
    cpSync(source, target, { recursive: true, filter });
  }
  const entry = join(import.meta.dirname, '../../src/doctor/doctor.ts');
  const outfile = join(app, 'doctor.mjs');
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', packages: 'external' });
  return app;
}

it('names the command that installs the AWS SDK where it is missing', async () => {
  const app = await installWithoutSdk();
  const program = `
    import { runDoctor } from './doctor.mjs';
    const output = { out: async (text) => void process.stdout.write(text), error() {}, hasColours: false };
    const target = { cloud: 'cloudwatch', options: { logGroupName: 'shop', region: 'us-east-1' } };
    process.exitCode = await runDoctor(target, { dry: true, json: true }, output);
  `;
  writeFileSync(join(app, 'main.mjs'), program);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['main.mjs'], { cwd: app, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(1);
  const findings = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(findings.find(({ check }) => check === 'packages')).toMatchObject({
    status: 'failed',
    text: 'the AWS SDK is not installed; install it: npm install @aws-sdk/client-cloudwatch-logs',
    remedy: 'npm install @aws-sdk/client-cloudwatch-logs',
  });
  for (const check of ['region', 'credentials', 'dns', 'write'])
    expect(findings).toContainEqual({ check, status: 'skipped', text: 'not checked, since packages failed' });
});
