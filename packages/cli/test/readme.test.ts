import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { BIN, cloudWatch, directory, logService } from './support/command.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text.trim());

it('finds the commands', () => {
  expect(commands.length).toBeGreaterThan(8);
});

it.each(commands)('this command of the README runs: %s', async (command) => {
  const servers = [await cloudWatch(), await logService()] as const;
  const [cloud, { target, env: keys }] = servers;
  const cwd = directory();
  writeFileSync(
    join(cwd, 'app.js'),
    'console.log(JSON.stringify({ level: 30, time: Date.now(), msg: "order placed" }));',
  );
  writeFileSync(join(cwd, 'app.log'), 'one\ntwo\n');
  writeFileSync(join(cwd, 'old.log.gz'), gzipSync('three\n'));
  mkdirSync(join(cwd, 'spool'));
  const shop = `npx() { shift; ${process.execPath} ${BIN} "$@"; }; npx logferry ship cloudwatch --quiet --group shop app.log; ${command}`;
  const env = {
    PATH: process.env.PATH,
    HOME: directory(),
    ...cloud.env,
    ...keys,
    SLS_ENDPOINT: target.endpoint,
    SLS_PROJECT: target.project,
    SLS_LOGSTORE: target.logstore,
    SPOOL_DIRECTORY: join(cwd, 'spool'),
  };
  const error = await new Promise((resolve) =>
    execFile('bash', ['-ec', shop], { cwd, env }, (failure) => resolve(failure)),
  );
  expect(error).toBeNull();
  for (const { stats } of servers) expect(stats().violations).toEqual([]);
  if (/logferry (cloudwatch|run)/.test(command)) expect(cloud.events()).toHaveLength(3);
  if (/ship/.test(command)) expect(cloud.events()).toHaveLength(5);
});

it('names every command', () => {
  for (const name of ['cloudwatch', 'log-service', 'run', 'ship', 'tail', 'doctor', 'dev', 'spool', 'complete'])
    expect(readme).toContain(`logferry ${name}`);
});

it('has a heading for each link to one', () => {
  const headings = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text.toLowerCase().replaceAll(' ', '-'));
  for (const [, anchor] of readme.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(anchor);
});
