import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { cloudWatch, directory, messages, run, start } from './support/command.js';

const GROUP = ['--group', 'shop'];

function numberOf(text: string): number {
  return Number(text.replaceAll(',', ''));
}

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
  await expect.poll(() => server.stats().faults.down ?? 0).toBeGreaterThan(0);
  await delay(3000);
  expect(server.stats().faults.down).toBeLessThan(30);
  server.faults();
  expect(await ended).toMatchObject({ code: 0 });
  expect(output.error).toMatch(/^logferry: 1 record delivered/);
});

it('a signal ends it while the last of an input that has ended has no room', async () => {
  const server = await cloudWatch();
  server.faults({ down: true });
  const args = ['cloudwatch', ...GROUP, '--max-buffer-bytes', '20000', '--close-timeout-ms', '500'];
  const { child, ended, output } = start(args, { env: server.env });
  child.stdin.end(`${'x'.repeat(99)}\n`.repeat(500));
  await expect.poll(() => server.stats().faults.down ?? 0).toBeGreaterThan(3);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 1, signal: null });
  const { delivered = 0, lost } =
    /(?<delivered>[\d,]+) records? delivered .*; (?<lost>[\d,]+) lost/.exec(output.error)?.groups ?? {};
  expect([delivered, lost]).toEqual(['0', '500']);
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
