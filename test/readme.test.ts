import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { full } from '../forms.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Examples run as in a container, where only localhost has a name. */
const noNames = `--require ${JSON.stringify(`${root}test/support/no-names.cjs`)}`;
const FENCE = /```js\n([\s\S]*?)```/g;

/** Complete examples begin with an import. Others are fragments. */
const examples = ['README.md', 'docs/what-survives-what.md', 'docs/before-records-leave.md', ...readmes()].flatMap(
  (file) =>
    [...readFileSync(root + file, 'utf8').matchAll(FENCE)]
      .map(([, code = '']) => ({ file, code }))
      .filter(({ code }) => code.startsWith('import '))
      .map((example, index) => ({ ...example, number: index + 1 })),
);

describe('the examples of the documentation run unchanged', () => {
  let cloudWatch: CloudWatchEmulator;
  let logService: LogServiceEmulator;
  beforeAll(async () => {
    cloudWatch = await startCloudWatch({ strict: true });
    logService = await startLogService({ strict: true });
  });
  afterAll(async () => {
    await cloudWatch.close();
    await logService.close();
  });
  const stored = (): number => cloudWatch.events().length + logService.events().length;

  it('finds the examples of all pages', () => {
    expect(new Set(examples.map(({ file }) => file)).size).toBe(10);
  });

  it.each(examples)('$file, example $number', async ({ code }) => {
    const before = stored();
    const { endpoint, project, logstore } = logService.target;
    const directory = mkdtempSync(join(tmpdir(), 'logferry-readme-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const target = {
      SLS_ENDPOINT: endpoint,
      SLS_PROJECT: project,
      SLS_LOGSTORE: logstore,
      SPOOL_DIRECTORY: directory,
    };
    const keys = { ...cloudWatch.env, ...logService.env };
    const env = { ...process.env, ...keys, ...target, NODE_OPTIONS: noNames };
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: `${root}test`, env });
    expect([...cloudWatch.stats().violations, ...logService.stats().violations]).toEqual([]);
    if (/logGroupName: 'shop'|SLS_/.test(code) && /\.(info|accept)\(/.test(code))
      expect(stored()).toBeGreaterThan(before);
  });
});

it.runIf(full)(
  'the demo of the first lines runs to its end in a container, where only localhost has a name',
  async () => {
    const env = { ...process.env, NODE_OPTIONS: noNames };
    const { stdout } = await promisify(execFile)(process.execPath, [`${root}examples/demo/main.js`], { env });
    expect(stdout).toContain('every ledger adds up, nothing is missing');
    expect(stdout.match(/https?:\/\/[^\s/]+/g)?.filter((url) => !url.startsWith('http://127.0.0.1:'))).toEqual([]);
  },
);

function readmes(): string[] {
  return ['core', 'cloudwatch', 'log-service', 'winston', 'pino', 'bunyan', 'emulators'].map(
    (name) => `packages/${name}/README.md`,
  );
}
