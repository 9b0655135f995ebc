import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { jumpingClock } from './support/clock.js';
import { isolate } from './support/environment.js';
import { batchOf, create, deliver, send } from './support/events.js';
import { type Access, startEmulator } from './support/servers.js';

beforeEach(isolate);

type Credentials = Access['credentials'];

const OLD: Credentials = { accessKeyId: 'AKIAOLD', secretAccessKey: 'old' };

/** A folder for one test. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'logferry-credentials-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function profile({ accessKeyId, secretAccessKey }: Credentials): string {
  return `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

it.each(['ours', "the user's"])(
  'asks a function without expiration again after a refusal, and delivers (client: %s)',
  async (whose) => {
    const { emulator, access } = await startEmulator();
    const { region, endpoint } = access;
    let current = OLD;
    const credentials = vi.fn(async () => current);
    const settings = { region, endpoint, credentials };
    const destination = create(whose === 'ours' ? settings : { client: new CloudWatchLogsClient(settings) });
    const batch = batchOf(destination, 'x');
    await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AUTH' });
    expect(credentials).toHaveBeenCalledTimes(1);
    current = access.credentials;
    await deliver(destination, batch);
    await deliver(destination, batchOf(destination, 'y'));
    expect(emulator.events().map(({ message }) => message)).toEqual(['x', 'y']);
    expect(credentials).toHaveBeenCalledTimes(2);
  },
);

it('asks again for credentials that are refused at most every 5 s, once for concurrent batches', async () => {
  const jump = jumpingClock();
  const { access } = await startEmulator();
  const credentials = vi.fn(async () => OLD);
  const destination = create({ ...access, credentials });
  const attempt = async (): Promise<void> => {
    const sending = ['x', 'y', 'z'].map((text) => send(destination, batchOf(destination, text)));
    for (const { status } of await Promise.allSettled(sending)) expect(status).toBe('rejected');
  };
  await attempt();
  expect(credentials).toHaveBeenCalledTimes(1);
  await attempt();
  await attempt();
  expect(credentials).toHaveBeenCalledTimes(2);
  jump(5000);
  await attempt();
  expect(credentials).toHaveBeenCalledTimes(3);
});

it('reports a function that fails when it is asked again, and delivers once it succeeds', async () => {
  const jump = jumpingClock();
  const { emulator, access } = await startEmulator();
  let ask = async (): Promise<Credentials> => OLD;
  const destination = create({ ...access, credentials: () => ask() });
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AUTH' });
  ask = () => Promise.reject(new Error('the vault is shut'));
  await expect(send(destination, batch)).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining('the vault is shut'),
  });
  ask = async () => access.credentials;
  jump(5000);
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(1);
});

it('reads the shared credentials file again after a refusal', async () => {
  const { emulator, access } = await startEmulator();
  const file = join(folder(), 'credentials');
  writeFileSync(file, profile(OLD));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
  const destination = create({ region: access.region, endpoint: access.endpoint });
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AUTH' });
  writeFileSync(file, profile(access.credentials));
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(1);
});

it('reads the shared config file again while it has no region', async () => {
  const { emulator, access } = await startEmulator();
  const path = folder();
  for (const name of ['config', 'credentials']) writeFileSync(join(path, name), '');
  vi.stubEnv('AWS_CONFIG_FILE', join(path, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(path, 'credentials'));
  const destination = create({ endpoint: access.endpoint });
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'MISCONFIGURED' });
  writeFileSync(join(path, 'config'), `[default]\nregion = ${access.region}\n`);
  writeFileSync(join(path, 'credentials'), profile(access.credentials));
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(1);
});
