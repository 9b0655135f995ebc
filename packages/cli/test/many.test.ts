import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { BIN, cloudWatch, directory, messages, run } from './support/command.js';

/** Streams at once, and files. */
const STREAMS = full ? 500 : 150;
const FILES = full ? 300 : 120;

it('ships to many streams at once by a template of a field', async () => {
  const server = await cloudWatch();
  const all = Array.from({ length: 2000 }, (_, index) => `{"tenant":"t${index % STREAMS}","index":${index}}`);
  const args = ['cloudwatch', '--group', 'shop', '--stream', '{field:tenant}'];
  const { code, error } = await run(args, { env: server.env, input: all.join('\n') });
  expect({ code, error }).toEqual({ code: 0, error: expect.stringContaining('2,000 records delivered') });
  expect(new Set(messages(server))).toEqual(new Set(all));
});

it('ships more files than a process may have open, and goes on with them', async () => {
  const server = await cloudWatch();
  const folder = directory();
  for (let index = 0; index < FILES; index++) writeFileSync(join(folder, `${index}.log`), `line ${index}\n`);
  const env = { ...server.env, PATH: process.env.PATH, HOME: folder };
  const ship = (...flags: string[]): Promise<{ stderr: string }> => {
    const command = [process.execPath, BIN, 'ship', 'cloudwatch', '--group', 'shop', ...flags];
    return promisify(execFile)('sh', ['-c', `ulimit -n 100; "$0" "$@" ${folder}/*.log`, ...command], { env });
  };
  expect((await ship()).stderr).toContain(`${FILES} records delivered`);
  expect((await ship('--resume')).stderr).toContain('0 records delivered');
});
