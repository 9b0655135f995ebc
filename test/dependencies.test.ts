import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('../scripts/check-dependencies.mjs', import.meta.url));

interface LockedPackage {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly link?: boolean;
  readonly resolved?: string;
}

const ours: Readonly<Record<string, LockedPackage>> = {
  '': { name: 'root' },
  'node_modules/ours': { link: true, resolved: 'packages/ours' },
  'node_modules/first': { version: '1.0.0', license: 'MIT', dependencies: { second: '2' } },
  'node_modules/second': { version: '9.0.0', license: 'GPL-3.0' },
  'node_modules/first/node_modules/second': { version: '2.0.0', license: '(GPL-3.0 OR ISC)' },
  'packages/ours': {
    name: 'ours',
    version: '1.0.0',
    dependencies: { first: '1' },
    // Those that only build or test a package may have any licence.
    devDependencies: { second: '9' },
  },
};

/** Runs the script on a lock file. The registry answers with advisories, or does not know how to. */
async function check(
  locked: Readonly<Record<string, LockedPackage>>,
  { advisories, args = [] }: { advisories?: unknown; args?: readonly string[] } = {},
): Promise<{ readonly exit: number; readonly stdout: string; readonly stderr: string }> {
  const cwd = mkdtempSync(join(tmpdir(), 'logferry-dependencies-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const files = {
    'package.json': { name: 'root', workspaces: ['packages/*'] },
    'packages/ours/package.json': { ...locked['packages/ours'] },
    'package-lock.json': { name: 'root', lockfileVersion: 3, packages: locked },
    'node_modules/old/package.json': { licenses: [{ type: 'MIT' }] },
  };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), JSON.stringify(content));
  }
  const registry = createServer((request, response) => {
    const isAsked = request.url?.endsWith('/advisories/bulk') && advisories;
    response.writeHead(isAsked ? 200 : 405, { 'content-type': 'application/json' });
    response.end(isAsked ? JSON.stringify(advisories) : '{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void registry.close());
  await once(registry, 'listening');
  const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
  const env = { ...process.env, npm_config_registry: url, npm_config_cache: join(cwd, 'cache') };
  return new Promise((resolve) => {
    execFile('node', [script, ...args], { cwd, env }, (error, stdout, stderr) => {
      resolve({ exit: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

describe('the check of what the published packages bring along', () => {
  it('passes licences that are allowed, one of several too, and those of tools', async () => {
    const { exit, stdout, stderr } = await check(ours);
    expect(stderr).toBe('');
    expect(stdout).toContain('licences: 2 of 2 packages');
    expect(exit).toBe(0);
  });

  it('names a licence that is not allowed, and what brings it', async () => {
    const second = { version: '2.0.0', license: 'GPL-3.0' };
    const { exit, stdout, stderr } = await check({ ...ours, 'node_modules/first/node_modules/second': second });
    expect(stderr).toBe('second 2.0.0: GPL-3.0 is not allowed (ours > first > second)\n');
    expect(stdout).toContain('licences: 1 of 2 packages');
    expect(exit).toBe(1);
  });

  it('reads the licence of an old package from its package.json', async () => {
    const first = { version: '1.0.0', license: 'MIT', dependencies: { old: '1' } };
    const { stdout } = await check({ ...ours, 'node_modules/first': first, 'node_modules/old': { version: '1.0.0' } });
    expect(stdout).toContain('licences: 2 of 2 packages');
  });

  it('says that a registry tells nothing of vulnerabilities, and fails then only where it must know', async () => {
    const { exit, stdout } = await check(ours);
    expect(stdout).toContain('vulnerabilities: not checked, since the registry tells nothing of them: 405');
    expect(exit).toBe(0);
    expect(await check(ours, { args: ['--audit-required'] })).toMatchObject({ exit: 1 });
  });

  it('names a known vulnerability, and passes when none is known', async () => {
    const advisory = {
      id: 1,
      url: 'https://example.com/1',
      title: 'it runs what it reads',
      severity: 'high',
      vulnerable_versions: '<=1.0.0',
    };
    const { exit, stdout, stderr } = await check(ours, {
      advisories: { first: [advisory] },
      args: ['--audit-required'],
    });
    expect(stderr).toContain('first <=1.0.0: it runs what it reads (high, https://example.com/1)');
    expect(stdout).toContain('vulnerabilities: 1 known');
    expect(exit).toBe(1);
    expect(await check(ours, { advisories: {}, args: ['--audit-required'] })).toMatchObject({ exit: 0 });
  });
});
