import { beforeEach, expect, it, vi } from 'vitest';
import { isolate } from './support/environment.js';
import { diagnose } from './support/run.js';
import { startAlibaba } from './support/servers.js';

beforeEach(isolate);

const failed = (text: string, remedy: string) => ({
  status: 'failed',
  text: expect.stringContaining(text),
  remedy: expect.stringContaining(remedy),
});

it('ships a marked log by web tracking, and passes', async () => {
  const { emulator, target } = await startAlibaba();
  const { exitCode, findings, of } = await diagnose(target());
  expect(findings.filter(({ status }) => status !== 'ok').map(({ check }) => check)).toEqual(['access', 'target']);
  expect(exitCode).toBe(0);
  expect(of('credentials')?.text).toBe('none: web tracking is anonymous');
  const [event] = emulator.events();
  expect(event?.fields).toMatchObject({
    logferry: 'doctor',
    host: expect.any(String),
    time: expect.stringMatching(/Z$/),
  });
});

it.each([{ region: 'us-east-1' }, {}])('ships a marked log by signed requests, and passes: %o', async (others) => {
  const { emulator, key, target } = await startAlibaba({ strict: true });
  const { exitCode, findings, of } = await diagnose(target({ credentials: key, ...others }));
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(exitCode).toBe(0);
  expect(of('target')?.text).toBe('logstore "web" of project "shop": there');
  expect(emulator.events()).toHaveLength(1);
  expect(emulator.stats()).toMatchObject({ operations: { GetLogStore: 1, PutLogs: 1 }, violations: [] });
});

it('a dry run writes nothing, passes, and says that the write is not proven', async () => {
  const { emulator, key, target } = await startAlibaba();
  for (const others of [{}, { credentials: key }]) {
    const { exitCode, of } = await diagnose(target(others), { dry: true });
    expect(exitCode).toBe(0);
    expect(of('write')).toMatchObject({ status: 'skipped', text: expect.stringContaining('not proven') });
  }
  const { exitCode, of } = await diagnose(target({ credentials: key, logstore: 'new', createMissing: true }), {
    dry: true,
  });
  expect(exitCode).toBe(0);
  expect(of('target')?.text).toContain('does not exist: the transport creates it');
  const operations = Object.keys(emulator.stats().operations);
  for (const writing of ['PutLogs', 'PutWebTracking', 'CreateLogStore']) expect(operations).not.toContain(writing);
});

it('creates a missing logstore where the transport does', async () => {
  const { emulator, key, target } = await startAlibaba();
  const { exitCode } = await diagnose(target({ credentials: key, logstore: 'new', createMissing: true }));
  expect(exitCode).toBe(0);
  expect(emulator.events({ logstore: 'new' })).toHaveLength(1);
});

it('names web tracking that is off, and how to switch it on', async () => {
  const { emulator, target } = await startAlibaba({ webTrackingOff: ['off'] });
  const { exitCode, of } = await diagnose(target({ logstore: 'off' }));
  expect(exitCode).toBe(1);
  expect(of('write')).toMatchObject(failed('web tracking is off', 'switch web tracking on'));
  expect(emulator.events()).toEqual([]);
});

it('names a logstore that does not exist, and the command that creates it', async () => {
  const { key, target } = await startAlibaba();
  const tracking = await diagnose(target({ logstore: 'none' }));
  expect(tracking.exitCode).toBe(1);
  expect(tracking.of('write')).toMatchObject(
    failed('LogStoreNotExist', 'create_logstore --project_name=shop --logstore_name=none'),
  );
  const signed = await diagnose(target({ logstore: 'none', credentials: key }), { dry: true });
  expect(signed.exitCode).toBe(1);
  expect(signed.of('target')).toMatchObject(
    failed(
      'logstore "none" of project "shop" does not exist',
      'create_logstore --project_name=shop --logstore_name=none',
    ),
  );
});

it('names missing credentials of the environment', async () => {
  const { target } = await startAlibaba();
  const { exitCode, findings } = await diagnose(target({ credentials: 'env' }));
  expect(exitCode).toBe(1);
  expect(findings).toMatchObject([
    { check: 'options', ...failed('ALIBABA_CLOUD_ACCESS_KEY_ID', 'option "credentials"') },
  ]);
});

it('names the source of credentials, and never shows a key as a whole', async () => {
  const { emulator, target } = await startAlibaba();
  for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
  const { exitCode, findings, of } = await diagnose(target({ credentials: 'env' }));
  expect(exitCode).toBe(0);
  expect(of('credentials')?.text).toMatch(/^environment variables, key LTAI….{4}$/);
  for (const secret of Object.values(emulator.env)) expect(JSON.stringify(findings)).not.toContain(secret);
});

it('names credentials that have expired, by their own date and for the service', async () => {
  const { emulator, target } = await startAlibaba();
  const key = { accessKeyId: 'STS.temporary-1', accessKeySecret: 'secret', securityToken: 'CAISsession' };
  const own = await diagnose(target({ credentials: () => ({ ...key, expiration: new Date(0) }) }));
  expect(own.exitCode).toBe(1);
  expect(own.of('credentials')).toMatchObject(failed('they had ended at 1970-01-01', 'renew them'));
  emulator.credentials({ ...key, expiration: new Date(0) });
  const { exitCode, of } = await diagnose(target({ credentials: key }), { dry: true });
  expect(exitCode).toBe(1);
  expect(of('access')).toMatchObject(failed('expired', 'a new key of STS'));
});

it('names a key that does not exist, and a wrong secret', async () => {
  const { emulator, target } = await startAlibaba();
  const { ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId } = emulator.env;
  const unknown = await diagnose(target({ credentials: { accessKeyId: 'LTAIunknown', accessKeySecret: 'secret' } }));
  expect(unknown.of('access')).toMatchObject(failed('InvalidAccessKeyId', 'the RAM console'));
  const wrong = await diagnose(target({ credentials: { accessKeyId, accessKeySecret: 'wrong' } }));
  expect(wrong.of('access')).toMatchObject(failed('SignatureNotMatch', 'its secret'));
});

it('needs no permission to look: without one, the write decides', async () => {
  const { emulator, key, target } = await startAlibaba();
  emulator.faults({ unauthorized: 1, only: ['GetLogStore'] });
  const { exitCode, of } = await diagnose(target({ credentials: key }));
  expect(of('target')).toMatchObject({ status: 'skipped', text: expect.stringContaining('log:GetLogStore') });
  expect(of('write')).toMatchObject({ status: 'ok' });
  expect(exitCode).toBe(0);
});

it('names the permission that a write lacks', async () => {
  const { emulator, key, target } = await startAlibaba();
  emulator.faults({ unauthorized: 1 });
  const { exitCode, of } = await diagnose(target({ credentials: key }));
  expect(exitCode).toBe(1);
  expect(of('write')).toMatchObject(failed('log:PostLogStoreLogs', '--policy'));
});

it('a clock that is wrong is a warning with web tracking, and fails where signed records have a time that is refused', async () => {
  const { key, target } = await startAlibaba({ clock: () => Date.now() - 3_600_000 });
  const tracking = await diagnose(target());
  expect(tracking.of('clock')).toMatchObject({
    status: 'warning',
    text: expect.stringContaining('60 minutes ahead of the clock of Log Service'),
    remedy: expect.stringContaining('timedatectl'),
  });
  expect(tracking.exitCode).toBe(0);
  const signed = await diagnose(target({ credentials: key }), { dry: true });
  expect(signed.exitCode).toBe(1);
  expect(signed.of('clock')).toMatchObject(failed('takes no record of such a time', 'timedatectl'));
  expect(signed.of('access')).toMatchObject({ status: 'ok' });
});

it('with a fetch of the application only the write decides', async () => {
  const { emulator, key, target } = await startAlibaba();
  const { exitCode, of } = await diagnose(target({ credentials: key, fetch }));
  expect(of('connection')).toMatchObject({ status: 'skipped', text: 'the option "fetch" makes the connections' });
  for (const check of ['access', 'target'])
    expect(of(check)).toMatchObject({ status: 'skipped', text: expect.stringContaining('only a write shows it') });
  expect(exitCode).toBe(0);
  expect(emulator.events()).toHaveLength(1);
});

it('names a source that gives no credentials', async () => {
  const { target } = await startAlibaba();
  const credentials = (): never => {
    throw new Error('the vault is sealed');
  };
  const { exitCode, of } = await diagnose(target({ credentials }));
  expect(exitCode).toBe(1);
  expect(of('credentials')).toMatchObject(failed('the vault is sealed', 'mend the source'));
});

it('names a quota that is exceeded', async () => {
  const { emulator, target } = await startAlibaba();
  emulator.faults({ shardQuota: 1 });
  const { exitCode, of } = await diagnose(target(), { limits: { writeMs: 300 } });
  expect(exitCode).toBe(1);
  expect(of('write')).toMatchObject(failed('ShardWriteQuotaExceed', 'split the shards'));
});
