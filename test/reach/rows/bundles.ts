import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { pinned } from '../context.js';
import type { Group, ReachContext, Row } from '../row.js';
import { startServer } from '../server.js';
import { copyProgram, expectSixWays, ours, type Refusal, sixWaysPackages, trySixWays, waysOf } from '../six-ways.js';

/** A bundler, as a user has it: a command with a configuration. */
interface Bundler {
  readonly name: string;
  readonly packages: readonly string[];
  readonly command: readonly [string, ...string[]];
  /** The file that has its configuration; it makes a folder `out`. `external`: the packages @logferry/* stay outside. */
  readonly config: readonly [file: string, code: (external: boolean) => string];
  /** The program, in `out`. */
  readonly bundle: string;
  /** It tells of packages of credentials that are not installed, and of winston's circles. @default false */
  readonly warns?: boolean;
  readonly short?: boolean;
}

/** They share an installation. */
const small = ['esbuild', 'rolldown'].map(pinned);

const esbuild = (format: 'cjs' | 'esm', bundle: string): Bundler => ({
  name: `esbuild, ${format === 'esm' ? 'ES modules' : 'CommonJS'}`,
  packages: small,
  command: ['node', 'build.mjs'],
  config: [
    'build.mjs',
    (external) => `
import { build } from 'esbuild';
await build({
  entryPoints: ['six-ways.mjs'],
  bundle: true,
  platform: 'node',
  format: '${format}',
  outfile: 'out/${bundle}',
  external: ['dtrace-provider'${external ? ", '@logferry/*'" : ''}],
  ${format === 'esm' ? REQUIRE : ''}
});
`,
  ],
  bundle,
  short: true,
});

/** winston and bunyan are CommonJS, for which esbuild makes no `require` in ES modules. */
const REQUIRE =
  'banner: { js: "import { createRequire } from \'node:module\'; const require = createRequire(import.meta.url);" },';

const externalPattern = (external: boolean): string => (external ? '[/^@logferry\\//]' : '[]');

const webpack = (isModule: boolean, bundle: string): Bundler => ({
  name: `webpack 5, ${isModule ? 'ES modules' : 'CommonJS'}`,
  packages: ['webpack@5.113.0', 'webpack-cli@7.3.1'],
  command: ['webpack'],
  config: [
    'webpack.config.mjs',
    (external) => `
import { resolve } from 'node:path';
import webpack from 'webpack';
export default {
  mode: 'production',
  target: 'node20',
  entry: './six-ways.mjs',
  externalsType: '${isModule ? 'module' : 'commonjs'}',
  externals: ${externalPattern(external)},
  plugins: [new webpack.IgnorePlugin({ resourceRegExp: /^dtrace-provider$/ })],
  experiments: { outputModule: ${isModule} },
  output: { path: resolve('out'), filename: '${bundle}'${isModule ? ', module: true' : ''} },
};
`,
  ],
  bundle,
});

const bundlers: readonly Bundler[] = [
  esbuild('cjs', 'app.cjs'),
  esbuild('esm', 'app.mjs'),
  {
    name: 'rolldown',
    packages: small,
    command: ['rolldown', '-c', 'rolldown.config.mjs'],
    config: [
      'rolldown.config.mjs',
      (external) => `
export default {
  input: 'six-ways.mjs',
  platform: 'node',
  external: ${externalPattern(external)},
  output: { dir: 'out', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
};
`,
    ],
    bundle: 'six-ways.mjs',
    warns: true,
    short: true,
  },
  {
    name: 'rollup',
    packages: [
      'rollup@4.68.8',
      '@rollup/plugin-node-resolve@16.0.3',
      '@rollup/plugin-commonjs@29.0.3',
      '@rollup/plugin-json@6.1.0',
    ],
    command: ['rollup', '-c', 'rollup.config.mjs'],
    config: [
      'rollup.config.mjs',
      (external) => `
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import resolve from '@rollup/plugin-node-resolve';
export default {
  input: 'six-ways.mjs',
  external: ${externalPattern(external)},
  plugins: [resolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs({ ignoreDynamicRequires: true }), json()],
  output: { dir: 'out', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
};
`,
    ],
    bundle: 'six-ways.mjs',
    warns: true,
  },
  webpack(false, 'app.cjs'),
  webpack(true, 'app.mjs'),
  {
    name: 'Vite, a build for SSR',
    packages: ['vite@8.3.8'],
    command: ['vite', 'build'],
    config: [
      'vite.config.mjs',
      (external) => `
export default {
  logLevel: 'warn',
  ssr: ${external ? '{}' : '{ noExternal: true }'},
  build: { ssr: 'six-ways.mjs', outDir: 'out', rollupOptions: { output: { entryFileNames: '[name].mjs' } } },
};
`,
    ],
    bundle: 'six-ways.mjs',
  },
];

function bundlerRow(bundler: Bundler): Row {
  return {
    name: bundler.name,
    short: bundler.short ?? false,
    async run(context) {
      const { folder, install, shared } = context;
      const project = await shared(bundler.packages.join(' '), (into) =>
        install([...sixWaysPackages, ...bundler.packages], into),
      );
      // Alone, without node_modules.
      const alone = join(folder, 'alone');
      cpSync(await makeBundle(context, bundler, project, false), alone, { recursive: true });
      const beside = await makeBundle(context, bundler, project, true);
      const command = ['node', bundler.bundle] as const;
      return {
        'in process': await expectSixWays(context, command, { mode: 'process', cwd: alone }),
        'worker thread': await expectRefusals(context, command, alone),
        'worker thread, @logferry/* external': await expectSixWays(context, command, { mode: 'thread', cwd: beside }),
      };
    },
  };
}

/** Makes a bundle, in a folder of a project. Expects no warning. Returns the folder of the bundle. */
async function makeBundle(
  { exec }: ReachContext,
  { command: [program, ...args], config: [file, code], warns = false }: Bundler,
  project: string,
  external: boolean,
): Promise<string> {
  const folder = mkdtempSync(join(project, 'bundle-'));
  copyProgram('six-ways.mjs', folder);
  writeFileSync(join(folder, file), code(external));
  const path = `${join(project, 'node_modules', '.bin')}:${process.env.PATH}`;
  const { stdout, stderr, exit } = await exec(program, args, { cwd: folder, env: { PATH: path }, timeoutMs: 180_000 });
  expect({ exit, stdout, stderr }).toMatchObject({ exit: 0 });
  if (!warns) expect(stdout + stderr).not.toMatch(/warn/i);
  return join(folder, 'out');
}

/** A route runs the program. The example has our packages in `instrumentation.js`. */
const nextRow: Row = {
  name: 'Next.js 16',
  short: false,
  async run(context) {
    const { folder, install, exec, clouds } = context;
    await install([...sixWaysPackages, 'next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1']);
    copyProgram('six-ways.mjs', folder);
    mkdirSync(join(folder, 'app', 'ways'), { recursive: true });
    writeFileSync(join(folder, 'app', 'ways', 'route.js'), ROUTE);
    const built = async (packages: readonly string[]): Promise<void> => {
      const config = { turbopack: { root: folder }, serverExternalPackages: packages };
      writeFileSync(join(folder, 'next.config.mjs'), `export default ${JSON.stringify(config)};`);
      const { exit, stdout, stderr } = await exec('next', ['build'], { env: NEXT, timeoutMs: 240_000 });
      expect({ exit, stdout, stderr }).toMatchObject({ exit: 0 });
      expect(stdout + stderr).not.toMatch(/warn/i);
    };
    const started = async (mode: 'process' | 'thread', count: number): Promise<readonly Refusal[]> => {
      const command = ['node', 'node_modules/next/dist/bin/next', 'start'] as const;
      const server = await startServer(context, command, { env: { ...NEXT, REACH_MODE: mode } });
      expect(await server.get('/ways')).toBe(200);
      const arrived: string[] = [];
      if (count > 0) await vi.waitUntil(() => arrived.push(...clouds.take()) >= count, { timeout: 20_000 });
      const { stdout } = await server.end('SIGTERM');
      arrived.push(...clouds.take());
      expect(arrived.sort()).toEqual(count > 0 ? waysOf({ mode }) : []);
      return stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    };
    await built([]);
    expect(await started('process', 6)).toEqual([]);
    const refusal = refusalOf(await started('thread', 0));
    await built(ours);
    expect(await started('thread', 6)).toEqual([]);
    return { 'in process': '6 of 6', 'worker thread': refusal, 'worker thread, @logferry/* external': '6 of 6' };
  },
};

const NEXT = { NEXT_TELEMETRY_DISABLED: '1' };

const ROUTE = `
export const dynamic = 'force-dynamic';
export async function GET() {
  await import('../../six-ways.mjs');
  return new Response('done');
}
`;

/** The bundle of esbuild in a copy of Node.js. */
const executableRow: Row = {
  name: 'a single executable',
  short: false,
  async run(context) {
    const { folder, install, shared, exec } = context;
    const bundler = esbuild('cjs', 'app.cjs');
    const project = await shared(bundler.packages.join(' '), (into) =>
      install([...sixWaysPackages, ...bundler.packages], into),
    );
    await install(['postject@1.0.0-alpha.6']);
    cpSync(await makeBundle(context, bundler, project, false), folder, { recursive: true });
    const config = { main: 'app.cjs', output: 'app.blob', disableExperimentalSEAWarning: true };
    writeFileSync(join(folder, 'sea.json'), JSON.stringify(config));
    expect(await exec('node', ['--experimental-sea-config', 'sea.json'])).toMatchObject({ exit: 0 });
    const alone = join(folder, 'alone');
    cpSync(process.execPath, join(alone, 'app'));
    const inject = [join(alone, 'app'), 'NODE_SEA_BLOB', 'app.blob', '--sentinel-fuse', SEA_FUSE];
    expect(await exec('postject', inject)).toMatchObject({ exit: 0 });
    const command = [join(alone, 'app')] as const;
    return {
      'in process': await expectSixWays(context, command, { mode: 'process', cwd: alone, env: QUIET }),
      'worker thread': await expectRefusals(context, command, alone, QUIET),
      'worker thread, @logferry/* external': '–',
    };
  },
};

/** Node.js warns of the package that bunyan tries to require. */
const QUIET = { NODE_NO_WARNINGS: '1' };

/** The mark of Node.js for the place of a program. */
const SEA_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Expects that each way of a thread is refused when it is made, with the remedy. Returns the cell. */
async function expectRefusals(
  context: ReachContext,
  command: readonly [string, ...string[]],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { refused, arrived, exit, stderr } = await trySixWays(context, command, { mode: 'thread', cwd, env });
  expect({ arrived, exit, stderr }).toEqual({ arrived: [], exit: 0, stderr: '' });
  return refusalOf(refused);
}

/** The cell for ways that were all refused. */
function refusalOf(refused: readonly Refusal[]): string {
  expect(refused.map(({ way }) => way).sort()).toEqual(waysOf({ mode: 'thread' }));
  for (const { name, message } of refused) {
    expect(name).toBe('ConfigError');
    expect(message).toMatch(
      /lacks the files that the worker thread loads of @logferry\/(core|pino); keep it out of the bundle/,
    );
  }
  return 'ConfigError';
}

export const bundles: Group = {
  name: 'bundles',
  columns: ['in process', 'worker thread', 'worker thread, @logferry/* external'],
  rows: [...bundlers.map(bundlerRow), nextRow, executableRow],
};
