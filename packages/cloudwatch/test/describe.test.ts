import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { CloudWatchOptions } from '../src/index.js';
import { isolate } from './support/environment.js';
import { batchOf, create, deliver } from './support/events.js';
import { type Access, startEmulator } from './support/servers.js';
import { metadata, startSource } from './support/sources.js';

beforeEach(isolate);

function setEnv(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

const CHAIN = "the AWS SDK's default chain";

/** Each makes the options of a destination whose credentials come from one source. */
const sources: Record<string, (access: Access) => Partial<CloudWatchOptions> | Promise<Partial<CloudWatchOptions>>> = {
  keys: (access) => access,
  function: ({ credentials, ...access }) => ({ ...access, credentials: async () => credentials }),
  client: (access) => ({ client: new CloudWatchLogsClient({ ...access }) as never }),
  environment({ credentials: { accessKeyId, secretAccessKey }, ...access }) {
    setEnv({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
    return access;
  },
  profile({ credentials: { accessKeyId, secretAccessKey }, ...access }) {
    const folder = mkdtempSync(join(tmpdir(), 'logferry-describe-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'credentials');
    writeFileSync(file, `[shop]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
    setEnv({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'shop' });
    return access;
  },
  async 'instance metadata'({ credentials, ...access }) {
    const { url } = await startSource(metadata(credentials));
    setEnv({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url, AWS_EC2_METADATA_DISABLED: undefined });
    return access;
  },
};

it.each([
  ['keys', 'the keys of the option "credentials"', 'the keys of the option "credentials"'],
  ['function', 'the function of the option "credentials"', 'the function of the option "credentials"'],
  ['client', 'those of the client', 'those of the client'],
  ['environment', CHAIN, 'environment variables'],
  ['profile', CHAIN, 'keys of a profile, profile "shop"'],
  ['instance metadata', CHAIN, /^role, from the metadata service at 127\.0\.0\.1:\d+$/],
])('describe() tells the kind of credentials from %s, and never a key', async (source, before, after) => {
  const { access } = await startEmulator();
  const options = (await sources[source]?.(access)) ?? {};
  const destination = create(options);
  expect(destination.describe?.().credentials).toBe(before);
  await deliver(destination, batchOf(destination, 'x'));
  const description = destination.describe?.('shop:web');
  expect(description).toMatchObject({
    target: 'log group "shop", stream "web"',
    credentials: expect.stringMatching(after),
    endpoint: expect.stringContaining(new URL(access.endpoint).host),
  });
  for (const key of Object.values(access.credentials)) expect(JSON.stringify(description)).not.toContain(key);
  await destination.close?.();
});

it('describe() names the region and the group before the first request', () => {
  expect(create({ region: 'eu-central-1' }).describe?.()).toMatchObject({
    endpoint: 'region eu-central-1',
    target: 'log group "shop"',
  });
});
