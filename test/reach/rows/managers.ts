import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Group, Outcome, ReachContext, Row } from '../row.js';
import { copyProgram, expectSixWays, hosts, ours, sdk, trySixWays } from '../six-ways.js';

/** Each of three transports tells the failure, and the loss at the end. */
const LINES_WITHOUT_SDK = 6;

/** A project of a package manager, with the packages but for the AWS SDK. */
interface Project {
  readonly cwd: string;
  /** Before the name of the program. */
  readonly command: readonly [string, ...string[]];
  addSdk(): Promise<unknown>;
}

export const managers: Group = {
  name: 'package managers',
  columns: [
    'ES modules',
    'ES modules, in a thread',
    'CommonJS',
    'CommonJS, in a thread',
    'without the AWS SDK: Log Service',
    'without the AWS SDK: CloudWatch',
  ],
  rows: [
    managerRow('npm', false, createNpmProject),
    managerRow('pnpm, strict', true, createPnpmProject),
    managerRow('Yarn, Plug’n’Play', false, createYarnProject),
  ],
};

function managerRow(name: string, short: boolean, create: (context: ReachContext) => Promise<Project>): Row {
  return {
    name,
    short,
    async run(context): Promise<Outcome> {
      const { cwd, command, addSdk } = await create(context);
      const esm = [...command, copyProgram('six-ways.mjs', cwd)] as const;
      const cjs = [...command, copyProgram('six-ways.cjs', cwd)] as const;
      const logService = await expectSixWays(context, esm, { mode: 'process', clouds: ['log-service'], cwd });
      const cloudWatch = await trySixWays(context, esm, { mode: 'process', clouds: ['cloudwatch'], cwd });
      expect(cloudWatch.stderr.split(`npm install ${nameOf(sdk)}\n`)).toHaveLength(LINES_WITHOUT_SDK + 1);
      await addSdk();
      return {
        'ES modules': await expectSixWays(context, esm, { mode: 'process', cwd }),
        'ES modules, in a thread': await expectSixWays(context, esm, { mode: 'thread', cwd }),
        CommonJS: await expectSixWays(context, cjs, { mode: 'process', cwd }),
        'CommonJS, in a thread': await expectSixWays(context, cjs, { mode: 'thread', cwd }),
        'without the AWS SDK: Log Service': logService,
        'without the AWS SDK: CloudWatch': `${cloudWatch.arrived.length} of 3, told`,
      };
    },
  };
}

async function createNpmProject({ folder, install }: ReachContext): Promise<Project> {
  await install([...ours, ...hosts]);
  return { cwd: folder, command: ['node'], addSdk: () => install([sdk]) };
}

/** Each package sees its own dependencies only, and a missing peer is an error. */
async function createPnpmProject(context: ReachContext): Promise<Project> {
  const { folder, install } = context;
  await install(['pnpm@12.21.0']);
  const cwd = writeManifest(context, 'pnpm', {});
  const settings = {
    nodeLinker: 'isolated',
    hoist: false,
    publicHoistPattern: [],
    autoInstallPeers: false,
    strictPeerDependencies: true,
    // An optional dependency of bunyan, which works without.
    allowBuilds: { 'dtrace-provider': false },
    overrides: tarballsOf(context),
  };
  // JSON is YAML.
  writeFileSync(join(cwd, 'pnpm-workspace.yaml'), JSON.stringify(settings));
  const pnpm = runner(context, cwd, [join(folder, 'node_modules', '.bin', 'pnpm')]);
  await pnpm('install', '--prefer-offline');
  return { cwd, command: ['node'], addSdk: () => pnpm('add', '--prefer-offline', sdk) };
}

/** The packages stay in their archives. */
async function createYarnProject(context: ReachContext): Promise<Project> {
  const { folder, install, exec } = context;
  await install(['@yarnpkg/cli-dist@4.18.1']);
  const cwd = writeManifest(context, 'yarn', { resolutions: tarballsOf(context) });
  const { stdout: registry } = await exec('npm', ['config', 'get', 'registry']);
  const settings = {
    nodeLinker: 'pnp',
    npmRegistryServer: registry.trim().replace(/\/$/, ''),
    enableGlobalCache: false,
    enableImmutableInstalls: false,
    enableScripts: false,
    enableTelemetry: false,
  };
  writeFileSync(join(cwd, '.yarnrc.yml'), JSON.stringify(settings));
  // Without it, Yarn takes the folder for a part of the project above.
  writeFileSync(join(cwd, 'yarn.lock'), '');
  const bin = join(folder, 'node_modules', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js');
  const yarn = runner(context, cwd, ['node', bin]);
  await yarn('install');
  return { cwd, command: ['node', bin, 'node'], addSdk: () => yarn('add', sdk) };
}

/** Makes a folder with a package.json that depends on ours and on the frameworks. */
function writeManifest({ folder, tarballs }: ReachContext, name: string, more: object): string {
  const cwd = join(folder, name);
  const frameworks = hosts.map((host) => [nameOf(host), host.slice(nameOf(host).length + 1)]);
  const dependencies = Object.fromEntries([...frameworks, ...ours.map((each) => [each, `file:${tarballs.get(each)}`])]);
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name, private: true, dependencies, ...more }));
  return cwd;
}

/** Where ours come from: those that others of ours depend on, too. */
function tarballsOf({ tarballs }: ReachContext): Readonly<Record<string, string>> {
  return Object.fromEntries([...tarballs].map(([name, file]) => [name, `file:${file}`]));
}

/** Runs a package manager in its project. */
function runner(
  { exec }: ReachContext,
  cwd: string,
  [command, ...before]: readonly [string, ...string[]],
): (...args: readonly string[]) => Promise<void> {
  return async (...args) => {
    const { exit, stdout, stderr } = await exec(command, [...before, ...args], { cwd, timeoutMs: 300_000 });
    if (exit !== 0) throw new Error(`${args.join(' ')} ended with ${exit}: ${stdout}${stderr}`);
  };
}

/** `esbuild` of `esbuild@0.28.2`. */
function nameOf(specifier: string): string {
  return specifier.slice(0, specifier.lastIndexOf('@'));
}
