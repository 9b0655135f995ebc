import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { createShipper, type DeliveryError } from '@logferry/core';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CloudWatchOptions } from '../src/index.js';
import { watchAttempts } from './support/attempts.js';
import { isolate } from './support/environment.js';
import { batchOf, create, record, send } from './support/events.js';
import { type Access, accepted, startEmulator, startServer } from './support/servers.js';
import { startSource } from './support/sources.js';

beforeEach(isolate);

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };

async function accessTo(server: Server, scheme = 'http'): Promise<Access> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    region: 'us-east-1',
    endpoint: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials,
  };
}

/** A server that answers each request with these bytes, and then breaks the connection. */
function breaking(answer: (body: string) => string): Promise<Access> {
  return accessTo(
    createServer((socket) => {
      let received = '';
      socket.on('data', (data) => {
        received += data;
        const [head = '', body] = received.split('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (body === undefined || Buffer.byteLength(body) < length) return;
        received = '';
        socket.write(answer(body), () => socket.destroy());
      });
    }),
  );
}

/** A server that refuses some bodies as too large, with a page that stands still. */
async function halting(isTooLarge: (body: Buffer) => boolean): Promise<Access> {
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.setHeader('x-amzn-requestid', 'request-1');
    if (isTooLarge(Buffer.concat(chunks))) response.writeHead(413).write('<html>');
    else response.end('{}');
  });
  return accessTo(server);
}

const head = (status: number, ...headers: string[]): string =>
  [`HTTP/1.1 ${status} x`, 'Content-Length: 500', ...headers, '', ''].join('\r\n');

/** The options of our own client, and of one of the user's. */
const clients = (access: Access): Partial<CloudWatchOptions>[] => [
  access,
  { client: new CloudWatchLogsClient({ ...access, maxAttempts: 1 }) },
];

async function failureOf(options: Partial<CloudWatchOptions>): Promise<DeliveryError> {
  const destination = create(options);
  onTestFinished(() => destination.close?.());
  return send(destination, batchOf(destination, 'x')).then(
    () => expect.unreachable('the batch was delivered'),
    (error) => error,
  );
}

describe('a response whose body breaks off', () => {
  it.each([
    [413, 'TOO_LARGE', false],
    [429, 'THROTTLED', false],
    [503, 'UNAVAILABLE', true],
    [302, 'MISCONFIGURED', false],
  ] as const)('has its status %d, and its Retry-After', async (status, code, ambiguous) => {
    const access = await breaking(() => `${head(status, 'Retry-After: 3')}<html>\n<h1>No</h1>`);
    for (const options of clients(access)) {
      const failure = await failureOf(options);
      expect(failure).toMatchObject({ code, ambiguous, retryAfterMs: 3000 });
      expect(failure.message).not.toMatch(/SyntaxError|Deserialization|\n|Unknown/);
    }
    expect((await failureOf(access)).message).toContain(`: HTTP ${status}: No`);
  });

  it('is halved as too large until it passes', async () => {
    let refused = 0;
    let requests = 0;
    const access = await breaking((body) => {
      requests++;
      if (body.length < 1500) return 'HTTP/1.1 200 x\r\nContent-Length: 2\r\nx-amzn-RequestId: request-1\r\n\r\n{}';
      refused++;
      return `${head(413)}<html>`;
    });
    const shipper = createShipper(create(access), { onError: () => {} });
    for (let index = 0; index < 40; index++) shipper.accept(record('x'.repeat(100)));
    expect(await shipper.close()).toMatchObject({ delivered: 40 });
    expect(shipper.stats().retries).not.toHaveProperty('NETWORK');
    expect(refused).toBeGreaterThan(0);
    expect(requests).toBeLessThan(20);
  });

  it('is halved as too large although the attempt ends before its page does', async () => {
    const access = await halting(({ length }) => length > 1500);
    const errors = watchAttempts();
    const shipper = createShipper(create(access), { requestTimeoutMs: 200 });
    for (let index = 0; index < 20; index++) shipper.accept(record('x'.repeat(100)));
    expect(await shipper.close()).toMatchObject({ delivered: 20 });
    expect(shipper.stats()).toMatchObject({ ambiguous: 0 });
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['TOO_LARGE']));
  });

  it.each([
    ['nothing of it', ''],
    ['a part of it', '{"rejectedLogEv'],
    ['JSON of it', '{}'],
  ])('is no success with a request id, and may be one: %s', async (_what, part) => {
    const access = await breaking(() => `${head(200, 'x-amzn-RequestId: request-1')}${part}`);
    for (const options of clients(access)) {
      const failure = await failureOf(options);
      expect(failure).toMatchObject({ code: 'UNAVAILABLE', ambiguous: true, requestId: 'request-1' });
      expect(failure.message).toContain('HTTP 200 with a damaged body');
    }
  });

  it('is one of some other server without a request id', async () => {
    const access = await breaking(() => `${head(200, 'x-other-request-id: 1')}{"nextSequenceToken":"1"}`);
    for (const options of clients(access))
      expect(await failureOf(options)).toMatchObject({ code: 'MISCONFIGURED', ambiguous: true });
  });
});

it('a response that a proxy compressed is read', async () => {
  const { gzipSync } = await import('node:zlib');
  const text = '{"__type":"ThrottlingException","message":"Rate exceeded"}';
  const body = gzipSync(text);
  const server = createServer((socket) =>
    socket.once('data', () => {
      socket.write(`HTTP/1.1 400 x\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.end(body);
    }),
  );
  const failure = await failureOf(await accessTo(server));
  expect(failure.code).toBe('THROTTLED');
  expect(failure.message).toContain('HTTP 400 ThrottlingException: Rate exceeded');
});

it('the page of a proxy is quoted, without an error of the SDK', async () => {
  const body = '<html>\n<head><title>502 Bad Gateway</title></head>';
  const { access } = await startServer(() => ({ status: 502, headers: { 'content-type': 'text/html' }, body }));
  const where = `PutLogEvents to "shop", stream "web", at ${new URL(access.endpoint).host}: `;
  const texts = await Promise.all(clients(access).map(async (options) => (await failureOf(options)).message));
  // The SDK has read the body of a client of the user's.
  expect(texts).toEqual([`${where}HTTP 502: 502 Bad Gateway`, `${where}HTTP 502`]);
});

it('a used connection that breaks is no news, and its batch is delivered by a new one', async () => {
  const { emulator, access } = await startEmulator();
  const errors = watchAttempts();
  const shipper = createShipper(create(access), { maxDelayMs: 0 });
  shipper.accept(record('creates the stream'));
  await shipper.flush();
  emulator.faults({ next: ['reset'] });
  shipper.accept(record('x'));
  await shipper.flush();
  expect(emulator.events()).toHaveLength(2);
  expect(errors).toEqual([]);
  expect(shipper.stats()).toMatchObject({ delivered: 2, ambiguous: 1 });
});

describe('a fault of our own side, known before a byte is sent', () => {
  it.each<[what: string, code: string, text: RegExp, options: Partial<CloudWatchOptions>]>([
    [
      'a key with a line end',
      'AUTH',
      /^no AWS credentials \(their accessKeyId has to be a string without blanks and line ends\)/,
      { credentials: async () => ({ ...credentials, accessKeyId: 'AKIATEST\n' }) },
    ],
    [
      'a token with a line end',
      'AUTH',
      /^no AWS credentials \(their sessionToken has to be/,
      { credentials: async () => ({ ...credentials, sessionToken: 'token\n' }) },
    ],
    [
      'empty credentials',
      'AUTH',
      /^no AWS credentials \(their accessKeyId has to be a string that is not empty\)/,
      { credentials: async () => ({}) as never },
    ],
  ])('%s: %s', async (_what, code, text, options) => {
    const { access, requests } = await startServer(() => ({ status: 500, body: '' }));
    const failure = await failureOf({ ...access, ...options });
    expect(failure).toMatchObject({ code, ambiguous: false });
    expect(failure.message).toMatch(text);
    expect(requests).toHaveLength(0);
  });

  it.each(['', null])('no fault: a session token that is empty (%j)', async (sessionToken) => {
    const { access, requests } = await startServer(() => accepted);
    const given = { ...credentials, sessionToken: sessionToken as string };
    for (const each of [given, async () => given]) {
      const destination = create({ ...access, credentials: each });
      await send(destination, batchOf(destination, 'x'));
    }
    expect(requests).toHaveLength(2);
    expect(requests[0]?.headers).not.toHaveProperty('x-amz-security-token');
  });

  it.each(['AKIATEST\n', 'AKIA TEST'])('a key that no header takes is refused at construction: %j', (accessKeyId) => {
    expect(() => create({ credentials: { ...credentials, accessKeyId } })).toThrow(
      /credentials\.accessKeyId: expected a string without blanks and line ends/,
    );
  });

  it.each(['localhost:4566', 'logs.example.com'])('an endpoint without a scheme: %s', async (endpoint) => {
    const onConsole = vi.spyOn(console, 'error');
    onTestFinished(() => onConsole.mockRestore());
    vi.stubEnv('AWS_ENDPOINT_URL', endpoint);
    const ours = await failureOf({ region: 'us-east-1', credentials });
    expect(ours).toMatchObject({ code: 'MISCONFIGURED', ambiguous: false });
    expect(ours.message).toMatch(/Invalid URL|Protocol "localhost:" not supported/);
    const client = new CloudWatchLogsClient({ region: 'us-east-1', credentials, maxAttempts: 1 });
    expect(await failureOf({ client })).toMatchObject({ code: 'MISCONFIGURED', ambiguous: false });
    expect(onConsole).not.toHaveBeenCalled();
  });

  it("invalid credentials of a client of the user's", async () => {
    const { access, requests } = await startServer(() => ({ status: 500, body: '' }));
    for (const wrong of [{}, { ...credentials, sessionToken: 'token\n' }]) {
      const client = new CloudWatchLogsClient({ ...access, credentials: wrong as never, maxAttempts: 1 });
      expect(await failureOf({ client })).toMatchObject({ code: 'MISCONFIGURED', ambiguous: false });
    }
    expect(requests).toHaveLength(0);
  });

  it('a region with a blank is not called a missing one', async () => {
    vi.stubEnv('AWS_REGION', 'us east-1');
    const failure = await failureOf({ credentials });
    expect(failure.message).toMatch(/^no valid AWS region \(.*"us east-1".*\): set the option "region"/);
  });

  it('no home and a user without an entry', async () => {
    const file = fileURLToPath(new URL('children/no-home.mjs', import.meta.url));
    const { PATH } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env: { PATH } });
    expect(stdout).toMatch(/^(AUTH|MISCONFIGURED) false .*uv_os_homedir returned ENOENT/);
  });
});

describe('the text of a failure', () => {
  it('names host and port, and what to do about a certificate', async () => {
    const pem = readFileSync(new URL('../../core/test/support/localhost.pem', import.meta.url));
    const access = await accessTo(createTlsServer({ key: pem, cert: pem }), 'https');
    const failure = await failureOf(access);
    expect(failure).toMatchObject({ code: 'MISCONFIGURED', ambiguous: false });
    const { host } = new URL(access.endpoint);
    expect(failure.message).toMatch(new RegExp(`"shop".*, at ${host}: self-signed certificate.*NODE_EXTRA_CA_CERTS`));
  });

  it('is not ambiguous if the time was over before the connection was there', async () => {
    const access = await accessTo(createServer(), 'https');
    const destination = create(access);
    const failure = await destination.send(batchOf(destination, 'x'), AbortSignal.timeout(50)).catch((error) => error);
    expect(failure).toMatchObject({ code: 'TIMEOUT', ambiguous: false });
    expect(failure.message).toContain(`, at ${new URL(access.endpoint).host}: `);
  });

  it('names a profile that does not exist', async () => {
    vi.stubEnv('AWS_PROFILE', 'missing');
    const failure = await failureOf({ region: 'us-east-1' });
    expect(failure.code).toBe('AUTH');
    expect(failure.message).toMatch(/^no AWS credentials for the profile "missing" \(/);
  });
});

it("keeps the SDK's warning of a slow endpoint of a container off the console", async () => {
  const onConsole = vi.spyOn(console, 'warn').mockReturnValue();
  const { setTimeout } = globalThis;
  const timers = vi.spyOn(globalThis, 'setTimeout');
  // The SDK warns after 1 s.
  timers.mockImplementation(((callback: () => void, ms: number) =>
    setTimeout(callback, ms === 1000 ? 1 : ms)) as never);
  onTestFinished(() => {
    onConsole.mockRestore();
    timers.mockRestore();
  });
  const { url } = await startSource(() => undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', url);
  const destination = create({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' });
  const sending = destination.send(batchOf(destination, 'x'), AbortSignal.timeout(200));
  await expect(sending).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(onConsole).not.toHaveBeenCalled();
});
