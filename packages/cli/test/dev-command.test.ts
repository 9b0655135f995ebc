import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { run, start } from './support/command.js';

it('prints the page, the variables, and commands that work with them', async () => {
  const { child, output, ended } = start(['dev', '--port', '0']);
  await expect.poll(() => output.out, { timeout: 20_000 }).toContain('Ctrl-C');
  const env = Object.fromEntries(
    [...output.out.matchAll(/^ {2}export (\w+)=(\S+)$/gm)].map(([, name, text]) => [name, text]),
  );
  const args = [...output.out.matchAll(/npx logferry (cloudwatch|log-service)(.*)$/gm)].map(([, cloud, flags]) =>
    [cloud, ...String(flags).trim().split(' ')].map(String),
  );
  expect(args).toHaveLength(2);
  for (const each of args) expect(await run(each, { env, input: 'hello\n' })).toMatchObject({ code: 0 });
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, error: '' });
});

it('names the flag of a port that is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { code, error } = await run(['dev', '--port', String(port)]);
  expect(error).toMatch(new RegExp(`^logferry: --port: ${port} is not free .*\n$`));
  expect(code).toBe(2);
});

it.each([
  ['--project', 'A B'],
  ['--logstore', 'A B'],
  ['--region', 'a b'],
  ['--port', '70000'],
])('refuses %s %s in one line', async (flag, text) => {
  const { code, error } = await run(['dev', flag, text]);
  expect(error).toMatch(new RegExp(`^logferry: ${flag}.*: expected .*\n$`));
  expect(code).toBe(2);
});
