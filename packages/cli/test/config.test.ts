import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cloudWatch, directory, messages, run } from './support/command.js';

const GROUP = ['--group', 'shop'];

it('reads a configuration file of TypeScript with a function, below variables and flags', async () => {
  const server = await cloudWatch();
  const cwd = directory();
  writeFileSync(
    join(cwd, 'logferry.config.ts'),
    `import { defineConfig } from 'logferry';
     type Names = { logStreamName?: string };
     export default defineConfig({
       quiet: true,
       cloudwatch: { logGroupName: 'file', route: ({ fields }): Names => ({ logStreamName: String(fields.tenant) }) },
     });`,
  );
  const env = { ...server.env, LOGFERRY_LOG_GROUP_NAME: 'env' };
  const input = '{"level":30,"tenant":"a"}\n{"level":30,"tenant":"b"}\n';
  expect(await run(['cloudwatch'], { env, cwd, input })).toMatchObject({ code: 0, error: '' });
  expect(
    server
      .events()
      .map(({ logGroupName, logStreamName }) => `${logGroupName} ${logStreamName}`)
      .sort(),
  ).toEqual(['env a', 'env b']);
});

it.each([
  ['logferry.config.js', 'export default { cloudwatch: { logGroupName: "shop" } };'],
  ['logferry.config.cjs', 'module.exports = { cloudwatch: { logGroupName: "shop" } };'],
  ['logferry.config.mjs', 'export default { cloudwatch: { logGroupName: "shop" } };'],
  ['logferry.config.json', '{ "cloudwatch": { "logGroupName": "shop" } }'],
])('reads %s', async (name, text) => {
  const server = await cloudWatch();
  const cwd = directory();
  writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(cwd, name), text);
  expect(await run(['cloudwatch'], { env: server.env, cwd, input: 'one\n' })).toMatchObject({ code: 0 });
  expect(messages(server)).toEqual(['one']);
});

it.each([
  [[], {}, '--group is missing: give the flag, LOGFERRY_LOG_GROUP_NAME, or cloudwatch.logGroupName'],
  [['--grup', 'a'], {}, "unknown option '--grup': did you mean --group?"],
  [['--aws_region', 'a'], {}, `unknown option '--aws_region': "aws_region" of pino-cloudwatch is "--region" here`],
  [['--stdout'], {}, `unknown option '--stdout': "stdout" of pino-cloudwatch is "--tee" here`],
  [
    ['--aws_secret_access_key', 'secret'],
    {},
    'set the environment variable AWS_SECRET_ACCESS_KEY, or name a --profile',
  ],
  [['--xyz'], {}, "unknown option '--xyz': logferry cloudwatch --help shows all options"],
  [['--group', '--tee'], {}, '--log-group-name: expected a value, got the flag --tee'],
  [['--group', ''], {}, '--group is missing'],
  [['--group', 'a b'], {}, '--log-group-name: expected a log group name'],
  [[...GROUP, '--concurrency', 'x'], {}, '--concurrency: expected a number, got "x"'],
  [[...GROUP], { LOGFERRY_RETRY_BASE_MS: '-1' }, 'LOGFERRY_RETRY_BASE_MS: expected an integer of at least 1'],
  [[...GROUP, '--multiline', 'maybe'], {}, '--multiline'],
  [[...GROUP, '--config', 'nowhere.js'], {}, '--config: there is no '],
])('refuses %j with %j before it reads anything', async (args, env, message) => {
  const { code, error } = await run(['cloudwatch', ...args], { env, input: 'one\n' });
  expect(error).toContain(message);
  expect(code).toBe(2);
});

it.each([
  [
    'export default { cloudwach: {} };',
    'unknown member "cloudwach": known are cloudwatch, logService, multiline, tee, quiet',
  ],
  ['export default { cloudwatch: { logGroupName: "a", thread: true } };', 'unknown option "thread"'],
  [
    'export default { cloudwatch: { logGroupName: "a", retry: { capMs: 0 } } };',
    'logferry.config.mjs: cloudwatch.retry',
  ],
  ['export default 7;', 'expected an object as its export, got number'],
  ['export default {', 'cannot be loaded'],
])('refuses the configuration file %s', async (text, message) => {
  const cwd = directory();
  writeFileSync(join(cwd, 'logferry.config.mjs'), text);
  const { code, error } = await run(['cloudwatch'], { cwd, input: 'one\n' });
  expect(error).toContain(message);
  expect(code).toBe(2);
});

it.each([
  ['throw null', 'cannot be loaded: null'],
  ["throw 'text'", "cannot be loaded: 'text'"],
  ['await new Promise(() => {})', 'cannot be loaded: the process ended before it was'],
  ['export default Promise.reject(new Error("no"))', 'cannot be loaded: no'],
  ['export default { cloudwatch: () => ({}) }', 'cloudwatch: expected an object, got [Function: cloudwatch]'],
  ['export default { cloudwatch: { nonsense: 1 } }', 'cloudwatch.nonsense: unknown option "nonsense"'],
])('refuses a configuration file of %j, and names it', async (text, message) => {
  const cwd = directory();
  writeFileSync(join(cwd, 'logferry.config.mjs'), text);
  const { code, error } = await run(['cloudwatch', ...GROUP], { cwd });
  expect(code).toBe(2);
  expect(error.startsWith(`logferry: logferry.config.mjs: ${message}`.replace('mjs: cannot', 'mjs cannot'))).toBe(true);
});
