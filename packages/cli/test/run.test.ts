import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { cloudWatch, messages, run, start } from './support/command.js';

const RUN = ['run', 'cloudwatch', '--group', 'shop'];

it('ships stdout and stderr of the program, and exits with its code', async () => {
  const server = await cloudWatch();
  const program = 'console.log("to stdout"); console.error("to stderr"); process.exitCode = 3;';
  const { code, out, error } = await run([...RUN, '--', process.execPath, '-e', program], { env: server.env });
  expect({ code, out }).toEqual({ code: 3, out: '' });
  expect(error).toMatch(/^logferry: 2 records delivered /);
  expect([...messages(server)].sort()).toEqual(['to stderr', 'to stdout']);
});

it('--tee passes both on, each to its own', async () => {
  const server = await cloudWatch();
  const program = 'console.log("to stdout"); console.error("to stderr");';
  const { out, error } = await run([...RUN, '--tee', '--quiet', '--', process.execPath, '-e', program], {
    env: server.env,
  });
  expect({ out, error }).toEqual({ out: 'to stdout\n', error: 'to stderr\n' });
});

it('takes what follows the program as its arguments, also without --', async () => {
  const server = await cloudWatch();
  const { code } = await run([...RUN, 'echo', '--tee', '--quiet'], { env: server.env });
  expect(code).toBe(0);
  expect(messages(server)).toEqual(['--tee --quiet']);
});

it('gives the program stdin and the environment as they are', async () => {
  const server = await cloudWatch();
  const program =
    'console.log(process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED, process.env.SHOP); process.stdin.pipe(process.stdout)';
  const env = { ...server.env, SHOP: 'here' };
  await run([...RUN, '--', process.execPath, '-e', program], { env, input: 'of stdin\n' });
  expect([...messages(server)].sort()).toEqual(['of stdin', 'undefined here']);
});

it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)(
  'passes %s on, ships the last words, and exits with the code of the program',
  async (signal) => {
    const server = await cloudWatch();
    const program = `process.on('${signal}', () => { console.log('last words'); process.exit(5); }); console.log('up'); setInterval(() => {}, 1000);`;
    const { child, ended } = start([...RUN, '--max-delay-ms', '20', '--', process.execPath, '-e', program], {
      env: server.env,
    });
    await expect.poll(() => messages(server)).toEqual(['up']);
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 5, signal: null });
    expect(messages(server)).toEqual(['up', 'last words']);
  },
);

it('exits with 128 + n when the signal n ends the program', async () => {
  const server = await cloudWatch();
  const program = 'console.log("up"); process.kill(process.pid, "SIGKILL");';
  expect(await run([...RUN, '--', process.execPath, '-e', program], { env: server.env })).toMatchObject({ code: 137 });
  expect(messages(server)).toEqual(['up']);
});

it('does not wait for a program that was left behind, and holds the pipes open', async () => {
  const server = await cloudWatch();
  const startMs = performance.now();
  const { code, error } = await run([...RUN, '--', 'sh', '-c', 'sleep 60 & echo done; echo $!'], { env: server.env });
  expect(code).toBe(0);
  expect(error).toMatch(/^logferry: sh left a program behind: .*\nlogferry: 2 records/);
  expect(performance.now() - startMs).toBeLessThan(20_000);
  const [said, pid] = [...messages(server)].sort((a, b) => b.localeCompare(a));
  expect(said).toBe('done');
  process.kill(Number(pid), 'SIGKILL');
});

it('waits for the rest of a program that ended while the service is slow, and loses nothing of it', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  // The pipe holds what the command has no room for.
  const args = ['--max-buffer-bytes', '100000', '--retry-cap-ms', '200', '--', 'seq', '30000'];
  const { ended } = start([...RUN, ...args], { env: server.env });
  await delay(4000);
  server.faults();
  const { code, error } = await ended;
  expect({ code, error }).toEqual({ code: 0, error: expect.stringContaining('30,000 records delivered') });
  expect(server.events()).toHaveLength(30_000);
});

it('a signal after the end of the program ends it while there is no room for the rest', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const args = ['--max-buffer-bytes', '100000', '--close-timeout-ms', '500', '--', 'sh', '-c', 'seq 30000'];
  const { child, output, ended } = start([...RUN, ...args], { env: server.env });
  await expect.poll(() => server.stats().faults.down ?? 0).toBeGreaterThan(1);
  // Held back, it may still write when the signal comes; then it does not end by it.
  await expect
    .poll(() => {
      child.kill('SIGHUP');
      return output.error;
    })
    .toContain('SIGHUP: delivering what was read');
  expect((await ended).code).not.toBe(0);
});

it('the second signal after the end of the program ends the command, and what waits is said to be lost', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const { child, output, ended } = start([...RUN, '--', 'echo', 'one'], { env: server.env });
  await expect.poll(() => output.error + (server.stats().faults?.down ?? '')).not.toBe('');
  child.kill('SIGTERM');
  await expect.poll(() => output.error).toContain('SIGTERM: delivering what was read');
  child.kill('SIGTERM');
  const { code, error } = await ended;
  expect(code).toBe(143);
  expect(error).toContain('records lost: 1 undeliverable');
});

it('exits with 127 for a program that is not there, and with 126 for one that cannot be started', async () => {
  const server = await cloudWatch();
  expect(await run([...RUN, '--', 'no-such-program'], { env: server.env })).toMatchObject({
    code: 127,
    error: 'logferry: no-such-program: not found\n',
  });
  const { code, error } = await run([...RUN, '--', '/etc/passwd'], { env: server.env });
  expect(code).toBe(126);
  expect(error).toMatch(/^logferry: \/etc\/passwd cannot be started: .*EACCES\n$/);
  const nameless = await run([...RUN, '--', ''], { env: server.env });
  expect(nameless.code).toBe(126);
  expect(nameless.error).toMatch(/^logferry: "" cannot be started: .*\n$/);
});

it('exits with 1 if the program went well, and records were lost', async () => {
  const server = await cloudWatch();
  const args = ['--max-event-bytes', '300', '--oversize', 'drop', '--', process.execPath, '-p', '"x".repeat(1000)'];
  expect(await run([...RUN, ...args], { env: server.env })).toMatchObject({ code: 1 });
});

it('refuses to run nothing', async () => {
  const { child, ended } = start(RUN, {});
  await once(child.stderr, 'data');
  expect(await ended).toMatchObject({ code: 2, error: expect.stringContaining("missing required argument 'program'") });
});
