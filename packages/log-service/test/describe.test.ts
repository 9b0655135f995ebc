import { afterEach, expect, it, vi } from 'vitest';
import type { LogServiceOptions } from '../src/index.js';
import { shop } from './support/records.js';

const key = { accessKeyId: 'LTAITheIdOfAKey', accessKeySecret: 'TheSecretOfAKey' };

afterEach(() => void vi.unstubAllEnvs());

it.each<[string, Partial<LogServiceOptions>]>([
  ['none (web tracking)', {}],
  ['the keys of the option "credentials"', { credentials: key }],
  ['environment variables', { credentials: 'env' }],
  ['the function of the option "credentials"', { credentials: () => key }],
  ['the credential object of the option "credentials"', { credentials: { getCredential: async () => key } }],
  ['ecs_ram_role of @alicloud/credentials', { credentials: { type: 'ecs_ram_role' } }],
])('describe() tells where records go, and the kind of credentials: %s', (credentials, options) => {
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', key.accessKeyId);
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', key.accessKeySecret);
  const description = shop({ topic: 'orders', ...options }).describe?.();
  expect(description).toEqual({
    endpoint: 'http://127.0.0.1:1',
    target: 'logstore "web" of project "shop", topic "orders"',
    credentials,
  });
  for (const secret of Object.values(key)) expect(JSON.stringify(description)).not.toContain(secret);
});
