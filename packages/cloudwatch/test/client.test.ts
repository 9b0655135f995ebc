import { gunzipSync, gzipSync } from 'node:zlib';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { assertSdkInstalled } from '../src/index.js';
import { isolate } from './support/environment.js';
import { batchOf, create, deliver, send } from './support/events.js';
import { accepted, startEmulator, startServer } from './support/servers.js';

beforeEach(isolate);

it('finds endpoint, region and credentials in the environment', async () => {
  const { emulator } = await startEmulator();
  for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
  const destination = create({});
  await deliver(destination, batchOf(destination, 'x'));
  expect(emulator.events()).toHaveLength(1);
});

it('uses credentials that are fetched', async () => {
  const { emulator, access } = await startEmulator();
  const fetchCredentials = vi.fn(async () => access.credentials);
  const destination = create({ ...access, credentials: fetchCredentials });
  await deliver(destination, batchOf(destination, 'x'));
  expect(emulator.events()).toHaveLength(1);
  expect(fetchCredentials).toHaveBeenCalledOnce();
});

it('fetches credentials again after a failure to fetch them', async () => {
  const { emulator, access } = await startEmulator();
  const fetchCredentials = vi.fn(async () => access.credentials);
  fetchCredentials.mockRejectedValueOnce(Object.assign(new Error('the vault is shut'), { name: 'ValidationError' }));
  const destination = create({ ...access, credentials: fetchCredentials });
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({
    code: 'AUTH',
    ambiguous: false,
    message: 'no AWS credentials (the vault is shut): the option "credentials" has to give them',
  });
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(1);
});

it('says that there are no credentials', async () => {
  const destination = create({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringMatching(
      /^no AWS credentials \(.+\): set the option "credentials", the environment variables AWS_ACCESS_KEY_ID and .* role$/,
    ),
  });
});

it('names the settings for a missing region, and delivers once one is set', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, region: undefined });
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    message: expect.stringMatching(
      /^no valid AWS region \(Region is missing\): set the option "region", the environment variable /,
    ),
  });
  vi.stubEnv('AWS_REGION', 'us-east-1');
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(1);
});

it("reports a client of the user's without a region", async () => {
  const { access } = await startEmulator();
  const client = new CloudWatchLogsClient({ endpoint: access.endpoint, credentials: access.credentials });
  const destination = create({ client });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    message: expect.stringContaining('set the region of the client'),
  });
});

it.each(['us east-1', 'us_east-1'])(
  'names the region "%s" of the environment, which the SDK refuses',
  async (region) => {
    const { access } = await startEmulator();
    vi.stubEnv('AWS_REGION', region);
    const destination = create({ ...access, region: undefined });
    await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      message: expect.stringContaining(`region="${region}"`),
    });
  },
);

it('reports a refused connection as unambiguous', async () => {
  const { access, emulator } = await startEmulator();
  await emulator.close();
  for (const host of ['127.0.0.1', 'localhost']) {
    const destination = create({ ...access, endpoint: access.endpoint.replace('127.0.0.1', host) });
    await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
      code: 'NETWORK',
      ambiguous: false,
      message: expect.stringMatching(
        new RegExp(`, at ${host}:${new URL(access.endpoint).port}: .*ECONNREFUSED.*check region`),
      ),
    });
  }
});

it('makes one request for each attempt: only the core repeats', async () => {
  const { access, requests } = await startServer(() => ({ status: 503, body: '{}' }));
  vi.stubEnv('AWS_MAX_ATTEMPTS', '5');
  const destination = create(access);
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(requests).toHaveLength(1);
});

it('aborts a request with the signal', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  const batch = batchOf(destination, 'x');
  emulator.faults({ hang: 1 });
  await expect(destination.send(batch, AbortSignal.timeout(100))).rejects.toMatchObject({
    code: 'TIMEOUT',
    ambiguous: true,
  });
  await expect(destination.send(batch, AbortSignal.abort())).rejects.toMatchObject({ code: 'TIMEOUT' });
});

it("sends the same body in each retry of a client of the user's", async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ client: new CloudWatchLogsClient({ ...access, maxAttempts: 3 }) });
  await deliver(destination, batchOf(destination, 'creates the stream'));
  emulator.faults({ next: ['serverError', 'reset'] });
  const outcome = await send(destination, batchOf(destination, 'größe'));
  expect(outcome.requestId).toBeDefined();
  expect(emulator.events().map(({ message }) => message)).toEqual(['creates the stream', 'größe']);
  expect(emulator.stats()).toMatchObject({ violations: [], requests: { PutLogEvents: 5 } });
});

it("runs the middleware of a client of the user's", async () => {
  const { requests, access } = await startServer(() => accepted);
  const client = new CloudWatchLogsClient(access);
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: Uint8Array; headers: Record<string, string> };
      request.body = gzipSync(request.body);
      request.headers['content-encoding'] = 'gzip';
      request.headers['content-length'] = String(request.body.length);
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  const destination = create({ client });
  const batch = batchOf(destination, 'x'.repeat(1000));
  await send(destination, batch);
  expect(JSON.parse(String(gunzipSync(requests[0]?.body ?? Buffer.alloc(0)))).logEvents[0].message).toHaveLength(1000);
});

it('takes a client that has only the method send', async () => {
  const { emulator, access } = await startEmulator();
  const real = new CloudWatchLogsClient(access);
  const destination = create({ client: { send: (command, options) => real.send(command, options) } });
  await deliver(destination, batchOf(destination, 'x'));
  expect(emulator.events()).toHaveLength(1);
});

it('keeps warnings of the SDK off the console', async () => {
  const onConsole = vi.spyOn(console, 'warn').mockReturnValue();
  onTestFinished(() => onConsole.mockRestore());
  const { emulator } = await startEmulator();
  // The SDK warns of credentials in the environment beside a profile. It uses the profile, which does not exist.
  for (const [name, value] of Object.entries({ ...emulator.env, AWS_PROFILE: 'missing' })) vi.stubEnv(name, value);
  const destination = create({});
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'AUTH' });
  expect(onConsole).not.toHaveBeenCalled();
});

it("destroys its own client, and never the user's", async () => {
  const destroy = vi.spyOn(CloudWatchLogsClient.prototype, 'destroy');
  onTestFinished(() => destroy.mockRestore());
  const { access } = await startServer(() => accepted);
  const ours = create(access);
  await ours.close?.();
  expect(destroy).not.toHaveBeenCalled();
  await send(ours, batchOf(ours, 'x'));
  await ours.close?.();
  expect(destroy).toHaveBeenCalledOnce();
  const theirs = create({ client: new CloudWatchLogsClient(access) });
  await send(theirs, batchOf(theirs, 'x'));
  await theirs.close?.();
  expect(destroy).toHaveBeenCalledOnce();
});

it('makes no request at construction', async () => {
  const { access, requests } = await startServer(() => accepted);
  const fetchCredentials = vi.fn(async () => access.credentials);
  const destination = create({ ...access, credentials: fetchCredentials });
  batchOf(destination, 'x');
  await destination.close?.();
  expect(requests).toHaveLength(0);
  expect(fetchCredentials).not.toHaveBeenCalled();
});

it('finds an installed SDK', async () => {
  await expect(assertSdkInstalled()).resolves.toBeUndefined();
});
