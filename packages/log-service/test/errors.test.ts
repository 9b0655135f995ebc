import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import type { DeliveryError } from '@logferry/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLogService, type LogServiceOptions } from '../src/index.js';
import { watchAttempts } from './support/attempts.js';
import { makeBody } from './support/bodies.js';
import { batchOf, record, shop } from './support/records.js';
import {
  accepted,
  type CannedResponse,
  failureOf,
  send,
  serviceError,
  startServer,
  startShop,
} from './support/servers.js';
import { startShipper } from './support/shippers.js';
import { collectWarnings } from './support/warnings.js';

/** The error of a batch that gets this response. */
async function failureFor(answer: CannedResponse, options: Partial<LogServiceOptions> = {}): Promise<DeliveryError> {
  const { target } = await startServer(() => answer);
  const destination = createLogService({ ...target, ...options });
  return failureOf(send(destination, batchOf(destination, { message: 'x' })));
}

it.each<[status: number, errorCode: string, code: string, ambiguous: boolean]>([
  [500, 'InternalServerError', 'UNAVAILABLE', true],
  [500, 'RequestTimeout', 'UNAVAILABLE', true],
  [503, 'ServerBusy', 'UNAVAILABLE', true],
  [403, 'WriteQuotaExceed', 'THROTTLED', false],
  [403, 'ShardWriteQuotaExceed', 'THROTTLED', false],
  [403, 'ExceedQuota', 'THROTTLED', false],
  [403, 'writequotaexceed', 'THROTTLED', false],
  [429, 'TooManyRequests', 'THROTTLED', false],
  [403, 'ProjectForbidden', 'AUTH', false],
  [403, 'Forbidden', 'AUTH', false],
  [401, 'Unauthorized', 'AUTH', false],
  [401, 'SignatureNotMatch', 'AUTH', false],
  [401, 'InvalidAccessKeyId', 'AUTH', false],
  [404, 'ProjectNotExist', 'NOT_FOUND', false],
  [404, 'LogStoreNotExist', 'NOT_FOUND', false],
  [400, 'logstorenotexist', 'NOT_FOUND', false],
  [400, 'PostBodyTooLarge', 'TOO_LARGE', false],
  [413, 'PostBodyTooLarge', 'TOO_LARGE', false],
  [400, 'PostBodyInvalid', 'INVALID', false],
  [400, 'InvalidEncoding', 'INVALID', false],
  [400, 'InvalidKey', 'INVALID', false],
  [400, 'InvalidTimestamp', 'INVALID', false],
  [400, 'InvalidParameter', 'INVALID', false],
  [400, 'ParameterInvalid', 'INVALID', false],
  [499, 'PostBodyInvalid', 'INVALID', false],
  [400, 'postbodyinvalid', 'INVALID', false],
  // Codes that cannot be about the logs.
  [400, 'RequestTimeExpired', 'MISCONFIGURED', false],
  [400, 'LogStoreWithoutShard', 'MISCONFIGURED', false],
  [405, 'MethodNotSupported', 'MISCONFIGURED', false],
  [415, 'InvalidContentType', 'MISCONFIGURED', false],
  [400, 'MissingBodyRawSize', 'MISCONFIGURED', false],
  [404, 'ShardNotExist', 'UNAVAILABLE', true],
  [400, 'WhoKnows', 'MISCONFIGURED', false],
])('takes %d %s for %s', async (status, errorCode, code, ambiguous) => {
  const error = await failureFor(serviceError(status, errorCode, 'the text'));
  expect(error).toMatchObject({ code, ambiguous, requestId: 'REQUEST1' });
  expect(error.message).toContain(`HTTP ${status} ${errorCode}: the text (request REQUEST1)`);
  expect(error.message).toMatch(/^PutWebTracking to logstore "web" of project "shop" at 127\.0\.0\.1:\d+: /);
});

it.each<[status: number, code: string, ambiguous: boolean]>([
  [502, 'UNAVAILABLE', true],
  [504, 'UNAVAILABLE', true],
  [403, 'AUTH', false],
  [404, 'NOT_FOUND', false],
  [405, 'MISCONFIGURED', false],
  [407, 'AUTH', false],
  [408, 'TIMEOUT', true],
  [413, 'TOO_LARGE', false],
  [429, 'THROTTLED', false],
  [400, 'MISCONFIGURED', false],
])('takes %d without a code for %s', async (status, code, ambiguous) => {
  expect(await failureFor({ status, body: '' })).toMatchObject({ code, ambiguous });
});

it('quotes the beginning of a response that is not JSON', async () => {
  const body = `<html>\n  <h1>502 Bad Gateway</h1>\n${'x'.repeat(5000)}`;
  const { message } = await failureFor({ status: 502, headers: { 'content-type': 'text/html' }, body });
  expect(message).toContain('HTTP 502: 502 Bad Gateway xxx');
  expect(message.length).toBeLessThan(400);
});

it.each(['null', '[]', '"text"', '{"errorCode":5}', '{"errorCode":', '\ud800'])(
  'classifies the odd body %s',
  async (body) => {
    expect((await failureFor({ status: 400, body })).code).toBe('MISCONFIGURED');
  },
);

it('explains a 401: web tracking is off, or denied', async () => {
  const { emulator, destination } = await startShop();
  emulator.webTracking('logs', false);
  const error = await failureOf(send(destination, batchOf(destination, {})));
  expect(error.code).toBe('AUTH');
  expect(error.message).toContain('web tracking is off for this logstore, or a policy denies it (log:PutWebTracking)');
});

it.each<[what: string, answer: CannedResponse, text: string]>([
  ['403: the policy', serviceError(403, 'NotAllowed'), 'a policy denies log:PutWebTracking: HTTP 403'],
  [
    '403 of a locked project: the bill',
    serviceError(403, 'ProjectForbidden'),
    'the project is locked, because of a bill',
  ],
  ['407: the proxy', { status: 407 }, 'a proxy wants credentials: HTTP 407'],
  [
    'a setting: what to check',
    serviceError(400, 'LogStoreWithoutShard'),
    'check endpoint, project and logstore: HTTP 400',
  ],
])('names for %s', async (_what, answer, text) => {
  expect((await failureFor(answer)).message).toContain(text);
});

it('names project and logstore when one of them does not exist', async () => {
  const { destination } = await startShop({ logstore: 'missing' });
  const error = await failureOf(send(destination, batchOf(destination, {})));
  expect(error.code).toBe('NOT_FOUND');
  expect(error.message).toMatch(
    /logstore "missing" of project "local" at 127\.0\.0\.1:\d+: the project or the logstore does not exist/,
  );
});

describe('retryAfterMs', () => {
  it.each<[what: string, answer: CannedResponse, retryAfterMs: number | undefined]>([
    ['is absent for a quota: the backoff of the core is enough', serviceError(403, 'WriteQuotaExceed'), undefined],
    ['is the value of Retry-After', { status: 429, headers: { 'retry-after': '10' } }, 10_000],
    ['is the value of Retry-After, also for 5xx', { status: 503, headers: { 'retry-after': '2' } }, 2000],
    [
      'is 0 when the date in Retry-After has passed',
      { status: 503, headers: { 'retry-after': new Date(0).toUTCString() } },
      0,
    ],
    ['is absent with an invalid Retry-After', { status: 503, headers: { 'retry-after': 'soon' } }, undefined],
    ['is absent without Retry-After', { status: 503 }, undefined],
  ])('%s', async (_what, answer, retryAfterMs) => {
    expect((await failureFor(answer)).retryAfterMs).toBe(retryAfterMs);
  });
});

describe('a server that is not Log Service', () => {
  it('is recognised by a redirection, which is not followed', async () => {
    const elsewhere = await startServer(() => accepted);
    const location = `${elsewhere.target.endpoint}/`;
    for (const status of [301, 302, 307]) {
      const error = await failureFor({ status, headers: { location } });
      expect(error).toMatchObject({ code: 'MISCONFIGURED', ambiguous: false });
    }
    expect(elsewhere.requests).toHaveLength(0);
  });

  it.each<[what: string, answer: CannedResponse]>([
    ['an empty 200', { status: 200 }],
    ['a 204', { status: 204 }],
    ['a health check', { status: 200, body: '{"status":"healthy"}' }],
    ['a text', { status: 200, body: 'OK' }],
    ['an error with status 200', serviceError(200, 'Unauthorized')],
    ['an error of a quota with status 200', serviceError(200, 'WriteQuotaExceed')],
    ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' }],
  ])('is recognised by a success without a request id: %s', async (_what, { status, headers = {}, body }) => {
    const server = await startServer(() => ({ status, headers, body }), { requestId: undefined });
    for (const fetch of [undefined, globalThis.fetch]) {
      const destination = createLogService({ ...server.target, fetch });
      const error = await failureOf(send(destination, batchOf(destination, {})));
      expect(error).toMatchObject({ code: 'MISCONFIGURED', ambiguous: true });
      const { host } = new URL(server.target.endpoint);
      expect(error.message).toContain(`at ${host}: some other server answers, without a request id of Log Service`);
    }
  });

  it('is recognised by an error with a success and a request id', async () => {
    expect(await failureFor(serviceError(200, 'Odd'))).toMatchObject({ code: 'MISCONFIGURED', ambiguous: true });
  });
});

describe('the clock of this machine', () => {
  const dated = (aheadMs: number): CannedResponse => ({
    status: 200,
    headers: { date: new Date(Date.now() + aheadMs).toUTCString() },
  });

  it('is reported once when it is an hour wrong, by the Date of a success, and again after it was right', async () => {
    const aheadsMs = [0, 3_600_000, 3_600_000, 0, -3_600_000];
    const { target } = await startServer(() => dated(aheadsMs.shift() ?? 0));
    const destination = createLogService(target);
    const faults: unknown[] = [];
    for (let index = 0; index < 5; index++) {
      const outcome = await send(destination, batchOf(destination, {}));
      faults.push(outcome.faults?.map(({ code, message }) => `${code}: ${message}`));
    }
    const text = (where: string): string[] => [
      `MISCONFIGURED: the clock of this machine is 60 minutes ${where} the clock of Log Service, and the times of its records ` +
        'with it: set it, by NTP for example',
    ];
    expect(faults).toEqual([undefined, text('behind'), undefined, undefined, text('ahead of')]);
  });

  it('is not judged by a Date that cannot be read', async () => {
    const { target } = await startServer(() => ({ status: 200, headers: { date: 'soon' } }));
    const destination = createLogService(target);
    expect((await send(destination, batchOf(destination, {}))).faults).toBeUndefined();
  });
});

describe('a request without a response', () => {
  /** A TCP server. */
  async function listen(onConnection: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('is unambiguous if the connection is refused', async () => {
    const { emulator, destination } = await startShop();
    await emulator.close();
    const error = await failureOf(send(destination, batchOf(destination, {})));
    expect(error).toMatchObject({ code: 'NETWORK', ambiguous: false });
    expect(error.message).toMatch(
      /at 127\.0\.0\.1:\d+: .*ECONNREFUSED.* \(check the endpoint, and that the network lets/,
    );
  });

  it('is unambiguous if the host has no address', async () => {
    const destination = shop({ endpoint: 'http://no-such-host.invalid' });
    expect(await failureOf(send(destination, batchOf(destination, {})))).toMatchObject({
      code: 'NETWORK',
      ambiguous: false,
    });
  });

  it.each<[what: string, react: (socket: Socket) => void]>([
    ['reset', (socket) => socket.once('data', () => socket.resetAndDestroy())],
    ['closed', (socket) => socket.once('data', () => socket.end())],
    ['full of something else', (socket) => socket.once('data', () => socket.end('SSH-2.0\r\n\r\n'))],
  ])('is ambiguous if the connection is %s', async (_what, react) => {
    const endpoint = await listen(react);
    for (const [fetch, code, text] of [
      [undefined, /^NETWORK$/, /: (read ECONNRESET|socket hang up|Parse Error: .*) \(check the endpoint/],
      // The fetch of Node.js 26 has no error code for a response that is not HTTP.
      [globalThis.fetch, /^(NETWORK|UNAVAILABLE)$/, /: fetch failed: ./],
    ] as const) {
      const destination = shop({ endpoint, fetch });
      const error = await failureOf(send(destination, batchOf(destination, {})));
      expect(error).toMatchObject({ code: expect.stringMatching(code), ambiguous: true });
      expect(error.message).toMatch(text);
    }
  });

  it('is no news on a used connection, and its batch is delivered by a new one', async () => {
    const { emulator, destination } = await startShop();
    const errors = watchAttempts();
    const shipper = startShipper(destination, { maxDelayMs: 0 });
    shipper.accept(record({ number: 1 }));
    await shipper.flush();
    emulator.faults({ next: ['reset'] });
    shipper.accept(record({ number: 2 }));
    await shipper.flush();
    expect(emulator.events()).toHaveLength(2);
    expect(errors).toEqual([]);
    expect(shipper.stats()).toMatchObject({ delivered: 2, ambiguous: 1, retries: { AGAIN: 1 } });
  });

  it('says what to do about a certificate', async () => {
    const pem = readFileSync(new URL('../../core/test/support/localhost.pem', import.meta.url));
    const server = createTlsServer({ key: pem, cert: pem });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const error = await failureOf(send(shop({ endpoint: `https://127.0.0.1:${port}` }), batchOf(shop(), {})));
    expect(error).toMatchObject({ code: 'MISCONFIGURED', ambiguous: false });
    expect(error.message).toMatch(new RegExp(`at 127.0.0.1:${port}: self-signed certificate.*NODE_EXTRA_CA_CERTS`));
  });

  it('is a timeout if the signal aborts it', async () => {
    const controller = new AbortController();
    const destination = shop({ endpoint: await listen((socket) => socket.once('data', () => controller.abort())) });
    const error = await failureOf(destination.send(batchOf(destination, {}), controller.signal));
    expect(error).toMatchObject({ code: 'TIMEOUT', ambiguous: true });
  });

  it('is retried if a fetch of the user throws any other error', async () => {
    const fail = (error: unknown) => shop({ fetch: () => Promise.reject(error) });
    for (const [thrown, text] of [
      [new TypeError('odd'), 'odd'],
      ['a string', 'a string'],
      [undefined, 'undefined'],
    ] as const) {
      const destination = fail(thrown);
      const error = await failureOf(send(destination, batchOf(destination, {})));
      expect(error).toMatchObject({ code: 'UNAVAILABLE', ambiguous: true });
      expect(error.message).toContain(text);
    }
  });

  it('is a success if the connection breaks after the headers of a success', async () => {
    const endpoint = await listen((socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\nx-log-requestid: A\r\n\r\npartial', () =>
          socket.destroy(),
        );
      }),
    );
    const destination = shop({ endpoint });
    expect(await send(destination, batchOf(destination, {}))).toMatchObject({ rejected: [], requestId: 'A' });
  });
});

describe('a service that cannot read compressed bodies', () => {
  const text = { text: 'same '.repeat(100) };

  it.each(['PostBodyUncompressError', 'postbodyuncompresserror', 'InvalidCompressType'])(
    'gets the same batch and all later ones uncompressed (%s)',
    async (errorCode) => {
      const warnings = collectWarnings();
      const { target, requests } = await startServer(({ headers }) =>
        'x-log-compresstype' in headers ? serviceError(400, errorCode) : accepted,
      );
      const destination = createLogService({ ...target, compression: 'deflate' });
      const batches = [batchOf(destination, text), batchOf(destination, text)] as const;
      const failures = await Promise.all(batches.map((batch) => failureOf(send(destination, batch))));
      expect(failures.map(({ code, ambiguous }) => [code, ambiguous])).toEqual([
        ['AGAIN', false],
        ['AGAIN', false],
      ]);
      expect(failures[0]?.message).toContain(`HTTP 400 ${errorCode}`);
      await send(destination, batches[0]);
      await send(destination, batchOf(destination, text));
      expect(requests.map(({ headers }) => headers['x-log-compresstype'])).toEqual([
        'deflate',
        'deflate',
        undefined,
        undefined,
      ]);
      expect(warnings).toEqual([
        'Log Service cannot read bodies compressed with deflate: they are sent as they are from now on',
      ]);
    },
  );

  it('gets the right header with a body that was being compressed when it refused another', async () => {
    collectWarnings();
    const compressions: (string | undefined)[] = [];
    let second: Promise<unknown> | undefined;
    const destination = shop({
      compression: 'deflate',
      fetch: async (_url, { headers }) => {
        compressions.push(headers['x-log-compresstype']);
        // Compressing a large body takes longer than reading this response.
        second ??= failureOf(send(destination, batchOf(destination, { noise: makeBody(1, 900_000).toString() })));
        return new Response('{"errorCode":"PostBodyUncompressError"}', { status: 400 });
      },
    });
    await failureOf(send(destination, batchOf(destination, text)));
    await second;
    expect(compressions).toEqual(['deflate', 'deflate']);
  });

  it('but refuses an uncompressed body as well is misconfigured', async () => {
    const error = await failureFor(serviceError(400, 'PostBodyUncompressError'), { compression: 'none' });
    expect(error.code).toBe('MISCONFIGURED');
  });
});

it('a batch is halved as too large although the attempt ends before the page does', async () => {
  const server = createHttpServer(async (request, response) => {
    let length = 0;
    for await (const chunk of request) length += chunk.length;
    response.setHeader('x-log-requestid', 'REQUEST1');
    if (length > 1500) response.writeHead(413).write('<html>');
    else response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const destination = createLogService({ endpoint, project: 'shop', logstore: 'web', compression: 'none' });
  const errors = watchAttempts();
  const shipper = startShipper(destination, { requestTimeoutMs: 800 });
  for (let index = 0; index < 20; index++) shipper.accept(record({ message: 'x'.repeat(100) }));
  expect(await shipper.close()).toMatchObject({ delivered: 20 });
  expect(shipper.stats()).toMatchObject({ ambiguous: 0 });
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['TOO_LARGE']));
});
