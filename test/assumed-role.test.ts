import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeliveryOptions } from '@logferry/core';
import { startCloudWatch, startSts } from '@logferry/emulators';
import { afterEach, expect, it, vi } from 'vitest';
import { full } from '../forms.js';
import { hosts } from './support/hosts.js';

const ROLE = 'arn:aws:iam::123456789012:role/logs';
const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'user-secret' };

afterEach(() => void vi.unstubAllEnvs());

it.for(full ? hosts : hosts.filter(({ inPinoWorker }) => inPinoWorker))(
  'a profile and a role are data, and work with $name',
  async (host, { onTestFinished }) => {
    const cloud = await startCloudWatch({ region: 'eu-central-1', strict: true });
    onTestFinished(() => cloud.close());
    cloud.credentials([]);
    const sts = await startSts({
      credentials: USER,
      region: 'eu-central-1',
      roles: [{ roleArn: ROLE, externalId: 'shop:42' }],
      onSession: ({ credentials }) => cloud.credentials(credentials),
    });
    onTestFinished(() => sts.close());
    const folder = mkdtempSync(join(tmpdir(), 'logferry-role-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'credentials');
    const { accessKeyId, secretAccessKey } = USER;
    const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    writeFileSync(file, `[user]\nregion = eu-central-1\n${keys}`);
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
    const assumeRole = { roleArn: ROLE, externalId: 'shop:42', sessionName: 'web-1' };
    const logger = await host.start('cloudwatch', {
      ...{ logGroupName: 'shop', endpoint: cloud.url, profile: 'user', assumeRole },
    } as DeliveryOptions);
    logger.log('info', 'a record');
    await logger.flush();
    await logger.end();
    expect(cloud.events()).toHaveLength(1);
    expect(sts.sessions()).toMatchObject([{ sessionName: 'web-1', externalId: 'shop:42' }]);
    expect(cloud.stats().violations).toEqual([]);
  },
);
