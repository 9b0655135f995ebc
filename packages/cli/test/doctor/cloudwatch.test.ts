import { beforeEach, expect, it, vi } from 'vitest';
import { isolate } from './support/environment.js';
import { diagnose } from './support/run.js';
import { startAws } from './support/servers.js';

beforeEach(isolate);

const failed = (text: string, remedy: string) => ({
  status: 'failed',
  text: expect.stringContaining(text),
  remedy: expect.stringContaining(remedy),
});

it('ships a marked record in the way of a transport, and passes', async () => {
  const { emulator, target } = await startAws();
  const { exitCode, findings, of } = await diagnose(target({ retentionInDays: 7 }));
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(exitCode).toBe(0);
  expect(of('region')?.text).toBe('us-east-1 (option "region")');
  const [event] = emulator.events({ logGroupName: 'shop', logStreamName: 'web' });
  expect(JSON.parse(event?.message ?? '')).toEqual({
    logferry: 'doctor',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    host: expect.any(String),
  });
  expect(emulator.stats().requests).toMatchObject({ CreateLogGroup: 1, PutRetentionPolicy: 1 });
  expect(emulator.stats()).toMatchObject({ violations: [], toleratedCount: 0 });
});

it('a dry run creates and writes nothing, passes, and says that the write is not proven', async () => {
  const { emulator, target } = await startAws();
  const { exitCode, of } = await diagnose(target(), { dry: true });
  expect(exitCode).toBe(0);
  expect(of('target')).toMatchObject({
    status: 'ok',
    text: expect.stringContaining('does not exist: the transport creates it'),
  });
  expect(of('write')).toMatchObject({ status: 'skipped', text: expect.stringContaining('not proven') });
  expect(Object.keys(emulator.stats().requests)).toEqual(['DescribeLogStreams']);
});

it('names region and credentials by where they come from, and never shows a key as a whole', async () => {
  const { emulator, target } = await startAws();
  for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
  const { exitCode, findings, of } = await diagnose(
    target({ region: undefined, endpoint: undefined, credentials: undefined }),
  );
  expect(exitCode).toBe(0);
  expect(of('region')?.text).toBe('us-east-1 (AWS_REGION)');
  expect(of('credentials')?.text).toMatch(/^environment variables, key AKIA….{4}$/);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = emulator.env;
  for (const secret of [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY])
    expect(JSON.stringify(findings)).not.toContain(secret);
});

it('without a region it says how to set one, and skips what needs it', async () => {
  const { target } = await startAws();
  const { exitCode, of } = await diagnose(target({ region: undefined, endpoint: undefined }));
  expect(exitCode).toBe(1);
  expect(of('region')).toMatchObject({
    ...failed('', 'set the option "region" or AWS_REGION'),
    text: 'no valid AWS region (Region is missing)',
  });
  expect(of('dns')).toMatchObject({ status: 'skipped', text: 'not checked, since region failed' });
  expect(of('write')).toMatchObject({ status: 'skipped', text: 'not checked, since region failed' });
});

it('without credentials it says how to get some', async () => {
  const { emulator, target } = await startAws();
  const { exitCode, of } = await diagnose(target({ credentials: undefined }));
  expect(exitCode).toBe(1);
  expect(of('credentials')).toMatchObject(failed('no AWS credentials', 'AWS_ACCESS_KEY_ID'));
  expect(of('service')).toMatchObject({ status: 'ok' });
  expect(of('write')).toMatchObject({ status: 'skipped' });
  expect(emulator.events()).toEqual([]);
});

it.each([
  [{ profile: 'none' }, 'aws sso login --profile none'],
  [{ credentials: () => Promise.reject(new Error('the vault is sealed')) }, 'mend the function'],
  [{ assumeRole: { roleArn: 'arn:aws:iam::123456789012:role/logs' } }, 'aws sts assume-role'],
])('names the source that gives no credentials: %o', async (source, remedy) => {
  const { target } = await startAws();
  const { exitCode, of } = await diagnose(target({ credentials: undefined, ...source }));
  expect(exitCode).toBe(1);
  expect(of('credentials')).toMatchObject(failed('no AWS credentials', remedy));
});

it('names credentials that have expired by their own date, and asks to renew them', async () => {
  const { target } = await startAws();
  const credentials = { accessKeyId: 'ASIAEXPIREDKEY', secretAccessKey: 'secret', expiration: new Date(0) };
  const { exitCode, of } = await diagnose(target({ credentials }));
  expect(exitCode).toBe(1);
  expect(of('credentials')).toMatchObject(
    failed('key ASIA…DKEY, expired at 1970-01-01T00:00:00.000Z', 'aws sso login'),
  );
});

it('names credentials that end soon', async () => {
  const { emulator, target } = await startAws();
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = emulator.env;
  const expiration = new Date(Date.now() + 170_000);
  const { exitCode, of } = await diagnose(
    target({ credentials: async () => ({ accessKeyId, secretAccessKey, expiration }) }),
  );
  expect(of('credentials')).toMatchObject({ status: 'warning', text: expect.stringContaining('(3 min)') });
  expect(exitCode).toBe(0);
});

it('names credentials that have expired for the service', async () => {
  const { emulator, target } = await startAws();
  const key = { accessKeyId: 'ASIATEMPORARY1', secretAccessKey: 'secret', sessionToken: 'token' };
  emulator.credentials({ ...key, expiration: new Date(0) });
  const { exitCode, of } = await diagnose(target({ credentials: key }));
  expect(exitCode).toBe(1);
  expect(of('access')).toMatchObject(failed('ExpiredTokenException', 'aws sso login'));
  expect(of('write')).toMatchObject({ status: 'skipped', text: 'not checked, since access failed' });
});

it('names a key that does not exist, and a wrong secret', async () => {
  const { emulator, target } = await startAws();
  const { AWS_ACCESS_KEY_ID: accessKeyId } = emulator.env;
  const unknown = await diagnose(target({ credentials: { accessKeyId: 'AKIAUNKNOWNKEY', secretAccessKey: 'secret' } }));
  expect(unknown.of('access')).toMatchObject(failed('UnrecognizedClientException', 'aws sts get-caller-identity'));
  const wrong = await diagnose(target({ credentials: { accessKeyId, secretAccessKey: 'wrong' } }));
  expect(wrong.of('access')).toMatchObject(failed('InvalidSignatureException', 'secret access key'));
});

it('a clock that is wrong is a warning while records arrive all the same', async () => {
  const { emulator, target } = await startAws({ clock: () => Date.now() + 3_600_000 });
  const { exitCode, of } = await diagnose(target());
  expect(of('clock')).toMatchObject({
    status: 'warning',
    text: expect.stringContaining('60 minutes behind the clock of CloudWatch Logs'),
    remedy: expect.stringContaining('timedatectl'),
  });
  expect(of('access')).toMatchObject({ status: 'ok' });
  expect(exitCode).toBe(0);
  expect(emulator.events()).toHaveLength(1);
});

it('a clock by which the service takes no record fails, also in a dry run', async () => {
  const { emulator, target } = await startAws({ clock: () => Date.now() - 3 * 3_600_000 });
  const dry = await diagnose(target(), { dry: true });
  expect(dry.exitCode).toBe(1);
  expect(dry.of('clock')).toMatchObject(failed('180 minutes ahead of', 'timedatectl'));
  const { exitCode, of } = await diagnose(target());
  expect(exitCode).toBe(1);
  expect(of('write')).toMatchObject(
    failed('the service refused the time of the record: the clock of this machine', 'set the clock'),
  );
  expect(emulator.events()).toEqual([]);
});

it('with createMissing false it names the commands that create group and stream', async () => {
  const { emulator, target } = await startAws();
  const noGroup = await diagnose(target({ createMissing: false }));
  expect(noGroup.exitCode).toBe(1);
  expect(noGroup.of('target')).toMatchObject(
    failed(
      'log group "shop" does not exist',
      'aws logs create-log-group --log-group-name shop --region us-east-1 && ' +
        'aws logs create-log-stream --log-group-name shop --log-stream-name web --region us-east-1, or set createMissing',
    ),
  );
  expect(emulator.stats().requests).not.toHaveProperty('CreateLogGroup');
  await diagnose(target({ logStreamName: 'other' }));
  const noStream = await diagnose(target({ createMissing: false }));
  expect(noStream.exitCode).toBe(1);
  expect(noStream.of('target')).toMatchObject(
    failed('log group "shop" has no stream "web"', 'aws logs create-log-stream'),
  );
  expect(noStream.of('target')?.remedy).not.toContain('create-log-group');
});

it('names commands that a shell takes as they stand, and none for a stream that each process makes anew', async () => {
  const { target } = await startAws();
  const quoted = await diagnose(target({ createMissing: false, logStreamName: "it's $HOME" }), { dry: true });
  expect(quoted.of('target')?.remedy).toContain(`--log-stream-name 'it'\\''s $HOME' --region us-east-1`);
  const anew = await diagnose(target({ createMissing: false, logStreamName: undefined }), { dry: true });
  expect(anew.of('target')?.remedy).not.toContain('create-log-stream');
  expect(anew.of('target')?.remedy).toContain('create-log-group --log-group-name shop --region us-east-1, and set');
});

it('a stream whose name only begins in the same way is another one', async () => {
  const { target } = await startAws();
  await diagnose(target({ logStreamName: 'web-2' }));
  const { of } = await diagnose(target({ createMissing: false }));
  expect(of('target')).toMatchObject(failed('has no stream "web"', 'create-log-stream'));
});

it('needs no permission to look: without one, the write decides', async () => {
  const { emulator, target } = await startAws();
  emulator.faults({ accessDenied: 1, only: ['DescribeLogStreams'] });
  const { exitCode, of } = await diagnose(target());
  expect(of('access')).toMatchObject({ status: 'ok' });
  expect(of('target')).toMatchObject({ status: 'skipped', text: expect.stringContaining('logs:DescribeLogStreams') });
  expect(of('write')).toMatchObject({ status: 'ok' });
  expect(exitCode).toBe(0);
});

it('a look that is throttled says nothing of the write', async () => {
  const { emulator, target } = await startAws();
  emulator.faults({ throttle: 1, only: ['DescribeLogStreams'] });
  const { exitCode, of } = await diagnose(target());
  expect(of('access')).toMatchObject({ status: 'skipped', text: expect.stringContaining('too busy for a look') });
  expect(of('write')).toMatchObject({ status: 'ok' });
  expect(exitCode).toBe(0);
});

it.each(['PutLogEvents', 'CreateLogStream'] as const)(
  'names the permission that a write lacks: %s',
  async (operation) => {
    const { emulator, target } = await startAws();
    emulator.faults({ accessDenied: 1, only: [operation] });
    const { exitCode, of } = await diagnose(target());
    expect(exitCode).toBe(1);
    expect(of('write')).toMatchObject(failed(`IAM allows them logs:${operation}`, '--policy'));
  },
);

it('a retention that may not be set is a warning: records arrive', async () => {
  const { emulator, target } = await startAws();
  emulator.faults({ accessDenied: 1, only: ['PutRetentionPolicy'] });
  const { exitCode, of } = await diagnose(target({ retentionInDays: 7 }));
  expect(of('write')).toMatchObject({ status: 'warning', text: expect.stringContaining('never expire') });
  expect(exitCode).toBe(0);
});

it('names a quota that is exceeded, after several attempts', async () => {
  const { emulator, target } = await startAws();
  emulator.faults({ throttle: 1 });
  const { exitCode, of } = await diagnose(target(), { limits: { writeMs: 1500 } });
  expect(exitCode).toBe(1);
  expect(of('write')).toMatchObject(failed('ThrottlingException', 'quota of PutLogEvents'));
  expect(emulator.stats().requests.PutLogEvents).toBeGreaterThan(2);
});

it('a client of the application makes the connections itself, and the rest is checked by it', async () => {
  const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
  const { emulator } = await startAws();
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = emulator.env;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new CloudWatchLogsClient({ region: 'us-east-1', endpoint: emulator.url, credentials });
  const { exitCode, of } = await diagnose({ cloud: 'cloudwatch', options: { logGroupName: 'shop', client } });
  expect(of('connection')).toMatchObject({ status: 'skipped', text: 'the option "client" makes the connections' });
  expect(of('region')?.text).toBe('us-east-1 (the client)');
  expect(of('target')).toMatchObject({ status: 'ok' });
  expect(exitCode).toBe(0);
  expect(emulator.events()).toHaveLength(1);
});

it('names a wrong option', async () => {
  const { target } = await startAws();
  const { exitCode, findings } = await diagnose(target({ logGroupName: 'a:b' }));
  expect(exitCode).toBe(1);
  expect(findings).toMatchObject([{ check: 'options', ...failed('logGroupName: expected', 'option "logGroupName"') }]);
});

it('names a template by which no record has a route', async () => {
  const { target } = await startAws();
  const route = (): never => {
    throw new Error('broken');
  };
  const { exitCode, of } = await diagnose(target({ route }));
  expect(exitCode).toBe(1);
  expect(of('access')).toMatchObject(failed('broken', 'correct the options'));
});
