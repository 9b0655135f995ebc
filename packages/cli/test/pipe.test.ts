import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { BIN, cloudWatch, directory, flagsOf, logService, messages, run, start } from './support/command.js';

const GROUP = ['--group', 'shop'];

it('ships lines of pino, bunyan, winston, other JSON and text to CloudWatch as they are, with their own times', async () => {
  const server = await cloudWatch();
  const now = Date.now();
  const iso = new Date(now).toISOString();
  const lines = [
    `{"level":30,"time":${now},"pid":1,"hostname":"a","msg":"of pino"}`,
    `{"name":"shop","hostname":"a","pid":1,"level":40,"msg":"of bunyan","time":"${iso}","v":0}`,
    `{"level":"info","message":"of winston","timestamp":"${iso}"}`,
    `{"severity":"ERROR","@timestamp":"${iso}","text":"of another"}`,
    `${iso} WARN a text`,
  ];
  const { code, out, error } = await run(['cloudwatch', ...GROUP], { env: server.env, input: `${lines.join('\n')}\n` });
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(error).toMatch(/^logferry: 5 records delivered to Amazon CloudWatch Logs in .* by 1 request\n$/);
  expect([...messages(server)].sort()).toEqual([...lines].sort());
  expect(new Set(server.events().map(({ timestamp }) => timestamp))).toEqual(new Set([now]));
  expect(server.events()[0]?.logGroupName).toBe('shop');
});

it('ships the fields of JSON, and a text as message, to Log Service', async () => {
  const server = await logService();
  const input =
    '{"level":40,"time":1700000000000,"msg":"hi","user":{"id":7}}\n2026-11-28T04:00:00.123Z [error] broken\n';
  expect(await run(['log-service', ...flagsOf(server)], { input })).toMatchObject({ code: 0 });
  expect(server.events().map(({ fields }) => fields)).toMatchObject([
    { level: 'warn', time: '2023-11-14T22:13:20.000Z', msg: 'hi', user: '{"id":7}' },
    { level: 'error', time: '2026-11-28T04:00:00.123Z', message: '2026-11-28T04:00:00.123Z [error] broken' },
  ]);
});

it('signs for Log Service with the keys of the environment', async () => {
  const server = await logService({ logstores: [], webTrackingOff: ['logs'] });
  const args = ['log-service', ...flagsOf(server), '--credentials', 'env', '--region', server.region];
  expect(await run(args, { env: server.env, input: 'one\n' })).toMatchObject({ code: 0 });
  expect(server.events()).toHaveLength(1);
});

it('joins a stack trace to the line before it, and a last line without its end is a line', async () => {
  const server = await cloudWatch();
  const trace = 'Error: it failed\n    at one (a.js:1:1)\n    at two (a.js:2:2)';
  await run(['cloudwatch', ...GROUP], { env: server.env, input: `${trace}\n\nthe next` });
  expect([...messages(server)].sort()).toEqual([trace, 'the next'].sort());
});

it('--multiline off makes each line a record', async () => {
  const server = await cloudWatch();
  await run(['cloudwatch', ...GROUP, '--multiline', 'off'], { env: server.env, input: 'a\n  b\n' });
  expect([...messages(server)].sort()).toEqual(['  b', 'a']);
});

it('delivers a line that is held for its continuation while the input is idle', async () => {
  const server = await cloudWatch();
  const { child } = start(['cloudwatch', ...GROUP, '--max-delay-ms', '50'], { env: server.env });
  child.stdin.write('still running\n');
  await expect.poll(() => messages(server)).toEqual(['still running']);
});

it('--tee passes the input on byte for byte', async () => {
  const server = await cloudWatch();
  const input = Buffer.concat([Buffer.from('a\r\n\n{"b":1}\n'), Buffer.from([0xff, 0x00, 0x0a])]);
  const { code, out } = await run(['cloudwatch', ...GROUP, '--tee'], { env: server.env, input });
  expect({ code, out: Buffer.from(out, 'latin1') }).toEqual({ code: 0, out: input });
});

it('a reader of --tee that ends early, as head does, loses no record', async () => {
  const server = await cloudWatch();
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}`);
  const { child, ended } = start(['cloudwatch', ...GROUP, '--tee'], { env: server.env });
  child.stdout.once('data', () => child.stdout.destroy());
  child.stdin.end(lines.join('\n'));
  expect(await ended).toMatchObject({ code: 0 });
  expect(new Set(messages(server))).toEqual(new Set(lines));
});

it('counts and says what is lost, and ends with code 1', async () => {
  const server = await cloudWatch();
  const args = ['cloudwatch', ...GROUP, '--max-event-bytes', '300', '--oversize', 'drop'];
  const { code, error } = await run(args, { env: server.env, input: `ok\n${'x'.repeat(1000)}\n` });
  expect(code).toBe(1);
  expect(error).toContain('records lost: 1 too-large');
  expect(error).toMatch(/1 record delivered .*; 1 lost \(too-large 1\)\n$/);
});

it('says that --tee cannot be written, and ends with code 1', async () => {
  const server = await cloudWatch();
  const args = ['-c', 'seq 1000 | "$0" "$@" >/dev/full', process.execPath, BIN, 'cloudwatch', ...GROUP, '--tee'];
  const env = { ...server.env, PATH: process.env.PATH, HOME: directory() };
  await expect(promisify(execFile)('sh', args, { env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^logferry: stdout cannot be written: ENOSPC.*\nlogferry: 1,000 records delivered.*\n$/,
    ),
  });
});

it('refuses a directory as stdin', async () => {
  const args = ['-c', '"$0" "$@" </etc', process.execPath, BIN, 'cloudwatch', ...GROUP];
  await expect(promisify(execFile)('sh', args)).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('stdin is a directory'),
  });
});

it('says which variable is probably misspelt', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, LOGFERRY_LOG_STREAM: 'x', LOGFERRY_RESUME: '1', LOGFERRY_SERVICE_HOST: '10.0.0.1' };
  const { error } = await run(['cloudwatch', ...GROUP, '--quiet'], { env, input: 'one\n' });
  expect(error).toBe('logferry: LOGFERRY_LOG_STREAM is not read: did you mean LOGFERRY_LOG_STREAM_NAME?\n');
});

it('shows a status line on a terminal, and takes it away at the end', async () => {
  const server = await cloudWatch();
  const command = `(echo one; sleep 1) | ${process.execPath} ${BIN} cloudwatch --group shop --max-delay-ms 100`;
  const { out } = await new Promise<{ out: string }>((resolve) => {
    const env = { PATH: process.env.PATH, TERM: 'xterm', HOME: directory(), ...server.env };
    execFile('script', ['-qec', command, '/dev/null'], { env }, (_error, out) => resolve({ out }));
  });
  const shown = out.split('\r\u001b[K');
  expect(shown).toContainEqual(expect.stringMatching(/^\d+\/s · 1 delivered · 0 waiting$/));
  expect(shown.at(-1)).toMatch(/^logferry: 1 record delivered [^\r]*\r\n$/);
});

it('shows no status line where --tee writes', async () => {
  const server = await cloudWatch();
  const command = `(echo one; sleep 1; echo two) | ${process.execPath} ${BIN} cloudwatch --group shop --tee`;
  const env = { PATH: process.env.PATH, TERM: 'xterm', HOME: directory(), ...server.env };
  const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], { env });
  expect(stdout).toMatch(/^one\r\ntwo\r\nlogferry: 2 records delivered [^\r]*\r\n$/);
});

it('says nothing with --quiet if nothing is lost', async () => {
  const server = await cloudWatch();
  expect(await run(['cloudwatch', ...GROUP, '--quiet'], { env: server.env, input: 'one\n' })).toEqual({
    code: 0,
    signal: null,
    out: '',
    error: '',
  });
});
