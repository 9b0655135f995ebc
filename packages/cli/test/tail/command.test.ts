import { expect, it } from 'vitest';
import { cloudWatch, logService, run, start } from '../support/command.js';
import { looks } from './support.js';

it('prints what the command itself shipped, and ends by SIGINT with exit code 0 while it waits', async () => {
  const { env } = await cloudWatch();
  const input = `{"level":40,"time":${Date.now()},"pid":1,"hostname":"a","msg":"slow","ms":900}\n[error] disk is full\n`;
  await run(['cloudwatch', '--group', 'shop', '--stream', 'web'], { env, input });
  const { child, output, ended } = start(['tail', 'cloudwatch', '--group', 'shop'], { env });
  await expect.poll(() => output.out).toContain('disk is full');
  expect(output.out.replace(/^[\d:.]+ /gm, '')).toBe('WARN  slow  ms=900  [web]\nERROR [error] disk is full  [web]\n');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, error: '' });
});

it('waits for an answer, and ends by SIGTERM while none comes', async () => {
  const server = await cloudWatch();
  server.faults({ hang: 1, only: ['FilterLogEvents'] });
  const { child, ended } = start(['tail', 'cloudwatch', '--group', 'shop', '--no-follow'], { env: server.env });
  await expect.poll(() => looks(server)).toBe(1);
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, signal: null, out: '', error: '' });
});

it('prints logs of a logstore, raw as they came, and ends without --follow', async () => {
  const { env, target } = await logService();
  const place = ['--endpoint', target.endpoint, '--project', target.project, '--logstore', target.logstore];
  await run(['log-service', ...place], { env, input: 'WARN one\ntwo\n' });
  expect(await run(['tail', 'log-service', ...place, '--no-follow', '--level', 'warn'], { env })).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^[\d:.]+ WARN {2}WARN one/),
  });
  const { out } = await run(['tail', 'log-service', ...place, '--no-follow', '--raw', '--grep', 'two'], { env });
  expect(JSON.parse(out)).toMatchObject({ message: 'two', __source__: expect.any(String) });
});

it('says what is wrong and what to do, with exit code 1, and with 2 for a wrong option', async () => {
  const { env } = await cloudWatch();
  expect(await run(['tail', 'cloudwatch', '--group', 'none'], { env })).toMatchObject({
    code: 1,
    out: '',
    error: expect.stringContaining('(check the name of the log group, the region and the account;'),
  });
  expect(await run(['doctor', 'cloudwatch', '--group', 'a:b', '--policy', 'json'], { env })).toMatchObject({
    code: 2,
    out: '',
    error: expect.stringMatching(/^logferry: --log-group-name: expected a log group name /),
  });
  expect(await run(['tail', 'cloudwatch', '--group', 'none', '--level', 'loud'], { env })).toMatchObject({
    code: 2,
    error: expect.stringContaining('--level: expected trace, debug, info, warn, error, fatal or a number, got "loud"'),
  });
});
