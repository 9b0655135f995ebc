import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const FENCE = /```js\n([\s\S]*?)```/g;

/** Complete examples begin with an import; others are fragments. */
const examples = ['README.md', ...readmes()].flatMap((file) =>
  [...readFileSync(root + file, 'utf8').matchAll(FENCE)]
    .map(([, code = '']) => ({ file, code }))
    .filter(({ code }) => code.startsWith('import '))
    .map((example, index) => ({ ...example, number: index + 1 })),
);

describe('the examples of the READMEs run as they are printed', () => {
  let cloud: CloudWatchEmulator;
  beforeAll(async () => {
    cloud = await startCloudWatch();
  });
  afterAll(() => cloud.close());

  it('sees the READMEs', () => {
    expect(new Set(examples.map(({ file }) => file)).size).toBe(7);
  });

  it.each(examples)('$file, example $number', async ({ code }) => {
    const before = cloud.events().length;
    const env = { ...process.env, ...cloud.env };
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: `${root}test`, env });
    expect(cloud.stats().violations).toEqual([]);
    if (/logGroupName: 'shop'/.test(code) && /\.(info|accept)\(/.test(code)) {
      expect(cloud.events().length).toBeGreaterThan(before);
    }
  });
});

function readmes(): string[] {
  return ['core', 'cloudwatch', 'winston', 'pino', 'bunyan', 'emulators'].map((name) => `packages/${name}/README.md`);
}
