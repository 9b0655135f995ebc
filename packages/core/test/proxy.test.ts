import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { type ForwardProxy, type ProxyOptions, startProxy } from '@logferry/emulators';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ConfigError,
  CredentialLookup,
  createHttpClient,
  describeAnswer,
  type HttpClient,
  type HttpClientOptions,
  type HttpResponse,
  noAnswer,
  proxyOption,
  readAnswer,
} from '../src/index.js';
import { certificateFile, serve } from './support/http-server.js';

const SCHEMES = ['http', 'https'] as const;
/** As long as no name server is asked. */
const NAMED = { http: 'http://service.test', https: 'https://service.test' };
const LOGIN = { username: 'shop', password: 'p@ss:w%rd' };

beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'])
    for (const each of [name, name.toLowerCase()]) vi.stubEnv(each, undefined);
  // The certificate is for localhost, and nobody has signed it.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
});
afterEach(() => void vi.unstubAllEnvs());

/** A service that answers each request, and a proxy that knows it as "service.test". */
async function start(
  scheme: (typeof SCHEMES)[number],
  options: ProxyOptions = {},
): Promise<{ readonly proxy: ForwardProxy; readonly heads: object[]; readonly url: string; readonly direct: string }> {
  const heads: object[] = [];
  const { url } = await serve((request, response) => {
    heads.push({ path: request.url, host: request.headers.host, login: request.headers['proxy-authorization'] });
    request.resume().once('end', () => response.end('service'));
  }, scheme);
  const proxy = await startProxy({ resolve: () => new URL(url).host, ...options });
  onTestFinished(() => proxy.close());
  return { proxy, heads, url: NAMED[scheme], direct: url };
}

function clientWith(options: HttpClientOptions): HttpClient {
  const client = createHttpClient(options);
  onTestFinished(() => client.close());
  return client;
}

function post(client: HttpClient, url: string, signal = AbortSignal.timeout(20_000)): Promise<HttpResponse> {
  return client.request({ url, method: 'POST', headers: {}, body: 'x', signal });
}

const labelOf = (proxy: ForwardProxy): string => `http://${new URL(proxy.url).host}`;

describe.each(SCHEMES)('an %s request', (scheme) => {
  it('goes through the proxy of the option, which looks its host up', async () => {
    const { proxy, heads, url } = await start(scheme);
    const client = clientWith({ proxy: proxy.url });
    for (const path of ['/logs?a=b', '/more']) {
      const { status, body, proxy: label } = await post(client, url + path);
      expect({ status, body: String(Buffer.from(body)), label }).toEqual({
        status: 200,
        body: 'service',
        label: labelOf(proxy),
      });
      await new Promise(setImmediate);
    }
    const method = scheme === 'https' ? 'CONNECT' : 'POST';
    const target = `service.test:${scheme === 'https' ? 443 : 80}`;
    const seen = { method, target, status: undefined };
    // A tunnel serves several requests.
    expect(proxy.requests()).toEqual(scheme === 'https' ? [seen] : [seen, seen]);
    const host = 'service.test';
    expect(heads).toEqual([
      { path: '/logs?a=b', host, login: undefined },
      { path: '/more', host, login: undefined },
    ]);
  });

  it('shows the proxy user name and password, and shows them to nobody else', async () => {
    const { proxy, heads, url } = await start(scheme, { credentials: LOGIN });
    const client = clientWith({ proxy: proxy.url });
    expect(await post(client, url)).toMatchObject({ status: 200, proxy: labelOf(proxy) });
    expect(heads).toMatchObject([{ login: undefined }]);
    expect(inspect(client, { depth: 20, showHidden: true })).not.toContain('shop');
  });

  it('fails as a wrong setting, which names the proxy without its password, where the proxy refuses the password', async () => {
    const { proxy, heads, url } = await start(scheme, { credentials: LOGIN });
    const wrong = new URL(proxy.url);
    wrong.password = 'wrong-password';
    for (const setting of [wrong.href, labelOf(proxy)]) {
      const error = await post(clientWith({ proxy: setting }), url).catch((reason) => reason);
      const { code, ambiguous, reason } = noAnswer(error);
      expect({ code, ambiguous }).toEqual({ code: 'MISCONFIGURED', ambiguous: false });
      expect(reason).toMatch(/the proxy answered HTTP 407 Proxy Authentication Required to (CONNECT|POST) /);
      expect(reason).toContain(`, through the proxy ${labelOf(proxy)} (the proxy wants a user name and a password`);
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('wrong-password');
    }
    expect(heads).toEqual([]);
  });

  it('goes through the proxy that the environment names at the time of the request', async () => {
    const { proxy, url } = await start(scheme);
    const client = clientWith({});
    const variable = `${scheme}_proxy`;
    for (const [name, value] of [
      [variable, proxy.url],
      [variable.toUpperCase(), proxy.url],
      // As curl takes it.
      [variable.toUpperCase(), new URL(proxy.url).host],
    ] as const) {
      vi.stubEnv(name, value);
      expect(await post(client, url)).toMatchObject({ proxy: labelOf(proxy) });
      vi.stubEnv(name, undefined);
    }
    const { proxy: label } = await post(client, url.replace('service.test', 'localhost')).catch(() => ({
      proxy: undefined,
    }));
    expect(label).toBeUndefined();
  });

  it.each([
    ['127.0.0.1', false],
    ['other.test, 127.0.0.1', false],
    ['127.0.0.1:PORT', false],
    ['*', false],
    ['*.0.0.1', false],
    ['127.0.0.1:1', true],
    ['other.test', true],
    ['', true],
  ])('heeds NO_PROXY=%s of the environment', async (rule, isProxied) => {
    const { proxy, direct } = await start(scheme);
    vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, proxy.url);
    vi.stubEnv('NO_PROXY', rule.replace('PORT', new URL(direct).port));
    const { proxy: label } = await post(clientWith({}), direct);
    expect(label).toBe(isProxied ? labelOf(proxy) : undefined);
    expect(proxy.requests()).toHaveLength(isProxied ? 1 : 0);
    // The option is for all requests.
    expect((await post(clientWith({ proxy: proxy.url }), direct)).proxy).toBe(labelOf(proxy));
  });

  it('goes through no proxy with the option false', async () => {
    const { proxy, direct } = await start(scheme);
    vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, proxy.url);
    expect((await post(clientWith({ proxy: false }), direct)).proxy).toBeUndefined();
    expect(proxy.requests()).toEqual([]);
  });

  it('never asks a proxy for an address of the own link', async () => {
    const { proxy } = await start(scheme);
    const client = clientWith({ proxy: proxy.url });
    for (const host of ['169.254.169.254', '[fe80::1]', '[fd00:ec2::254]']) {
      const failing = post(client, `${scheme}://${host}:1/`, AbortSignal.timeout(20));
      expect(noAnswer(await failing.catch((reason) => reason)).reason).not.toContain('through the proxy');
    }
    expect(proxy.requests()).toEqual([]);
  });

  it('fails by the network, and says through which proxy, while the proxy is down', async () => {
    const { proxy, url } = await start(scheme);
    await proxy.close();
    const error = await post(clientWith({ proxy: proxy.url }), url).catch((reason) => reason);
    const { host } = new URL(proxy.url);
    expect(noAnswer(error)).toEqual({
      code: 'NETWORK',
      ambiguous: false,
      reason: `connect ECONNREFUSED ${host}, through the proxy ${labelOf(proxy)}`,
    });
  });

  it('is aborted while the proxy is silent, and leaves no connection behind', async () => {
    const { proxy, url } = await start(scheme);
    proxy.answer('hang');
    const controller = new AbortController();
    const failing = post(clientWith({ proxy: proxy.url }), url, controller.signal).catch((reason) => reason);
    await expect.poll(() => proxy.requests()).toHaveLength(1);
    controller.abort();
    expect(noAnswer(await failing, controller.signal)).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: scheme === 'http',
      reason: expect.stringContaining(`through the proxy ${labelOf(proxy)}`),
    });
    await expect.poll(() => proxy.openConnections()).toBe(0);
  });

  it.each(['new', 'used'])('without a response keeps no process alive, through a %s connection', async (connection) => {
    const paths: unknown[] = [];
    const { url } = await serve((request, response) => {
      paths.push(request.url);
      if (request.url === '/answered') response.end();
    }, scheme);
    const proxy = await startProxy();
    onTestFinished(() => proxy.close());
    const child = fileURLToPath(new URL('children/unanswered.mjs', import.meta.url));
    const env = {
      ...{ PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: certificateFile, URL: url },
      ...{ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, ...(connection === 'used' && { REUSE: '1' }) },
    };
    // Rejects if the child does not end by itself.
    await promisify(execFile)(process.execPath, [child], { env, timeout: 20_000 });
    expect(proxy.requests().length).toBeGreaterThan(0);
    if (connection === 'used') expect(paths).toEqual(['/answered', '/unanswered']);
    proxy.answer('hang');
    if (connection === 'new') await promisify(execFile)(process.execPath, [child], { env, timeout: 20_000 });
  });
});

it.each([
  [403, 'MISCONFIGURED', 'the rules of the proxy have to allow the connection'],
  [405, 'MISCONFIGURED', 'the rules of the proxy have to allow the connection'],
  [302, 'MISCONFIGURED', 'the rules of the proxy have to allow the connection'],
  [502, 'UNAVAILABLE', 'the proxy does not reach the service'],
  [503, 'UNAVAILABLE', 'the proxy does not reach the service'],
  [429, 'UNAVAILABLE', 'the proxy does not reach the service'],
])('an answer %i of a proxy to CONNECT is its own, and never that of the service', async (status, code, advice) => {
  const { proxy, url, heads } = await start('https');
  proxy.answer(status);
  const error = await post(clientWith({ proxy: proxy.url }), url).catch((reason) => reason);
  expect(noAnswer(error)).toMatchObject({ code, ambiguous: false, reason: expect.stringContaining(advice) });
  expect(heads).toEqual([]);
});

it('an answer to a request in absolute form is told with its proxy', async () => {
  const { proxy, url } = await start('http');
  proxy.answer(502);
  const answer = readAnswer(await post(clientWith({ proxy: proxy.url }), url));
  expect(describeAnswer(answer)).toBe(`HTTP 502, through the proxy ${labelOf(proxy)}`);
});

it.each(SCHEMES)('a proxy can be reached by TLS (%s request)', async (scheme) => {
  const { proxy, url } = await start(scheme);
  const pem = readFileSync(certificateFile);
  const port = Number(new URL(proxy.url).port);
  const names: unknown[] = [];
  const server = createTlsServer({
    key: pem,
    cert: pem,
    SNICallback: (name, done) => done(null, void names.push(name) as undefined),
  });
  server.on('secureConnection', (socket) => {
    const upstream: Socket = connect(port, '127.0.0.1');
    socket
      .on('error', () => upstream.destroy())
      .pipe(upstream)
      .on('error', () => socket.destroy())
      .pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const tlsProxy = `https://localhost:${(server.address() as AddressInfo).port}`;
  const client = clientWith({ proxy: tlsProxy });
  expect(await post(client, url)).toMatchObject({ status: 200, proxy: tlsProxy });
  expect(proxy.requests()).toHaveLength(1);
  // The name for the certificate is that of the proxy.
  expect(names[0]).toBe('localhost');
});

it.each(['socks5://proxy.test:1080', 'http://shop:secret@bad host', 'http://'])(
  'a variable of the environment that is no URL of a proxy is a wrong setting (%s)',
  async (value) => {
    const { url } = await start('https');
    vi.stubEnv('HTTPS_PROXY', value);
    const { code, ambiguous, reason } = noAnswer(await post(clientWith({}), url).catch((error) => error));
    expect({ code, ambiguous }).toEqual({ code: 'MISCONFIGURED', ambiguous: false });
    expect(reason).toContain('the environment variable HTTPS_PROXY has to be the URL of a proxy');
    expect(reason).not.toContain('secret');
  },
);

it('a tunnel to a source of credentials is not taken for a source that does not answer', async () => {
  const { proxy, url } = await start('https');
  const client = clientWith({ proxy: proxy.url });
  const lookup = new CredentialLookup({ cloud: 'AWS', isOurs: true, optionalHosts: [] });
  await lookup.run(() => post(client, url));
  expect({ failure: lookup.passingFailure(true), waitsFor: lookup.waitsFor }).toEqual({
    failure: undefined,
    waitsFor: undefined,
  });
});

it('the option takes URLs of proxies, and none: false and ""', () => {
  const { url } = { url: 'http://shop:secret@proxy.test:3128' };
  expect(proxyOption('proxy', undefined)).toBeUndefined();
  expect([false, ''].map((none) => proxyOption('proxy', none))).toEqual([false, false]);
  expect(proxyOption('proxy', url)).toBe(url);
  for (const wrong of [true, 3128, {}, 'socks5://proxy.test', 'http://shop:secret@bad host', 'ftp://shop:secret@x'])
    expect(() => proxyOption('proxy', wrong)).toThrow(
      expect.objectContaining({
        constructor: ConfigError,
        option: 'proxy',
        message: expect.not.stringContaining('secret'),
      }),
    );
});
