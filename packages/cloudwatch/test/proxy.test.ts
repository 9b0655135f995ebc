import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ForwardProxy, startProxy, startSts } from '@logferry/emulators';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { isolate } from './support/environment.js';
import { batchOf, create, deliver, send } from './support/events.js';
import { startEmulator } from './support/servers.js';
import { metadata, startSource } from './support/sources.js';

beforeEach(() => {
  isolate();
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'])
    for (const each of [name, name.toLowerCase()]) vi.stubEnv(each, undefined);
});

async function startForwarding(options: Parameters<typeof startProxy>[0] = {}): Promise<ForwardProxy> {
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.close());
  return proxy;
}

const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
const labelOf = (proxy: ForwardProxy): string => `http://${new URL(proxy.url).host}`;

it('delivers through the proxy of the option, and of the environment', async () => {
  const { emulator, access } = await startEmulator();
  const proxy = await startForwarding({ credentials: { username: 'shop', password: 'hush' } });
  const byOption = create({ ...access, proxy: proxy.url });
  await deliver(byOption, batchOf(byOption, 'x'));
  const seen = proxy.requests().length;
  expect(seen).toBeGreaterThan(0);
  vi.stubEnv('HTTP_PROXY', proxy.url);
  const byEnvironment = create(access);
  await deliver(byEnvironment, batchOf(byEnvironment, 'y'));
  expect(proxy.requests().length).toBeGreaterThan(seen);
  const direct = create({ ...access, proxy: false });
  const before = proxy.requests().length;
  await deliver(direct, batchOf(direct, 'z'));
  expect(proxy.requests()).toHaveLength(before);
  expect(emulator.events().map(({ message }) => message)).toEqual(['x', 'y', 'z']);
});

it.each([
  [407, 'MISCONFIGURED', 'the proxy wants a user name and a password'],
  [403, 'MISCONFIGURED', 'the rules of the proxy'],
  [502, 'UNAVAILABLE', 'the proxy does not reach the service'],
] as const)('an answer %i of the proxy to CONNECT is told as its own, with %s', async (status, code, text) => {
  const proxy = await startForwarding({ credentials: { username: 'shop', password: 'hush' } });
  proxy.answer(status);
  const destination = create({ region: 'us-east-1', credentials: CREDENTIALS, proxy: proxy.url });
  const failure = await send(destination, batchOf(destination, 'x')).catch((error) => error);
  expect(failure).toMatchObject({ code, ambiguous: false, message: expect.stringContaining(text) });
  expect(failure.message).toContain('PutLogEvents to "shop", stream "web", at logs.us-east-1.amazonaws.com:443: ');
  expect(failure.message).toContain(`, through the proxy ${labelOf(proxy)}`);
  expect(failure.message).not.toContain('hush');
});

it('an answer through the proxy is told with the proxy', async () => {
  const { access } = await startEmulator();
  const proxy = await startForwarding();
  const destination = create({ ...access, credentials: CREDENTIALS, proxy: proxy.url });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining(`, through the proxy ${labelOf(proxy)} (check`),
  });
});

/** The host that a request goes to, as a proxy sees it. */
async function hostOf(options: object = {}): Promise<string | undefined> {
  const proxy = await startForwarding();
  proxy.answer(503);
  const destination = create({ credentials: CREDENTIALS, proxy: proxy.url, ...options });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const [request] = proxy.requests();
  expect(request?.method).toBe('CONNECT');
  return request?.target;
}

describe('the host of the service', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['logs.us-east-1.amazonaws.com', {}],
    ['logs-fips.us-east-1.amazonaws.com', { AWS_USE_FIPS_ENDPOINT: 'true' }],
    ['logs.us-east-1.api.aws', { AWS_USE_DUALSTACK_ENDPOINT: 'true' }],
    ['logs-fips.us-east-1.api.aws', { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' }],
  ])('is %s by the variables %o', async (host, variables) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    expect(await hostOf({ region: 'us-east-1' })).toBe(`${host}:443`);
  });

  it.each([
    ['logs-fips.us-west-2.amazonaws.com', 'use_fips_endpoint = true'],
    ['logs.us-west-2.api.aws', 'use_dualstack_endpoint = true'],
  ])('is %s by the shared config file: %s', async (host, line) => {
    const folder = mkdtempSync(join(tmpdir(), 'logferry-proxy-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'config');
    const keys = 'aws_access_key_id = AKIATEST\naws_secret_access_key = secret\n';
    writeFileSync(file, `[profile shop]\nregion = us-west-2\n${line}\n${keys}`);
    vi.stubEnv('AWS_CONFIG_FILE', file);
    expect(await hostOf({ credentials: undefined, profile: 'shop' })).toBe(`${host}:443`);
    vi.stubEnv('AWS_PROFILE', 'shop');
    expect(await hostOf({ credentials: undefined })).toBe(`${host}:443`);
  });
});

describe('credentials', () => {
  const assumeRole = { roleArn: 'arn:aws:iam::123456789012:role/logs' };

  it('of a role are asked for through the proxy', async () => {
    const { emulator, access } = await startEmulator();
    const { region, endpoint } = access;
    const sts = await startSts({
      credentials: CREDENTIALS,
      roles: [assumeRole],
      onSession: ({ credentials }) => emulator.credentials(credentials),
    });
    onTestFinished(() => sts.close());
    vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
    const proxy = await startForwarding();
    const destination = create({ region, endpoint, credentials: CREDENTIALS, assumeRole, proxy: proxy.url });
    await deliver(destination, batchOf(destination, 'x'));
    const { host } = new URL(sts.url);
    expect(proxy.requests()[0]).toEqual({ method: 'POST', target: host, status: undefined });
    expect(emulator.events()).toHaveLength(1);
  });

  it('of a role cannot be had where the proxy refuses: the proxy is told for it', async () => {
    const proxy = await startForwarding();
    proxy.answer(407);
    const destination = create({ region: 'us-east-1', credentials: CREDENTIALS, assumeRole, proxy: proxy.url });
    await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      message: expect.stringMatching(
        /^no AWS credentials for the role ".*": the proxy answered HTTP 407 .* to CONNECT sts\.us-east-1\.amazonaws\.com:443, through the proxy http:\/\/127\.0\.0\.1:\d+ \(the proxy wants/,
      ),
    });
    expect(proxy.requests()).toMatchObject([{ target: 'sts.us-east-1.amazonaws.com:443' }]);
  });

  it('that STS refuses in a tunnel are refused, and not out of reach', async () => {
    const pem = readFileSync(new URL('../../core/test/support/localhost.pem', import.meta.url));
    const error = '<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>';
    const sts = createServer({ key: pem, cert: pem }, (_, response) => response.writeHead(403).end(error));
    sts.listen(0, '127.0.0.1');
    await once(sts, 'listening');
    onTestFinished(() => {
      sts.close();
      sts.closeAllConnections();
    });
    const proxy = await startForwarding({ resolve: () => `127.0.0.1:${(sts.address() as AddressInfo).port}` });
    const folder = mkdtempSync(join(tmpdir(), 'logferry-proxy-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'token'), 'token');
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
    vi.stubEnv('AWS_ROLE_ARN', assumeRole.roleArn);
    const destination = create({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1', proxy: proxy.url });
    await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'AUTH' });
    expect(proxy.requests()).toMatchObject([{ method: 'CONNECT', target: 'sts.us-east-1.amazonaws.com:443' }]);
  });

  it('of a container never come through a proxy', async () => {
    const { emulator, access } = await startEmulator();
    const { region, endpoint, credentials } = access;
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = credentials;
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    const keys = { AccessKeyId, SecretAccessKey, Token: 't', Expiration };
    const source = await startSource(() => [200, JSON.stringify(keys)]);
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', source.url);
    const proxy = await startForwarding();
    const destination = create({ region, endpoint, proxy: proxy.url });
    await deliver(destination, batchOf(destination, 'x'));
    expect(emulator.events()).toHaveLength(1);
    expect(new Set(proxy.requests().map(({ target }) => target))).toEqual(new Set([new URL(endpoint).host]));
  });

  it('of the instance metadata never come through a proxy', async () => {
    const { emulator, access } = await startEmulator();
    const { region, endpoint, credentials } = access;
    const asked: string[] = [];
    const respond = metadata(credentials);
    const source = await startSource((request) => {
      asked.push(request);
      return respond(request);
    });
    emulator.credentials({ ...credentials, sessionToken: 't' });
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', source.url);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined);
    const proxy = await startForwarding();
    const destination = create({ region, endpoint, proxy: proxy.url });
    await deliver(destination, batchOf(destination, 'x'));
    expect(asked.length).toBeGreaterThan(0);
    expect(new Set(proxy.requests().map(({ target }) => target))).toEqual(new Set([new URL(endpoint).host]));
  });
});
