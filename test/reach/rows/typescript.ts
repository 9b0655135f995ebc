import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { pinned } from '../context.js';
import type { Group, ReachContext, Row } from '../row.js';
import { hosts, ours } from '../six-ways.js';

const fixture = fileURLToPath(new URL('../../packed/fixture/', import.meta.url));
const packages = [...ours, '@logferry/otel', '@logferry/emulators', 'logferry', ...hosts];
const types = ['@opentelemetry/api@1.9.1', pinned('@types/bunyan'), pinned('@types/node')];

/** The files that use each public function, and a configuration of the command. */
const esm = ['use-esm.mts', 'logferry.config.mts'];
const both = [...esm, 'use-cjs.cts'];

const CONFIG = `
import { type Config, defineConfig } from 'logferry';
export const config: Config = defineConfig({ cloudwatch: { logGroupName: 'shop' } });
export default config;
`;

/** `moduleResolution`, by column. Where it tells nothing of ES modules, all files are of the kind that `module` says. */
const resolutions: Readonly<Record<string, { readonly module: string; readonly files: readonly string[] }>> = {
  nodenext: { module: 'nodenext', files: both },
  node16: { module: 'node16', files: both },
  bundler: { module: 'esnext', files: esm },
  node10: { module: 'commonjs', files: ['use-esm.ts', 'logferry.config.ts'] },
};

function compiler(version: string, { short, withNode10 }: { short: boolean; withNode10: boolean }): Row {
  const line = version.split('.').slice(0, 2).join('.');
  return {
    name: `TypeScript ${line}`,
    short,
    async run(context) {
      const consumer = await context.shared('a consumer of the types', (folder) => prepare(context, folder));
      await context.install([`typescript@${version}`]);
      const cells: Record<string, string> = {};
      for (const column of Object.keys(resolutions)) {
        const left = column === 'node10' && !withNode10;
        cells[column] = left ? '–' : await expectCompiled(context, consumer, column, line);
      }
      return cells;
    },
  };
}

async function prepare({ install }: ReachContext, folder: string): Promise<void> {
  await install([...packages, ...types], folder);
  cpSync(fixture, folder, { recursive: true, filter: (file) => !file.endsWith('package.json') });
  cpSync(join(fixture, 'use-esm.mts'), join(folder, 'use-esm.ts'));
  for (const name of ['logferry.config.mts', 'logferry.config.ts']) writeFileSync(join(folder, name), CONFIG);
}

async function expectCompiled(
  { exec, folder }: ReachContext,
  cwd: string,
  moduleResolution: string,
  line: string,
): Promise<string> {
  const { module = '', files = [] } = resolutions[moduleResolution] ?? {};
  const config = `tsconfig.${line}.${moduleResolution}.json`;
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2022',
    // Node.js has no DOM.
    lib: ['es2022'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    esModuleInterop: true,
    skipLibCheck: false,
    noEmit: true,
    ...(line === '6.0' && moduleResolution === 'node10' && { ignoreDeprecations: '6.0' }),
  };
  writeFileSync(join(cwd, config), JSON.stringify({ compilerOptions, files }));
  const { stdout, exit } = await exec(join(folder, 'node_modules/.bin/tsc'), ['-p', config], {
    cwd,
    timeoutMs: 300_000,
  });
  expect({ stdout, exit }, moduleResolution).toEqual({ stdout: '', exit: 0 });
  return 'works';
}

export const typescript: Group = {
  name: 'typescript',
  columns: Object.keys(resolutions),
  rows: [
    compiler('5.0.4', { short: true, withNode10: true }),
    compiler('5.4.5', { short: false, withNode10: true }),
    compiler('5.7.3', { short: false, withNode10: true }),
    compiler('5.9.3', { short: false, withNode10: true }),
    compiler('6.0.3', { short: false, withNode10: true }),
    // It removed node10.
    compiler('7.0.2', { short: true, withNode10: false }),
  ],
};
