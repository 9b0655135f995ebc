import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

const readme = await readFile(`${PACKAGE}/README.md`, 'utf8');
/** Only examples that begin with an import are complete. */
const examples = [...readme.matchAll(/```js\n(import [\s\S]*?)```/g)].map(([, code = '']) => code);

it('the README has an example for each server', () => {
  const servers = [
    /servers[\s\S]*target/,
    /startCloudWatch/,
    /startLogService/,
    /@alicloud\/log[\s\S]*startLogService/,
    /startDev/,
    /startSts/,
  ];
  expect(examples).toMatchObject(servers.map((name) => expect.stringMatching(name)));
});

it.each(examples)('the README’s example prints the values in its comments', async (example) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', example], {
    cwd: PACKAGE,
  });
  const printed = [...example.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, comment]) => comment);
  expect(stdout.trimEnd().split('\n')).toEqual(printed);
  expect(printed).toHaveLength(2);
});
