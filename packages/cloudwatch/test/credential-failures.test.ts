import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { createShipper, DeliveryError, systemClock } from '@logferry/core';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { jumpingClock } from './support/clock.js';
import { isolate } from './support/environment.js';
import { batchOf, create, deliver, record, send } from './support/events.js';
import { startEmulator } from './support/servers.js';
import { metadata, type Respond, startSource } from './support/sources.js';

beforeEach(isolate);

const ROLE = 'arn:aws:iam::123456789012:role/web';

/** A folder for one test. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'logferry-credentials-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function setEnv(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

const START_URL = 'https://x.test/start';

/** Each way to make a server the only source of credentials of this machine. */
const sources: Record<string, (url: string) => void> = {
  'instance metadata': (url) =>
    setEnv({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url, AWS_EC2_METADATA_DISABLED: undefined }),
  STS(url) {
    const file = join(folder(), 'token');
    writeFileSync(file, 'token');
    setEnv({ AWS_ENDPOINT_URL_STS: url, AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: ROLE, AWS_MAX_ATTEMPTS: '1' });
  },
  SSO(url) {
    const home = folder();
    const cache = join(home, '.aws/sso/cache');
    const session = `sso_start_url = ${START_URL}\nsso_region = us-east-1\n`;
    const profile = `[default]\n${session}sso_account_id = 123456789012\nsso_role_name = web\n`;
    const token = { accessToken: 'token', expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(home, 'config'), profile);
    writeFileSync(join(cache, `${createHash('sha1').update(START_URL).digest('hex')}.json`), JSON.stringify(token));
    setEnv({ HOME: home, AWS_CONFIG_FILE: join(home, 'config'), AWS_ENDPOINT_URL_SSO: url, AWS_MAX_ATTEMPTS: '1' });
  },
};

const stsError = (code: string): string =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>m</Message></Error></ErrorResponse>`;

it.each<[string, string, string, Respond]>([
  ['instance metadata', 'throttles', 'UNAVAILABLE', () => [429]],
  ['instance metadata', 'fails', 'UNAVAILABLE', () => [503]],
  [
    'instance metadata',
    'gives a token and then fails',
    'UNAVAILABLE',
    (request) => [request.startsWith('PUT') ? 200 : 500, 'x'],
  ],
  ['instance metadata', 'has no role', 'AUTH', (request) => [request.startsWith('PUT') ? 200 : 404, 'x']],
  ['STS', 'fails', 'UNAVAILABLE', () => [503, stsError('ServiceUnavailable')]],
  ['STS', 'throttles', 'UNAVAILABLE', () => [400, stsError('Throttling')]],
  ['STS', 'cannot reach the identity provider', 'UNAVAILABLE', () => [400, stsError('IDPCommunicationError')]],
  ['STS', 'denies the role', 'AUTH', () => [403, stsError('AccessDenied')]],
  ['STS', 'refuses the token', 'AUTH', () => [400, stsError('ExpiredTokenException')]],
])('while %s %s, a batch fails with %s', async (source, _, code, respond) => {
  const { url } = await startSource(respond);
  sources[source]?.(url);
  const destination = create({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' });
  const failure = await send(destination, batchOf(destination, 'x')).catch((error) => error);
  expect(failure).toMatchObject({ code, ambiguous: false });
  expect(failure.message).toMatch(
    code === 'AUTH' ? /^no AWS credentials \(/ : /^no AWS credentials for now: .* answered HTTP \d+ \(/,
  );
});

it.each([
  ['fails', 'UNAVAILABLE', 503],
  ['throttles', 'UNAVAILABLE', 429],
  ['does not know the session', 'AUTH', 401],
] as const)('while SSO %s, a batch fails with %s', async (_, code, status) => {
  sources.SSO?.((await startSource(() => [status])).url);
  const destination = create({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code, ambiguous: false });
});

it.each(Object.keys(sources))('%s that cannot be reached is a failure of the network', async (source) => {
  sources[source]?.('http://127.0.0.1:1');
  const destination = create({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' });
  const failure = { code: 'NETWORK', ambiguous: false, message: expect.stringContaining('127.0.0.1:1 did not answer') };
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject(failure);
});

it("a client of the user's meets a source that throttles as our own does", async () => {
  sources['instance metadata']?.((await startSource(() => [429])).url);
  const client = new CloudWatchLogsClient({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' });
  const destination = create({ client });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

it.each([
  ['a broken connection', 'NETWORK', Object.assign(new Error('fetch failed'), { cause: { code: 'ECONNRESET' } })],
  ['a time-out', 'TIMEOUT', new DOMException('too late', 'TimeoutError')],
  ['an error 503 of AWS', 'UNAVAILABLE', Object.assign(new Error('x'), { $metadata: { httpStatusCode: 503 } })],
  ['an error 403 of AWS', 'AUTH', Object.assign(new Error('x'), { $metadata: { httpStatusCode: 403 } })],
  ['a DeliveryError', 'THROTTLED', new DeliveryError('THROTTLED', 'the vault is busy')],
  ['any other error', 'AUTH', new Error('the vault is shut')],
] as const)('after %s of a function for credentials, a batch fails with %s', async (_, code, error) => {
  const destination = create({
    region: 'us-east-1',
    endpoint: 'http://x.test',
    credentials: () => Promise.reject(error),
  });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code, ambiguous: false });
});

it('delivers all in close() after instance metadata throttled for a moment', async () => {
  const { access } = await startEmulator();
  const answer = metadata(access.credentials);
  let throttled = 3;
  const { url } = await startSource((request) => (throttled-- > 0 ? [429] : answer(request)));
  sources['instance metadata']?.(url);
  const shipper = createShipper(create({ ...access, credentials: undefined }), {
    retry: { baseMs: 20 },
    onError: () => {},
  });
  for (const text of ['x', 'y', 'z']) shipper.accept(record(text));
  expect(await shipper.close()).toMatchObject({ delivered: 3, pending: 0 });
});

it('goes on with credentials that are still valid when new ones cannot be had, and asks again 5 s later', async () => {
  const { emulator, access } = await startEmulator();
  const jump = jumpingClock();
  // The SDK renews credentials 5 minutes before they end.
  const expiration = new Date(Date.now() + 60_000);
  const credentials = vi.fn(() => Promise.reject(new Error('the vault is shut')));
  credentials.mockResolvedValueOnce({ ...access.credentials, expiration } as never);
  const destination = create({ ...access, credentials });
  await deliver(destination, batchOf(destination, 'x'));
  const calls = credentials.mock.calls.length;
  await deliver(destination, batchOf(destination, 'y'));
  expect(credentials).toHaveBeenCalledTimes(calls);
  jump(5000);
  await deliver(destination, batchOf(destination, 'z'));
  expect(credentials).toHaveBeenCalledTimes(calls + 1);
  expect(emulator.events()).toHaveLength(3);
});

it('goes on with credentials that lack one permission when new ones cannot be had', async () => {
  const { emulator, access } = await startEmulator();
  const credentials = vi.fn(async () => access.credentials);
  const destination = create({ ...access, credentials });
  await deliver(destination, batchOf(destination, 'creates the stream'));
  emulator.faults({ next: ['accessDenied'] });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'AUTH' });
  credentials.mockRejectedValue(new Error('the vault is shut'));
  await deliver(destination, batchOf(destination, 'y'));
  expect(credentials).toHaveBeenCalledTimes(2);
});

it('waits for credentials until the deadline of the attempt, and says for whom', async () => {
  const { url, host } = await startSource(() => undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', url);
  const destination = create({ region: 'us-east-1', endpoint: 'http://x.test' });
  await expect(destination.send(batchOf(destination, 'x'), AbortSignal.timeout(100))).rejects.toMatchObject({
    code: 'TIMEOUT',
    ambiguous: false,
    message: `no AWS credentials yet: ${host} does not answer`,
  });
});

it('asks a function again that did not answer for 60 s', async () => {
  const { access } = await startEmulator();
  const credentials = vi.fn(async () => access.credentials);
  credentials.mockReturnValueOnce(new Promise(() => {}));
  const destination = create({ ...access, credentials });
  const { setTimer } = systemClock;
  const timers = vi.spyOn(systemClock, 'setTimer');
  timers.mockImplementation((callback, ms) => setTimer(callback, ms === 60_000 ? 1 : ms));
  onTestFinished(() => timers.mockRestore());
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'TIMEOUT', ambiguous: false });
  await deliver(destination, batch);
});
