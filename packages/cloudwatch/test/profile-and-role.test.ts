import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertBalanced, createShipper } from '@logferry/core';
import { type Session, type StsEmulator, type StsOptions, startSts } from '@logferry/emulators';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { isolate } from './support/environment.js';
import { batchOf, create, deliver, record, send } from './support/events.js';
import { type Access, startEmulator } from './support/servers.js';

beforeEach(isolate);

const ROLE = 'arn:aws:iam::123456789012:role/logs';
const EXTERNAL_ID = 'shop:42';
const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'user-secret' };

/** An emulator that takes the credentials of a role only, and the STS that gives them. */
async function startRole(options: Partial<StsOptions> = {}) {
  const { emulator, access } = await startEmulator();
  emulator.credentials([]);
  const sessions: Session[] = [];
  const sts = await startSts({
    credentials: USER,
    roles: [{ roleArn: ROLE, externalId: EXTERNAL_ID }],
    onSession(session) {
      sessions.push(session);
      // A request in flight may still have those before.
      emulator.credentials(sessions.slice(-2).map(({ credentials }) => credentials));
    },
    ...options,
  });
  onTestFinished(() => sts.close());
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
  const { region, endpoint } = access;
  return { emulator, sts, access: { region, endpoint }, stored: () => emulator.events().map(({ message }) => message) };
}

/** Writes the shared files, and has the SDK read them. */
function writeFiles(config: string, credentials = ''): { readonly credentials: string } {
  const folder = mkdtempSync(join(tmpdir(), 'logferry-profile-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { config: join(folder, 'config'), credentials: join(folder, 'credentials') };
  writeFileSync(files.config, config);
  writeFileSync(files.credentials, credentials);
  vi.stubEnv('AWS_CONFIG_FILE', files.config);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', files.credentials);
  return files;
}

const keysOf = ({ accessKeyId, secretAccessKey }: Access['credentials']): string =>
  `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;

describe('a profile', () => {
  it('gives credentials and region, before those of the environment', async () => {
    const { emulator, access } = await startEmulator({ region: 'eu-central-1' });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOTHER');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'other');
    writeFiles('[profile shop]\nregion = eu-central-1\n', `[shop]\n${keysOf(access.credentials)}`);
    const destination = create({ profile: 'shop', endpoint: access.endpoint });
    await deliver(destination, batchOf(destination, 'x'));
    expect(emulator.events()).toMatchObject([{ message: 'x' }]);
  });

  it('gives keys that were rotated after the service refused the old ones', async () => {
    const { emulator, access } = await startEmulator();
    const { region, endpoint, credentials } = access;
    const files = writeFiles('', `[shop]\n${keysOf(USER)}`);
    const destination = create({ profile: 'shop', region, endpoint });
    await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'AUTH' });
    writeFileSync(files.credentials, `[shop]\n${keysOf(credentials)}`);
    await deliver(destination, batchOf(destination, 'x'));
    expect(emulator.events()).toHaveLength(1);
  });

  it('that does not exist is named, and other credentials of the machine are not used', async () => {
    const { access } = await startEmulator();
    vi.stubEnv('AWS_ACCESS_KEY_ID', access.credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', access.credentials.secretAccessKey);
    writeFiles('[profile other]\n');
    const destination = create({ profile: 'shop', region: 'us-east-1', endpoint: access.endpoint });
    await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
      code: 'AUTH',
      message: expect.stringMatching(/^no AWS credentials for the profile "shop" \(.*the option "profile" has to name/),
    });
  });

  it('may assume a role itself, by the settings of the shared config file', async () => {
    const { access, sts, stored } = await startRole({ roles: [{ roleArn: ROLE }] });
    writeFiles(
      `[profile shop]\nregion = us-east-1\nrole_arn = ${ROLE}\nsource_profile = user\n`,
      `[user]\n${keysOf(USER)}`,
    );
    const destination = create({ profile: 'shop', endpoint: access.endpoint });
    await deliver(destination, batchOf(destination, 'x'));
    expect(stored()).toEqual(['x']);
    expect(sts.sessions()).toHaveLength(1);
  });

  it('that runs a credential process waits for it', async () => {
    const { emulator, access } = await startEmulator();
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = access.credentials;
    const folder = mkdtempSync(join(tmpdir(), 'logferry-profile-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const script = join(folder, 'keys.sh');
    writeFileSync(script, `#!/bin/sh\necho '${JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey })}'\n`);
    chmodSync(script, 0o755);
    writeFiles(`[profile shop]\nregion = us-east-1\ncredential_process = ${script}\n`);
    const destination = create({ profile: 'shop', endpoint: access.endpoint });
    await deliver(destination, batchOf(destination, 'x'));
    expect(emulator.events()).toHaveLength(1);
  });
});

describe('a role', () => {
  const assumeRole = { roleArn: ROLE, externalId: EXTERNAL_ID };

  it.each<[string, object, () => void]>([
    ['given keys', { credentials: USER }, () => {}],
    ['a function', { credentials: async () => USER }, () => {}],
    ['a profile', { profile: 'user' }, () => writeFiles('', `[user]\n${keysOf(USER)}`)],
    [
      'the chain',
      {},
      () => {
        vi.stubEnv('AWS_ACCESS_KEY_ID', USER.accessKeyId);
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', USER.secretAccessKey);
      },
    ],
  ])('is assumed by the credentials of %s', async (_, options, prepare) => {
    const { access, sts, stored } = await startRole();
    prepare();
    const destination = create({ ...access, ...options, assumeRole: { ...assumeRole, durationSeconds: 900 } });
    for (const text of ['x', 'y']) await deliver(destination, batchOf(destination, text));
    expect(stored()).toEqual(['x', 'y']);
    expect(sts.sessions()).toMatchObject([
      { roleArn: ROLE, sessionName: 'logferry', externalId: EXTERNAL_ID, durationSeconds: 900 },
    ]);
    await destination.close?.();
  });

  it('is assumed again before its credentials expire, while records flow', async () => {
    // The SDK renews credentials five minutes before their end.
    const { access, sts, stored, emulator } = await startRole({ lifetimeMs: 300_000 + 150 });
    const destination = create({ ...access, credentials: USER, assumeRole });
    const shipper = createShipper(destination, { maxDelayMs: 5 });
    let logged = 0;
    await expect
      .poll(
        () => {
          shipper.accept(record(`record ${logged++}`));
          return sts.sessions().length;
        },
        { interval: 10 },
      )
      .toBeGreaterThan(3);
    await shipper.close();
    const stats = shipper.stats();
    assertBalanced(stats);
    expect(stats).toMatchObject({
      delivered: logged,
      retries: expect.not.objectContaining({ AUTH: expect.anything() }),
    });
    expect(new Set(stored()).size).toBe(logged);
    expect(emulator.stats().violations).toEqual([]);
  });

  it('whose credentials have expired, as when the machine slept, is assumed again, and nothing is lost', async () => {
    const { access, sts, stored, emulator } = await startRole();
    const destination = create({ ...access, credentials: USER, assumeRole });
    await deliver(destination, batchOf(destination, 'x'));
    const [first] = sts.sessions();
    emulator.credentials({ ...(first as Session).credentials, expiration: new Date(0) });
    const batch = batchOf(destination, 'y');
    await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AUTH' });
    await deliver(destination, batch);
    expect(stored()).toEqual(['x', 'y']);
    expect(sts.sessions()).toHaveLength(2);
  });

  it('keeps its credentials while STS fails, as long as they are valid', async () => {
    const { access, sts, stored } = await startRole({ lifetimeMs: 200_000 });
    const destination = create({ ...access, credentials: USER, assumeRole });
    await deliver(destination, batchOf(destination, 'x'));
    sts.fail('ServiceUnavailable');
    await deliver(destination, batchOf(destination, 'y'));
    expect(stored()).toEqual(['x', 'y']);
  });

  it.each<[string, string, RegExp, (sts: StsEmulator) => object]>([
    ['is denied', 'AUTH', /for the role ".*role\/logs" .*trust policy/, () => ({ assumeRole: { roleArn: ROLE } })],
    [
      'has a user who is unknown',
      'AUTH',
      /for the role/,
      () => ({ assumeRole, credentials: { ...USER, accessKeyId: 'A' } }),
    ],
    [
      'meets an STS that fails',
      'UNAVAILABLE',
      /for now: AWS answered HTTP 503/,
      (sts) => {
        sts.fail('ServiceUnavailable');
        vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
        return { assumeRole };
      },
    ],
  ])('that %s fails a batch with %s', async (_, code, message, prepare) => {
    const { access, sts } = await startRole();
    const destination = create({ ...access, credentials: USER, ...prepare(sts) });
    const failure = await send(destination, batchOf(destination, 'x')).catch((error) => error);
    expect(failure).toMatchObject({ code, ambiguous: false, message: expect.stringMatching(message) });
    expect(failure.message).not.toContain(USER.secretAccessKey);
  });
});
