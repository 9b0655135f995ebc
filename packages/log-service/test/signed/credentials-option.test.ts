import type Package from '@alicloud/credentials';
import { ConfigError } from '@logferry/core';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createCredentialsSource } from '../../src/signed/credentials.js';
import type { LogServiceCredentials } from '../../src/signed/credentials-option.js';

/** Checked by the compiler only. */
export function forms(object: InstanceType<typeof Package.default>): readonly LogServiceCredentials[] {
  return [
    KEY,
    { ...KEY, securityToken: undefined },
    () => KEY,
    async () => ({ ...KEY, expiration: new Date() }),
    'env',
    object,
    { type: 'ecs_ram_role' },
    { type: 'credentials_uri', credentialsURI: 'http://127.0.0.1/' },
    // @ts-expect-error the secret is missing
    { accessKeyId: 'LTAItest' },
    // @ts-expect-error STS gives a text
    () => ({ ...KEY, expiration: '2999-01-01T00:00:00Z' }),
    // @ts-expect-error not a type that gives access keys
    { type: 'bearer' },
  ];
}

const SECRET = 'hunter2hunter2';
const KEY = { accessKeyId: 'LTAItest', accessKeySecret: SECRET };

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('ALIBABA_CLOUD_')) vi.stubEnv(name, undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
});

function setKey(id: string | undefined, secret: string | undefined, token?: string): void {
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', id);
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', secret);
  vi.stubEnv('ALIBABA_CLOUD_SECURITY_TOKEN', token);
}

function refusalOf(credentials: unknown): ConfigError {
  try {
    createCredentialsSource(credentials as LogServiceCredentials);
  } catch (error) {
    if (ConfigError.is(error)) return error;
    throw error;
  }
  throw new Error('the option was accepted');
}

const FORMS = 'an access key, a function, "env", or a credential object of @alicloud/credentials or its configuration';
const KEY_FORM = 'a string without blanks and line ends, got a string';

it.each<[string, unknown, string, string]>([
  ['null', null, 'credentials', `expected ${FORMS}, got null`],
  ['a text', SECRET, 'credentials', `expected ${FORMS}, got a string`],
  ['an array', [KEY], 'credentials', `expected ${FORMS}, got an array`],
  ['a number', 7, 'credentials', `expected ${FORMS}, got a number`],
  [
    'a key that ends',
    { ...KEY, expiration: new Date() },
    'credentials.expiration',
    'expected a function instead of a key that ends: it returns the next one, got an object',
  ],
  ['no key', {}, 'credentials.accessKeyId', 'expected a string that is not empty, got undefined'],
  [
    'an empty secret',
    { ...KEY, accessKeySecret: '' },
    'credentials.accessKeySecret',
    'expected a string that is not empty, got ',
  ],
  ['an id with a blank', { ...KEY, accessKeyId: 'LTAI x' }, 'credentials.accessKeyId', KEY_FORM],
  ['a secret with a line end', { ...KEY, accessKeySecret: `${SECRET}\n` }, 'credentials.accessKeySecret', KEY_FORM],
  ['a token with a control character', { ...KEY, securityToken: `${SECRET}\0` }, 'credentials.securityToken', KEY_FORM],
  ['a token with a letter beyond ASCII', { ...KEY, securityToken: 'ü' }, 'credentials.securityToken', KEY_FORM],
  [
    'a token that is a number',
    { ...KEY, securityToken: 7 },
    'credentials.securityToken',
    'expected a string that is not empty, got a number',
  ],
  [
    'the name of a token elsewhere',
    { ...KEY, sessionToken: SECRET },
    'credentials.sessionToken',
    'known are accessKeyId, accessKeySecret, securityToken',
  ],
  ['a key with an empty type', { ...KEY, type: undefined }, 'credentials.type', 'unknown option "credentials.type"'],
  ['a wrong method', { getCredential: SECRET }, 'credentials.getCredential', 'expected a method, got a string'],
  ['an unknown type', { type: 'rsa_key_pair' }, 'credentials.type', '"credentials_uri", got "rsa_key_pair"'],
  ['a type that is no text', { type: 7 }, 'credentials.type', '"credentials_uri", got 7'],
  [
    'a misspelt member of a configuration',
    { type: 'credentials_uri', credentialsUri: `http://x.test/${SECRET}` },
    'credentials.credentialsUri',
    'did you mean "credentials.credentialsURI"?',
  ],
  [
    'a wrong member of a configuration',
    { type: 'ecs_ram_role', roleName: 7 },
    'credentials.roleName',
    'expected a string that is not empty, got 7',
  ],
  [
    'a wrong flag of a configuration',
    { type: 'ecs_ram_role', disableIMDSv1: 'yes' },
    'credentials.disableIMDSv1',
    'expected true or false, got "yes"',
  ],
  [
    'a wrong time of a configuration',
    { type: 'ecs_ram_role', timeout: 0 },
    'credentials.timeout',
    'expected an integer of at least 1, got 0',
  ],
  [
    'a secret with a line end in a configuration',
    { type: 'access_key', ...KEY, accessKeySecret: `${SECRET}\n` },
    'credentials.accessKeySecret',
    KEY_FORM,
  ],
])('refuses %s', (_, credentials, option, message) => {
  const refusal = refusalOf(credentials);
  expect(refusal.option).toBe(option);
  expect(refusal.message).toContain(message);
  expect(String(refusal.stack)).not.toContain(SECRET);
});

it.each<[string, Parameters<typeof setKey>, string]>([
  ['no id', [undefined, SECRET], 'ALIBABA_CLOUD_ACCESS_KEY_ID to be a string that is not empty, got undefined'],
  ['no secret', ['LTAItest', undefined], 'ALIBABA_CLOUD_ACCESS_KEY_SECRET to be a string that is not empty'],
  ['an empty secret', ['LTAItest', ''], 'ALIBABA_CLOUD_ACCESS_KEY_SECRET to be a string that is not empty, got ""'],
  ['a secret with a line end', ['LTAItest', `${SECRET}\n`], `ALIBABA_CLOUD_ACCESS_KEY_SECRET to be ${KEY_FORM}`],
  ['a token with a blank', ['LTAItest', SECRET, `${SECRET} `], `ALIBABA_CLOUD_SECURITY_TOKEN to be ${KEY_FORM}`],
])('refuses "env" while the environment has %s', (_, key, message) => {
  setKey(...key);
  const refusal = refusalOf('env');
  expect(refusal.option).toBe('credentials');
  expect(refusal.message).toContain(`credentials: expected the environment variable ${message}`);
  expect(String(refusal.stack)).not.toContain(SECRET);
});

it.each([undefined, 'token'])('takes the key of the environment (token: %s)', async (token) => {
  setKey('LTAItest', SECRET, token);
  const source = createCredentialsSource('env');
  // An application may hide them from the processes that it starts.
  setKey(undefined, undefined);
  expect(await source.get()).toEqual({ ...KEY, securityToken: token });
});

it('takes an empty token for none', async () => {
  expect(await createCredentialsSource({ ...KEY, securityToken: '' }).get()).toEqual(KEY);
  setKey('LTAItest', SECRET, '');
  expect(await createCredentialsSource('env').get()).toEqual(KEY);
});

it('takes a key as it is at construction', async () => {
  const credentials = { ...KEY };
  const source = createCredentialsSource(credentials);
  credentials.accessKeySecret = 'other';
  expect(await source.get()).toEqual(KEY);
});
