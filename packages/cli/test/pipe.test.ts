import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { BIN, cloudWatch, directory, flagsOf, logService, messages, run, start } from './support/command.js';

const GROUP = ['--group', 'shop'];

function numberOf(text: string): number {
  return Number(text.replaceAll(',', ''));
}

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

it('holds stdin back while the service does not answer, and loses nothing', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const args = ['cloudwatch', ...GROUP, '--max-buffer-bytes', '200000', '--retry-cap-ms', '200'];
  const { child, ended } = start(args, { env: server.env });
  const line = `${'x'.repeat(99)}\n`;
  let written = 0;
  const write = (): void => {
    for (let goesOn = true; goesOn && written < 50_000; written++) goesOn = child.stdin.write(line);
    if (written < 50_000) child.stdin.once('drain', write);
    else child.stdin.end();
  };
  write();
  await expect.poll(() => server.stats().faults.down ?? 0).toBeGreaterThan(3);
  // 5 MB would fit into no pipe and no buffer of this size.
  expect(written).toBeLessThan(20_000);
  server.faults();
  expect(await ended).toMatchObject({ code: 0, error: expect.stringContaining(' delivered') });
  expect(server.events().length).toBe(50_000);
});

it('ships to many streams at once by a template of a field', async () => {
  const server = await cloudWatch();
  const all = Array.from({ length: 2000 }, (_, index) => `{"tenant":"t${index % 500}","index":${index}}`);
  const args = ['cloudwatch', ...GROUP, '--stream', '{field:tenant}'];
  const { code, error } = await run(args, { env: server.env, input: all.join('\n') });
  expect({ code, error }).toEqual({ code: 0, error: expect.stringContaining('2,000 records delivered') });
  expect(new Set(messages(server))).toEqual(new Set(all));
});

it('counts and says what is lost, and ends with code 1', async () => {
  const server = await cloudWatch();
  const args = ['cloudwatch', ...GROUP, '--max-event-bytes', '300', '--oversize', 'drop'];
  const { code, error } = await run(args, { env: server.env, input: `ok\n${'x'.repeat(1000)}\n` });
  expect(code).toBe(1);
  expect(error).toContain('records lost: 1 too-large');
  expect(error).toMatch(/1 record delivered .*; 1 lost \(too-large 1\)\n$/);
});

it('a fault that only an operator mends ends the command within closeTimeoutMs after the input', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, AWS_SECRET_ACCESS_KEY: 'wrong' };
  const startMs = performance.now();
  const { code, error } = await run(['cloudwatch', ...GROUP, '--close-timeout-ms', '1000'], { env, input: 'one\n' });
  expect(performance.now() - startMs).toBeLessThan(10_000);
  expect(code).toBe(1);
  expect(error).toMatch(/AUTH: /);
  expect(error).toMatch(/1 lost \(undeliverable 1\)\n$/);
});

it('waits longer than closeTimeoutMs for a service that may come back', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const { child, ended } = start(['cloudwatch', ...GROUP, '--close-timeout-ms', '300'], { env: server.env });
  child.stdin.end('one\n');
  const before = server.stats().faults.down ?? 0;
  await expect.poll(() => (server.stats().faults.down ?? 0) - before).toBeGreaterThan(4);
  server.faults();
  expect(await ended).toMatchObject({ code: 0 });
  expect(messages(server)).toEqual(['one']);
});

it('a signal has what was read delivered, though the input goes on', async () => {
  const server = await cloudWatch();
  const { child, output, ended } = start(['cloudwatch', ...GROUP], { env: server.env });
  child.stdin.write('one\ntwo\n');
  await expect.poll(() => messages(server).length).toBeGreaterThan(0);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, signal: null });
  expect(output.error).toContain('SIGTERM: delivering what was read; once more ends at once');
  expect([...messages(server)].sort()).toEqual(['one', 'two']);
});

it('a signal ends it while there is no room for more, and what has no room is counted', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const args = ['cloudwatch', ...GROUP, '--max-buffer-bytes', '100000', '--close-timeout-ms', '500'];
  const { child, output, ended } = start(args, { env: server.env });
  child.stdin.write('line\n'.repeat(100_000));
  await expect.poll(() => server.stats().faults.down ?? 0).toBeGreaterThan(0);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 1, signal: null });
  const [, lost, undeliverable, full] =
    /; ([\d,]+) lost \(buffer-full ([\d,]+), undeliverable ([\d,]+)\)/.exec(output.error)?.map(numberOf) ?? [];
  expect(lost).toBe(Number(undeliverable) + Number(full));
  expect(lost).toBeGreaterThan(5000);
});

it('a signal ends it though the reader of --tee does not read, and says so', async () => {
  const server = await cloudWatch();
  const { child, output, ended } = start(['cloudwatch', ...GROUP, '--tee'], { env: server.env });
  child.stdout.removeAllListeners('data').pause();
  child.stdin.write('line\n'.repeat(200_000));
  await expect.poll(() => messages(server).length).toBeGreaterThan(0);
  child.kill('SIGINT');
  await once(child, 'exit');
  child.stdout.resume();
  await ended;
  expect(output.error).toMatch(/of the input were not passed on, since nobody reads them\n$/);
});

it('asks a service that is down no more often for a short closeTimeoutMs', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const { child, output, ended } = start(['cloudwatch', ...GROUP, '--close-timeout-ms', '0'], { env: server.env });
  child.stdin.end('one\n');
  await delay(3000);
  expect(server.stats().faults.down).toBeLessThan(30);
  server.faults();
  expect(await ended).toMatchObject({ code: 0 });
  expect(output.error).toMatch(/^logferry: 1 record delivered/);
});

it('says that --tee cannot be written', async () => {
  const server = await cloudWatch();
  const args = ['-c', 'seq 1000 | "$0" "$@" >/dev/full', process.execPath, BIN, 'cloudwatch', ...GROUP, '--tee'];
  const env = { ...server.env, PATH: process.env.PATH, HOME: directory() };
  const { stderr } = await promisify(execFile)('sh', args, { env });
  expect(stderr).toMatch(/^logferry: stdout cannot be written: ENOSPC.*\nlogferry: 1,000 records delivered.*\n$/);
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

it('the second signal ends it at once, and what waits is said to be lost', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const { child, output, ended } = start(['cloudwatch', ...GROUP], { env: server.env });
  child.stdin.write('one\n');
  await expect.poll(() => server.stats().faults.down ?? 0).toBeGreaterThan(0);
  child.kill('SIGINT');
  await expect.poll(() => output.error).toContain('SIGINT');
  child.kill('SIGINT');
  const { code, error } = await ended;
  expect(code).toBe(130);
  expect(error).toMatch(/records lost: 1 undeliverable/);
});

it('--spool keeps what a killed command read, and the next start delivers it', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const spool = directory();
  const args = ['cloudwatch', ...GROUP, '--stream', 'one', '--spool', spool];
  const first = start(args, { env: server.env });
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`);
  first.child.stdin.write(`${lines.join('\n')}\n`);
  await expect.poll(async () => (await run(['spool', spool])).out).toMatch(/^in all: 1,000 records left/m);
  first.child.kill('SIGKILL');
  await first.ended;
  server.faults();
  expect(await run(args, { env: server.env, input: 'later\n' })).toMatchObject({ code: 0 });
  expect(new Set(messages(server))).toEqual(new Set([...lines, 'later']));
  expect(readdirSync(spool, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.v1'))).toEqual([]);
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

it('a page that answers 200 is no success: the records are lost, and said to be', async () => {
  const portal = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>'));
  }).listen(0, '127.0.0.1');
  await once(portal, 'listening');
  onTestFinished(() => void portal.close());
  const endpoint = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
  const args = ['log-service', '--endpoint', endpoint, '--project', 'shop', '--logstore', 'logs'];
  const delivery = ['--retry-max-age-ms', '2000', '--max-delay-ms', '10', '--close-timeout-ms', '500'];
  const { code, error } = await run([...args, ...delivery], { input: 'one\n' });
  expect(code).toBe(1);
  expect(error).toMatch(/1 lost/);
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
