import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import CredentialPackage from '@alicloud/credentials';
import { VirtualClock } from '@logferry/core/testing';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createCredentialsSource } from '../../src/signed/credentials.js';
import type { AlibabaCredential, AlibabaCredentialConfig } from '../../src/signed/credentials-option.js';
import { keyResponse, redirectMetadata, startMetadata, startSilent } from '../support/credential-servers.js';
import { startServer } from '../support/servers.js';

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('ALIBABA_CLOUD_')) vi.stubEnv(name, undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
});

const SECRET = 'hunter2hunter2';
const KEY = { accessKeyId: 'STS.1', accessKeySecret: SECRET, securityToken: 'token1' };
const NEW_KEY = { accessKeyId: 'STS.2', accessKeySecret: 'secret2', securityToken: 'token2' };

/** The class of the package, as Node.js imports it. */
const Credential = ((CredentialPackage as unknown as { readonly default?: unknown }).default ??
  CredentialPackage) as new (
  config?: object,
) => AlibabaCredential;

const uriConfig = (url: string): AlibabaCredentialConfig => ({ type: 'credentials_uri', credentialsURI: url });

it('asks a credential object at most every 60 s, in the background, and after a refusal', async () => {
  const clock = new VirtualClock();
  const credential = new Credential({ type: 'sts', ...KEY });
  const ask = vi.spyOn(credential, 'getCredential');
  const source = createCredentialsSource(credential, { clock });
  for (let count = 0; count < 3; count++) expect(await source.get()).toEqual(KEY);
  await clock.advance(59_999);
  await source.get();
  expect(ask).toHaveBeenCalledTimes(1);
  await clock.advance(1);
  expect(await source.get()).toEqual(KEY);
  await clock.settle();
  expect(ask).toHaveBeenCalledTimes(2);
  expect(await source.renew(KEY)).toBe(false);
  expect(ask).toHaveBeenCalledTimes(3);
});

it('takes what a credential object has renewed by itself', async () => {
  const clock = new VirtualClock();
  // The package renews a key in the last 15 minutes of its life.
  const responses = [keyResponse(KEY, 60_000), keyResponse(NEW_KEY)];
  const { target } = await startServer(() => responses.shift() ?? { status: 500 });
  const source = createCredentialsSource(new Credential(uriConfig(target.endpoint)), { clock });
  expect(await source.get()).toEqual(KEY);
  await clock.advance(60_000);
  await source.get();
  await expect.poll(() => source.get()).toEqual(NEW_KEY);
});

it('makes a new object from its configuration after a refusal, since the old one remembers its key', async () => {
  let key = KEY;
  const { target, requests } = await startServer(() => keyResponse(key));
  const config = uriConfig(target.endpoint);
  const [ofConfig, ofObject] = [createCredentialsSource(config), createCredentialsSource(new Credential(config))];
  for (const source of [ofConfig, ofObject]) expect(await source.get()).toEqual(KEY);
  key = NEW_KEY;
  expect(await ofObject.renew(KEY)).toBe(false);
  expect(requests).toHaveLength(2);
  expect(await Promise.all([ofConfig.renew(KEY), ofConfig.renew(KEY)])).toEqual([true, true]);
  expect(await ofConfig.get()).toEqual(NEW_KEY);
  expect(requests).toHaveLength(3);
});

it.each<AlibabaCredentialConfig>([{ type: 'ecs_ram_role' }, { type: 'ecs_ram_role', roleName: 'web' }])(
  'takes the key of the role of an instance: %o',
  async (config) => {
    const { requests } = await startMetadata(({ method, url }) => {
      if (method === 'PUT') return { status: 200, body: 'metadata-token' };
      return url.endsWith('/security-credentials/') ? { status: 200, body: 'web' } : keyResponse(KEY);
    });
    expect(await createCredentialsSource(config).get()).toEqual(KEY);
    expect(requests.at(-1)).toMatchObject({
      url: '/latest/meta-data/ram/security-credentials/web',
      headers: { 'x-aliyun-ecs-metadata-token': 'metadata-token' },
    });
  },
);

it.each<AlibabaCredentialConfig>([
  { type: 'sts', ...KEY },
  { type: 'access_key', accessKeyId: 'LTAItest', accessKeySecret: SECRET },
])('takes a key from a configuration: %o', async ({ type, ...key }) => {
  expect(await createCredentialsSource({ type, ...key }).get()).toEqual(key);
});

it.each([
  ['throttles', 'UNAVAILABLE', { status: 429 }],
  ['fails', 'UNAVAILABLE', { status: 503, body: '<html>503</html>' }],
  ['throttles by name', 'UNAVAILABLE', { status: 400, body: '{"Code":"Throttling.User","Message":"m"}' }],
  ['refuses', 'AUTH', { status: 403, body: '{"Code":"NoPermission","Message":"m"}' }],
  ['does not know the path', 'AUTH', { status: 404 }],
  ['gives no key', 'AUTH', { status: 200, body: '{}' }],
])('while the server of keys %s, a batch fails with %s', async (_, code, response) => {
  const { target } = await startServer(() => response);
  const failure = await createCredentialsSource(uriConfig(target.endpoint))
    .get()
    .catch((error) => error);
  expect(failure).toMatchObject({ code, ambiguous: false });
  expect(failure.message).toContain(`answered HTTP ${response.status}`);
  expect(failure.message).toMatch(
    code === 'AUTH'
      ? /^no Alibaba Cloud credentials \(.*\): check the option "credentials", with the type "credentials_uri"$/
      : /^no Alibaba Cloud credentials for now: /,
  );
});

it('a server of keys without an address is a fault of the options', async () => {
  await expect(createCredentialsSource({ type: 'credentials_uri' }).get()).rejects.toMatchObject({
    code: 'AUTH',
    message:
      'no Alibaba Cloud credentials (neither credentialsURI nor ALIBABA_CLOUD_CREDENTIALS_URI is set): ' +
      'check the option "credentials", with the type "credentials_uri"',
  });
});

it('names the error of a service that refuses', async () => {
  const { target } = await startServer(() => ({ status: 403, body: '{"Message":"m","Code":"NoPermission"}' }));
  await expect(createCredentialsSource(uriConfig(target.endpoint)).get()).rejects.toThrow('HTTP 403, NoPermission');
});

it.each<[string, () => AlibabaCredentialConfig | Promise<AlibabaCredentialConfig>]>([
  ['a server of keys', () => uriConfig('http://127.0.0.1:1')],
  [
    'the metadata of an instance',
    () => {
      redirectMetadata(1);
      return { type: 'ecs_ram_role' };
    },
  ],
  [
    'the metadata of an instance that is silent',
    async () => {
      redirectMetadata((await startSilent()).port);
      return { type: 'ecs_ram_role', roleName: 'web', timeout: 50, connectTimeout: 50 };
    },
  ],
])('%s that cannot be reached is a failure of the network', async (_, config) => {
  const failure = { code: 'NETWORK', ambiguous: false, message: expect.stringContaining('did not answer') };
  await expect(createCredentialsSource(await config()).get()).rejects.toMatchObject(failure);
});

it('the metadata of an instance that throttles fails for now', async () => {
  await startMetadata(() => ({ status: 429 }));
  await expect(createCredentialsSource({ type: 'ecs_ram_role' }).get()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('100.100.100.200 answered HTTP 429'),
  });
});

it('an object that finds no key on a machine that is no instance is a failure of AUTH', async () => {
  redirectMetadata(1);
  vi.stubEnv('HOME', '/nowhere');
  await expect(createCredentialsSource(new Credential()).get()).rejects.toMatchObject({ code: 'AUTH' });
});

it.each<[string, AlibabaCredentialConfig, string]>([
  ['a role without a name', { type: 'oidc_role_arn' }, 'roleArn does not exist and env ALIBABA_CLOUD_ROLE_ARN is null'],
  ['no key', { type: 'access_key' }, 'the access key id is empty'],
])('tells what the package says of %s', async (_, config, text) => {
  await expect(createCredentialsSource(config).get()).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining(text),
  });
});

it('names the file of a token that is missing', async () => {
  const role = { roleArn: 'acs:ram::1:role/web', oidcProviderArn: 'acs:ram::1:oidc-provider/x' };
  const config: AlibabaCredentialConfig = { type: 'oidc_role_arn', ...role, oidcTokenFilePath: '/nowhere/token' };
  await expect(createCredentialsSource(config).get()).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining("ENOENT: no such file or directory, open '/nowhere/token'"),
  });
});

it.each([
  ['a response that lacks the token', JSON.stringify({ AccessKeyId: 'STS.1', AccessKeySecret: SECRET })],
  ['a response that is no JSON', SECRET],
  ['a response that broke off', `{"AccessKeySecret":"${SECRET}"`],
  ['a key with a line end', keyResponse({ ...KEY, accessKeySecret: `${SECRET}\n` }).body],
])('shows no key in the failure after %s, although the package does', async (_, body) => {
  const { target } = await startServer(() => ({ status: 200, body }));
  const url = `${target.endpoint}/?token=${SECRET}`;
  for (const credentials of [uriConfig(url), new Credential(uriConfig(url))]) {
    const failure = await createCredentialsSource(credentials)
      .get()
      .catch((error) => error);
    expect(failure.code).toBe('AUTH');
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(SECRET);
  }
});

it('shows no URL in the failure of a connection, although the package does', async () => {
  const failure = await createCredentialsSource(uriConfig(`http://127.0.0.1:1/?token=${SECRET}`))
    .get()
    .catch((error) => error);
  expect(failure.message).toContain('connect ECONNREFUSED 127.0.0.1:1');
  expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(SECRET);
});

it('waits for a server of keys until the signal aborts, and names it', async () => {
  const { url, host, connected } = await startSilent();
  const controller = new AbortController();
  const asking = createCredentialsSource(uriConfig(url))
    .get(controller.signal)
    .catch((error) => error);
  await connected;
  controller.abort();
  expect(await asking).toMatchObject({
    code: 'TIMEOUT',
    ambiguous: false,
    message: `no Alibaba Cloud credentials yet: ${host} does not answer`,
  });
});

/** Runs a process that asks for a key once. Rejects if its exit code is not 0, or if it takes 20 s. */
async function askInChild(config: AlibabaCredentialConfig, env: Readonly<Record<string, string>>): Promise<string> {
  const file = join(import.meta.dirname, '../children/one-key.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    env: { ...process.env, CONFIG: JSON.stringify(config), ...env },
    timeout: 20_000,
  });
  return stdout;
}

it.each(['esm', 'cjs'])('lets the process end once it has a key, with no timer of the package (%s)', async (FORMAT) => {
  const { target } = await startServer(() => keyResponse(KEY));
  const config = { type: 'ecs_ram_role', roleName: 'web', asyncCredentialUpdateEnabled: true } as const;
  const METADATA_PORT = new URL(target.endpoint).port;
  expect(await askInChild(config, { METADATA_PORT, FORMAT, WAITS: 'true' })).toBe('STS.1\n');
});

it.each(['config', 'object'])('lets the process end while the server of keys hangs (%s)', async (FORM) => {
  const { url, connected } = await startSilent();
  const limits = { timeout: 60_000, connectTimeout: 60_000 };
  expect(await askInChild({ ...uriConfig(url), ...limits }, { FORMAT: 'esm', FORM })).toBe('');
  await connected;
});

it('says how to install the package where it is missing, and needs it for a configuration only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dist = join(import.meta.dirname, '../../dist/esm');
  cpSync(dist, join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  mkdirSync(join(folder, 'node_modules/@logferry'), { recursive: true });
  symlinkSync(join(import.meta.dirname, '../../../core'), join(folder, 'node_modules/@logferry/core'));
  symlinkSync(join(import.meta.dirname, '../../../../node_modules/lz4js'), join(folder, 'node_modules/lz4js'));
  const code = `import { assertCredentialsInstalled } from './dist/index.js';
    const { env } = process;
    for (const credentials of [undefined, 'env', () => env, { getCredential: () => env }, { accessKeyId: 'x' }])
      await assertCredentialsInstalled(credentials);
    assertCredentialsInstalled({ type: 'ecs_ram_role' }).catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: folder,
  });
  const remedy = 'install it: npm install @alicloud/credentials';
  expect(stdout).toBe(`MISCONFIGURED @alicloud/credentials is not installed; ${remedy}\n`);
});
