import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCloudWatch } from '@logferry/emulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { pack } from '../support/pack.js';

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));
const fixture = fileURLToPath(new URL('fixture/', import.meta.url));
/** The command alone brings the AWS SDK along. */
const libraries = readdirSync(packages).filter((name) => name !== 'cli');

function manifestOf(folder: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8'));
}

it('the packages promise the versions of Node.js on which CI runs the smoke', () => {
  const { engines } = manifestOf('..');
  for (const name of readdirSync(packages)) expect(manifestOf(name).engines, name).toEqual(engines);
});

it.each(readdirSync(packages))(
  'package.json of %s says whose it is, where it is, and what a bundler may drop',
  (name) => {
    const manifest = manifestOf(name);
    const home = 'https://github.com/logferry/logferry';
    expect(manifest).toMatchObject({
      license: 'MIT',
      author: 'The Logferry authors',
      homepage: `${home}/tree/main/packages/${name}#readme`,
      bugs: `${home}/issues`,
      repository: { type: 'git', url: `git+${home}.git`, directory: `packages/${name}` },
      publishConfig: { access: 'public', provenance: true },
    });
    expect(manifest.description).toMatch(/^[A-Za-z].{20,}\.$/);
    expect(manifest.keywords).toEqual(expect.arrayContaining(['logging']));
    expect(manifest.sideEffects).toBeDefined();
  },
);

it.each(readdirSync(packages))(
  'the changelog of %s begins with its version, and the one of the repository leads to it',
  (name) => {
    const { version } = manifestOf(name);
    const changelog = readFileSync(join(packages, name, 'CHANGELOG.md'), 'utf8');
    expect(/^## (.*)$/m.exec(changelog)?.[1]).toBe(version);
    expect(readFileSync(join(packages, '../CHANGELOG.md'), 'utf8')).toContain(`(packages/${name}/CHANGELOG.md)`);
  },
);

it.each(readdirSync(packages))('%s depends on the others so that an application has one of each', (name) => {
  const { version, dependencies } = manifestOf(name);
  const others = Object.entries({ ...(dependencies as object) }).filter(([other]) => other.startsWith('@logferry/'));
  for (const [other, range] of others) expect(range, other).toBe(`^${version}`);
});

it('the packed command, alone in an empty folder, ships to CloudWatch', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'logferry-packed-command-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const tarballs = pack(['cli', 'core', 'cloudwatch', 'log-service', 'emulators'], folder);
  const run = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)('npx', ['logferry', ...args], { cwd: folder, env: { ...process.env, ...server.env } });
  const quiet = ['--silent', '--no-audit', '--no-fund', '--prefer-offline'];
  execFileSync('npm', ['install', ...quiet, ...tarballs], { cwd: folder });
  const server = await startCloudWatch();
  onTestFinished(() => server.close());
  expect((await run('--version')).stdout).toBe(`${manifestOf('cli').version}\n`);
  writeFileSync(join(folder, 'logferry.config.ts'), CONFIG);
  await run('run', 'cloudwatch', '--', 'echo', 'packed');
  expect(server.events()).toMatchObject([{ logGroupName: 'shop', message: 'packed' }]);
}, 300_000);

const CONFIG = `
import { type Config, defineConfig } from 'logferry';
const config: Config = defineConfig({ cloudwatch: { logGroupName: 'shop' } });
export default config;
`;

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** The packages as users get them: packed, and installed in an empty folder, without the AWS SDK. */
describe('the packed packages in an empty folder', () => {
  let folder: string;
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'logferry-packed-'));
    cpSync(fixture, folder, { recursive: true });
    const tarballs = pack(libraries, folder);
    const hosts = [
      'winston@3',
      'pino@10',
      'bunyan@2',
      '@opentelemetry/api@1',
      '@types/bunyan@1',
      '@types/node@20',
      'typescript@7.0.2',
      '@yarnpkg/cli-dist@4',
    ];
    run('npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs, ...hosts);
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('do not install the AWS SDK', () => {
    expect(readdirSync(join(folder, 'node_modules'))).not.toContain('@aws-sdk');
  });

  it.each(['load.mjs', 'load.cjs'])('load by %s, every entry point', (file) => {
    expect(run('node', file).trim().split('\n')).toEqual(
      readFileSync(join(fixture, 'exports.txt'), 'utf8').trim().split('\n'),
    );
  });

  it('bring no source map, and point to none', () => {
    const files = libraries.flatMap((name) => filesIn(join(folder, 'node_modules/@logferry', name)));
    expect(files.length).toBeGreaterThan(libraries.length);
    expect(files.filter((file) => file.endsWith('.map'))).toEqual([]);
    const code = files.filter((file) => /\.(js|ts)$/.test(file));
    expect(code.filter((file) => readFileSync(file, 'utf8').includes('sourceMappingURL='))).toEqual([]);
  });

  it.each(['winston', 'pino', 'bunyan'])('load few files by require(): %s', (host) => {
    const script = `require('@logferry/${host}/cloudwatch'); console.log(Object.keys(require.cache).join('\\n'))`;
    const files = run('node', '--eval', script).split('\n');
    const ours = files.filter((file) => /@logferry.*\.js$/.test(file));
    expect(ours.length).toBeGreaterThan(0);
    // Each takes up to 1 ms. There are more than 200 sources.
    expect(ours.length).toBeLessThanOrEqual(20);
  });

  it('have the page of the format of a spool', () => {
    expect(readdirSync(join(folder, 'node_modules/@logferry/core'))).toContain('SPOOL.md');
  });

  it.each(['esm', 'cjs'])('type-check under module node16 from %s, libraries too', (project) => {
    expect(run('npx', 'tsc', '-p', `tsconfig.${project}.json`)).toBe('');
  });

  it.each(['thread.mjs', 'thread.cjs'])('ship from a worker thread: %s', (file) => {
    expect(run('node', file)).toBe('2\n');
  });

  it('ship from a worker thread under Plug’n’Play of Yarn', () => {
    const project = join(folder, 'pnp');
    const yarn = join(folder, 'node_modules', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js');
    const registry = run('npm', 'config', 'get', 'registry').trim().replace(/\/$/, '');
    const env = {
      ...process.env,
      YARN_NODE_LINKER: 'pnp',
      YARN_NPM_REGISTRY_SERVER: registry,
      YARN_ENABLE_GLOBAL_CACHE: 'false',
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      YARN_ENABLE_TELEMETRY: 'false',
    };
    const runYarn = (...args: string[]): string =>
      execFileSync('node', [yarn, ...args], { cwd: project, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    cpSync(fixture, project, { recursive: true });
    const ours = Object.fromEntries(
      libraries.map((name) => [`@logferry/${name}`, `file:../logferry-${name}-${manifestOf(name).version}.tgz`]),
    );
    const dependencies = { ...ours, winston: '3', bunyan: '2', '@opentelemetry/api': '1' };
    writeFileSync(join(project, 'package.json'), JSON.stringify({ dependencies, resolutions: ours }));
    writeFileSync(join(project, 'yarn.lock'), '');
    runYarn('install');
    expect(runYarn('node', 'thread.mjs')).toBe('2\n');
    const withoutLoader = ['--require', './.pnp.cjs', 'pnp-loader.mjs'];
    expect(execFileSync('node', withoutLoader, { cwd: project, encoding: 'utf8' })).toBe('2\n');
  });

  it.each(['no-sdk.mjs', 'no-sdk.cjs'])('report clearly that the AWS SDK is missing when it is needed: %s', (file) => {
    const output = JSON.parse(run('node', file));
    for (const host of ['winston', 'bunyan', 'pino', 'pinoStream']) {
      expect(output[host], host).toMatchObject({ code: 'MISCONFIGURED' });
      expect(output[host].message, host).toContain('npm install @aws-sdk/client-cloudwatch-logs');
    }
    expect(output.worker).toContain('npm install @aws-sdk/client-cloudwatch-logs');
  });
});
