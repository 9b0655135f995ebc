import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError } from '@logferry/core';
import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import { DestinationTransport } from '@logferry/winston';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
// @ts-expect-error a third party's module in JavaScript
import { createFileDestination } from './file-destination.mjs';
import { run } from './run.js';

const permissionModel = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

let service: LogServiceEmulator;
beforeAll(async () => {
  service = await startLogService({ strict: true });
});
/** Logs of earlier tests. */
let seen = 0;
afterEach(() => {
  seen = service.events().length;
  expect(service.stats().violations).toEqual([]);
});
afterAll(() => service.close());
const texts = (): unknown[] =>
  service
    .events()
    .slice(seen)
    .map(({ fields }) => fields.message);

it('a thread of an ES module delivers where Node.js cannot require ES modules, as before 22.12', async () => {
  const plan = { framework: 'winston', cloud: 'log-service', options: service.target, lines: 100 };
  const { code, stderr } = await run(
    'app.mjs',
    { ...plan, ending: 'process.exit()' },
    '--no-experimental-require-module',
  );
  expect(code).toBe(3);
  expect(texts()).toEqual(Array.from({ length: 100 }, (_, i) => `line ${i}`));
  expect(stderr).not.toContain('logferry');
});

describe('thread: true', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'logferry-loading-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const plan = () => ({ options: service.target });

  it('is refused at construction under the permission model without --allow-worker, and the application can do without', async () => {
    const { code, stderr } = await run('without-thread.mjs', plan(), permissionModel, '--allow-fs-read=*');
    expect(code).toBe(0);
    expect(stderr).toContain('"option":"thread","isConfigError":true');
    expect(stderr).toContain('start Node.js with --allow-worker, or leave thread out');
    expect(texts()).toEqual(['hello']);
  });

  it('works under the permission model with --allow-worker', async () => {
    const flags = [permissionModel, '--allow-fs-read=*', '--allow-worker'];
    const { code, stderr } = await run('without-thread.mjs', plan(), ...flags);
    expect(code).toBe(0);
    expect(stderr).not.toContain('isConfigError');
    expect(texts()).toEqual(['hello']);
  });

  it.each(['es', 'cjs'] as const)(
    'is refused at construction in a bundle, as %s, and the application can do without',
    async (format) => {
      const input = fileURLToPath(new URL('without-thread.mjs', import.meta.url));
      const bundle = await rolldown({ input, platform: 'node', logLevel: 'silent' });
      const file = join(folder, `bundle.${format === 'es' ? 'mjs' : 'cjs'}`);
      await bundle.write({ file, format, codeSplitting: false });
      await bundle.close();
      // The application's own file of that name is not taken for ours.
      writeFileSync(join(folder, 'worker.js'), 'throw new Error("not for us")');
      const { code, stderr } = await run(pathToFileURL(file).href, plan());
      expect(code).toBe(0);
      expect(stderr).toContain('"option":"thread","isConfigError":true');
      expect(stderr).toContain(
        'lacks the files that the worker thread loads of @logferry/core; keep it out of the bundle',
      );
      expect(texts()).toEqual(['hello']);
    },
  );

  it('is refused at construction when the module of the recipe is missing', () => {
    const module = pathToFileURL(join(folder, 'gone.mjs')).href;
    const destination = {
      ...createFileDestination({ file: '' }),
      recipe: () => ({ module, factory: 'f', options: {} }),
    };
    const construct = () => new DestinationTransport({ destination, thread: true });
    expect(construct).toThrow(`makes the destination is missing: ${module}`);
    expect(construct).toThrow(expect.toSatisfy((error) => ConfigError.is(error) && error.option === 'thread'));
  });
});
