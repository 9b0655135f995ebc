import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { cloudWatch, directory, flagsOf, logService, messages, run, start } from './support/command.js';

const SHIP = ['ship', 'cloudwatch', '--group', 'shop', '--stream', 'files'];
const DAY_MS = 86_400_000;

/** Makes a file, and returns its path. */
function file(content: string | Uint8Array, name = 'app.log'): string {
  const path = join(directory(), name);
  writeFileSync(path, content);
  return path;
}

function lines(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${new Date().toISOString()} INFO line ${from + index}`);
}

it('ships files in their order, plain and compressed, one with several gzip members', async () => {
  const server = await cloudWatch();
  const [a, b, c] = [lines(1000), lines(1000, 1000), lines(1000, 2000)];
  const members = Buffer.concat([b, c].map((part) => gzipSync(`${part.join('\n')}\n`)));
  const { code, error } = await run([...SHIP, file(a.join('\n')), file(members, 'old.log.gz')], { env: server.env });
  expect({ code, error }).toEqual({ code: 0, error: expect.stringContaining('3,000 records delivered') });
  expect(new Set(messages(server))).toEqual(new Set([...a, ...b, ...c]));
});

it('ships to Log Service, which takes any time without a signature', async () => {
  const server = await logService();
  const path = file('2001-01-01T00:00:00.000Z WARN old\n');
  expect(await run(['ship', 'log-service', ...flagsOf(server), path])).toMatchObject({ code: 0 });
  expect(server.events()[0]?.fields).toMatchObject({ time: '2001-01-01T00:00:00.000Z', level: 'warn' });
});

it('--resume goes on after the last run, with what the file got since', async () => {
  const server = await cloudWatch();
  const home = directory();
  const env = { ...server.env, HOME: home };
  const path = file(`${lines(100).join('\n')}\n`);
  await run([...SHIP, path], { env });
  appendFileSync(path, `${lines(50, 100).join('\n')}\n`);
  const { error } = await run([...SHIP, '--resume', path], { env });
  expect(error).toContain(`${path}: went on after 100 records`);
  expect(error).toContain('50 records delivered');
  expect(server.events()).toHaveLength(150);
});

it('--resume sends a last line without its end again if it went on since, and only then', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, HOME: directory() };
  const path = file('one\nhalf');
  await run([...SHIP, path], { env });
  await run([...SHIP, '--resume', path], { env });
  expect([...messages(server)].sort()).toEqual(['half', 'one']);
  appendFileSync(path, ' and half\n');
  await run([...SHIP, '--resume', path], { env });
  await run([...SHIP, '--resume', path], { env });
  expect([...messages(server)].sort()).toEqual(['half', 'half and half', 'one']);
});

it('--resume begins anew where the environment names another service', async () => {
  const [first, second] = [await cloudWatch(), await cloudWatch()];
  const home = { HOME: directory() };
  const path = file('one\n');
  await run([...SHIP, path], { env: { ...first.env, ...home } });
  await run([...SHIP, '--resume', path], { env: { ...second.env, ...home } });
  expect(messages(second)).toEqual(['one']);
});

it('--resume looks only at the times of what is not delivered yet', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, HOME: directory() };
  const path = file(`${new Date(Date.now() - 20 * DAY_MS).toISOString()} INFO old\n`);
  await run([...SHIP, '--out-of-window', 'now', path], { env });
  appendFileSync(path, `${lines(2).join('\n')}\n`);
  expect(await run([...SHIP, '--resume', path], { env })).toMatchObject({ code: 0 });
  expect(server.events()).toHaveLength(3);
});

it('--resume begins anew with another target, and with a file that was replaced', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, HOME: directory() };
  const path = file('one\n');
  await run([...SHIP, path], { env });
  await run(['ship', 'cloudwatch', '--group', 'other', '--resume', path], { env });
  writeFileSync(path, 'two\n');
  await run([...SHIP, '--resume', path], { env });
  expect([...messages(server)].sort()).toEqual(['one', 'one', 'two']);
});

it.each(full ? [false, true] : [true])(
  'a killed run that --resume continues loses nothing, and repeats what was in flight at most: gzip %s',
  async (isCompressed) => {
    const server = await cloudWatch();
    server.faults({ delayMs: 30 });
    const env = { ...server.env, HOME: directory() };
    const all = lines(60_000);
    const text = `${all.join('\n')}\n`;
    const path = file(isCompressed ? gzipSync(text) : text);
    const args = [...SHIP, '--max-buffer-bytes', '1000000', '--resume', path];
    const first = start(args, { env });
    await expect.poll(() => server.events().length, { interval: 5 }).toBeGreaterThan(20_000);
    first.child.kill('SIGKILL');
    await first.ended;
    const before = server.events().length;
    expect(before).toBeLessThan(60_000);
    const { code, error } = await run(args, { env });
    expect(code).toBe(0);
    expect(error).toMatch(/went on after [\d,]+ records/);
    expect(new Set(messages(server))).toEqual(new Set(all));
    // The budget of 1 MB holds less than 10,000 of them; a mark is made each 10,000.
    expect(server.events().length - all.length).toBeLessThan(20_000);
  },
);

it('a signal ends it in good order, and says how to go on', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, HOME: directory() };
  const all = lines(100_000);
  const path = file(all.join('\n'));
  const args = [...SHIP, '--max-records-per-second', '5000', path];
  const first = start(args, { env });
  await expect.poll(() => server.events().length).toBeGreaterThan(0);
  first.child.kill('SIGINT');
  const { code, error } = await first.ended;
  expect(code).toBe(1);
  expect(error).toContain('interrupted: the same command with --resume goes on');
  const delivered = server.events().length;
  expect(await run([...SHIP, '--resume', path], { env })).toMatchObject({
    code: 0,
    error: expect.stringContaining(`went on after ${delivered.toLocaleString('en-US')} records`),
  });
  expect(server.events()).toHaveLength(all.length);
});

it('--max-records-per-second holds it back', async () => {
  const server = await cloudWatch();
  const startMs = performance.now();
  await run([...SHIP, '--max-records-per-second', '100', file(lines(150).join('\n'))], { env: server.env });
  expect(performance.now() - startMs).toBeGreaterThan(1000);
  expect(server.events()).toHaveLength(150);
});

it('counts records that the service does not take up front, and ships nothing before it is told how', async () => {
  const server = await cloudWatch();
  const old = `${new Date(Date.now() - 20 * DAY_MS).toISOString()} INFO old`;
  const path = file(`${old}\n${lines(2).join('\n')}\n`);
  const { code, error } = await run([...SHIP, path], { env: server.env });
  expect(code).toBe(1);
  expect(error).toMatch(
    /1 of 3 records have a time that the service does not take now .*: nothing was shipped\. --out-of-window now/,
  );
  expect(server.stats().requests).toEqual({});

  expect(await run([...SHIP, '--out-of-window', 'skip', path], { env: server.env })).toMatchObject({ code: 0 });
  expect(messages(server)).not.toContain(old);
  expect(server.events()).toHaveLength(2);

  const startMs = Date.now();
  const now = await run([...SHIP, '--out-of-window', 'now', path], { env: server.env });
  expect(now).toMatchObject({ code: 0, error: expect.stringContaining('1 got the time now') });
  expect(server.events().find(({ message }) => message === old)?.timestamp).toBeGreaterThanOrEqual(startMs);
});

it('ships what can be read of a compressed file that is cut off, says so, and ends with code 1', async () => {
  const server = await cloudWatch();
  const all = lines(50_000);
  const whole = gzipSync(all.join('\n'));
  const part = whole.subarray(0, whole.length / 2);
  const path = file(part);
  const { code, error } = await run([...SHIP, path], { env: server.env });
  expect(code).toBe(1);
  expect(error).toContain(`${path} cannot be read to its end: unexpected end of file`);
  const readable = gunzipSync(part, { finishFlush: constants.Z_SYNC_FLUSH }).toString().split('\n');
  expect(new Set(messages(server))).toEqual(new Set(readable));
});

it('refuses a named pipe, and does not wait for its writer', async () => {
  const path = join(directory(), 'pipe');
  execFileSync('mkfifo', [path]);
  expect(await run([...SHIP, path])).toMatchObject({
    code: 2,
    error: `logferry: ${path} cannot be read: it is no file\n`,
  });
});

it.each(['', '{', 'null', '{}', '{"offset":-5,"records":1,"fingerprint":{"bytes":0,"sha256":""}}'])(
  '--resume begins anew with the damaged mark %j, and says so',
  async (text) => {
    const server = await cloudWatch();
    const home = directory();
    const env = { ...server.env, HOME: home };
    const path = file('one\n');
    await run([...SHIP, path], { env });
    const marks = join(home, '.local', 'state', 'logferry');
    for (const name of readdirSync(marks)) writeFileSync(join(marks, name), text);
    const { code, error } = await run([...SHIP, '--resume', path], { env });
    expect(code).toBe(0);
    expect(error).toMatch(/: the mark .* begins anew\n/);
    expect(messages(server)).toEqual(['one', 'one']);
  },
);

it('--resume begins anew with a file that is shorter than its mark, though it begins as before', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, HOME: directory() };
  const all = `${lines(1000).join('\n')}\n`;
  const path = file(all);
  await run([...SHIP, path], { env });
  writeFileSync(path, all.slice(0, all.indexOf('line 500')));
  expect(await run([...SHIP, '--resume', path], { env })).toMatchObject({
    error: expect.stringMatching(/^logferry: 501 records delivered/),
  });
});

it('ships though no mark can be made, and says so', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, XDG_STATE_HOME: '/etc/hostname' };
  const { code, error } = await run([...SHIP, file('one\n')], { env });
  expect(code).toBe(0);
  expect(error).toMatch(/app\.log: no mark for --resume can be made: ENOTDIR.*\n$/);
});

it('--resume does not begin again with what is lost for good, such as a line that is too long', async () => {
  const server = await cloudWatch();
  const env = { ...server.env, HOME: directory() };
  const path = file(`one\n\u001b[31m${'x'.repeat(5_000_000)}\n`);
  const { code, error } = await run([...SHIP, '--resume', '--no-drop-notice', path], { env });
  expect({ code, error }).toEqual({ code: 1, error: expect.stringContaining('1 lost (too-large 1)') });
  expect(error).not.toContain('\u001b');
  expect(await run([...SHIP, '--resume', '--no-drop-notice', path], { env })).toMatchObject({ code: 0 });
  expect(messages(server)).toEqual(['one']);
});

it('a signal ends it while the service is down, and there is no room for more', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const args = [...SHIP, '--max-buffer-bytes', '100000', '--close-timeout-ms', '500', file(lines(50_000).join('\n'))];
  const { child, ended } = start(args, { env: server.env });
  await expect.poll(() => server.stats().faults.down ?? 0).toBeGreaterThan(0);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 1, error: expect.stringContaining('interrupted') });
});

it.each([
  [['/nowhere/a.log'], '/nowhere/a.log cannot be read: ENOENT'],
  [['/etc'], '/etc cannot be read: it is no file'],
  [[], "missing required argument 'files'"],
  [['--out-of-window', 'never', '/etc/passwd'], '--out-of-window: expected stop or now or skip, got "never"'],
  [['--max-records-per-second', '0', '/etc/passwd'], '--max-records-per-second: expected a number of at least 1'],
])('refuses %j', async (args, message) => {
  const { code, error } = await run([...SHIP, ...args]);
  expect(error).toContain(message);
  expect(code).toBe(2);
});
