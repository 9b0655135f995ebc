import { readFileSync } from 'node:fs';
import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { startProxy } from '@logferry/emulators';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DoctorTarget } from '../../src/doctor/doctor.js';
import { isolate } from './support/environment.js';
import { diagnose } from './support/run.js';
import { listen, startAlibaba, startAws } from './support/servers.js';

beforeEach(isolate);

const failed = (text: string, remedy: string) => ({
  status: 'failed',
  text: expect.stringContaining(text),
  remedy: expect.stringContaining(remedy),
});

const credentials = { accessKeyId: 'AKIATESTTEST', secretAccessKey: 'secret' };

/** The same address in both clouds. */
const clouds: readonly (readonly [name: string, at: (endpoint: string, proxy?: string) => DoctorTarget])[] = [
  [
    'CloudWatch Logs',
    (endpoint, proxy) => ({
      cloud: 'cloudwatch',
      options: { logGroupName: 'shop', region: 'us-east-1', endpoint, credentials, proxy },
    }),
  ],
  [
    'Log Service',
    (endpoint, proxy) => ({ cloud: 'log-service', options: { endpoint, project: 'shop', logstore: 'web', proxy } }),
  ],
];

/** A port at which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Passes a request on as it is, with the `host` that its signature covers. */
function forward({ method, url, headers }: IncomingMessage, response: ServerResponse, to: string): ClientRequest {
  return request(new URL(url ?? '/', to), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
}

/** A server with a certificate that nobody trusts. */
function untrustedServer(): ReturnType<typeof createTlsServer> {
  const pem = readFileSync(new URL('../../../core/test/support/localhost.pem', import.meta.url));
  return createTlsServer({ key: pem, cert: pem }, (_, response) => response.end());
}

describe.each(clouds)('%s', (title, at) => {
  it('names a host that has no address', async () => {
    const { exitCode, of } = await diagnose(at('https://logs.invalid'));
    expect(exitCode).toBe(1);
    expect(of('dns')).toMatchObject(failed('no address of logs.invalid', 'nslookup logs.invalid'));
    expect(of('connection')).toMatchObject({ status: 'skipped', text: 'not checked, since dns failed' });
  });

  it('names a port that is refused', async () => {
    const port = await freePort();
    const { exitCode, of } = await diagnose(at(`http://127.0.0.1:${port}`));
    expect(exitCode).toBe(1);
    expect(of('connection')).toMatchObject(failed(`127.0.0.1:${port}: connect ECONNREFUSED`, 'firewall'));
    expect(of('write')).toMatchObject({ status: 'skipped' });
  });

  it('names a certificate that is not trusted', async () => {
    const port = await listen(untrustedServer());
    const { exitCode, of } = await diagnose(at(`https://localhost:${port}`));
    expect(exitCode).toBe(1);
    expect(of('connection')).toMatchObject(failed('self-signed certificate', 'NODE_EXTRA_CA_CERTS='));
  });

  it('names a server that does not speak TLS', async () => {
    const port = await listen(createServer());
    const { exitCode, of } = await diagnose(at(`https://localhost:${port}`));
    expect(exitCode).toBe(1);
    expect(of('connection')).toMatchObject(failed(`localhost:${port}`, 'does not speak TLS'));
  });

  it('names a proxy that is down', async () => {
    const port = await freePort();
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${port}`);
    const { exitCode, of } = await diagnose(at('https://logs.invalid'));
    expect(exitCode).toBe(1);
    expect(of('dns')).toMatchObject({ status: 'ok', text: expect.stringContaining('the proxy looks logs.invalid up') });
    expect(of('proxy')).toMatchObject(
      failed(`http://127.0.0.1:${port} (environment): connect ECONNREFUSED`, 'NO_PROXY'),
    );
    expect(of('connection')).toMatchObject({ status: 'skipped', text: 'not checked, since proxy failed' });
  });

  it('names a proxy that wants a user name and a password, and shows neither', async () => {
    const proxy = await startProxy({ credentials: { username: 'shop', password: 'hush' } });
    onTestFinished(() => proxy.close());
    const { host } = new URL(proxy.url);
    for (const endpoint of ['https://logs.invalid', 'http://logs.invalid']) {
      const { exitCode, findings, of } = await diagnose(at(endpoint, `http://shop:wrong-secret@${host}`));
      expect(exitCode).toBe(1);
      expect(of('proxy')).toMatchObject(failed('the proxy answered HTTP 407', 'http://USER:PASSWORD@HOST:PORT'));
      expect(JSON.stringify(findings)).not.toContain('wrong-secret');
    }
  });

  it('names a variable for a proxy that is no URL', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http//proxy');
    const { exitCode, of } = await diagnose(at('https://localhost'));
    expect(exitCode).toBe(1);
    expect(of('proxy')).toMatchObject(failed('HTTPS_PROXY', 'unset the variable'));
  });

  it('blames the certificate, and not the proxy, for TLS behind a proxy', async () => {
    const proxy = await startProxy();
    onTestFinished(() => proxy.close());
    const port = await listen(untrustedServer());
    const { of } = await diagnose(at(`https://localhost:${port}`, proxy.url));
    expect(of('proxy')).toMatchObject({ status: 'ok' });
    expect(of('connection')).toMatchObject(failed('self-signed certificate', 'NODE_EXTRA_CA_CERTS='));
  });

  it('takes a page with HTTP 200 for that of another server, such as a captive portal', async () => {
    const server = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>Log in to Hotel Wi-Fi</h1></html>'),
    );
    const port = await listen(server);
    const { exitCode, of } = await diagnose(at(`http://127.0.0.1:${port}`));
    expect(exitCode).toBe(1);
    expect(of('service')).toMatchObject(
      failed(`some other server answers, and not ${title}: HTTP 200: Log in to Hotel Wi-Fi`, 'captive portal'),
    );
    expect(of('access')).toMatchObject({ status: 'skipped', text: 'not checked, since service failed' });
  });
});

it('takes the requests with credentials for proof where a server knows no others', async () => {
  const { emulator, target } = await startAws();
  const foreign = createServer((incoming, response) => {
    if (incoming.method === 'OPTIONS') response.end('{"status":"running"}');
    else incoming.pipe(forward(incoming, response, emulator.url));
  });
  const { exitCode, of } = await diagnose(target({ endpoint: `http://127.0.0.1:${await listen(foreign)}` }));
  expect(of('service')?.text).toBe('CloudWatch Logs answers requests with credentials');
  expect(of('clock')).toMatchObject({ status: 'skipped', text: 'CloudWatch Logs does not tell the time' });
  expect(exitCode).toBe(0);
  expect(emulator.events()).toHaveLength(1);
});

it('leaves it to the next checks where an answer proves nothing', async () => {
  const { emulator, target } = await startAlibaba();
  const foreign = createServer((incoming, response) => {
    if (incoming.method === 'OPTIONS') response.writeHead(404).end('not found');
    else incoming.pipe(forward(incoming, response, emulator.url));
  });
  const endpoint = `http://127.0.0.1:${await listen(foreign)}`;
  const { exitCode, of } = await diagnose(target({ endpoint }));
  expect(of('service')).toMatchObject({
    status: 'skipped',
    text: 'not known to be Log Service, which the next checks show: HTTP 404: not found',
  });
  expect(of('write')).toMatchObject({ status: 'ok' });
  expect(exitCode).toBe(0);
  expect(emulator.events()).toHaveLength(1);
});

it('does not blame the server where no request with credentials could be made', async () => {
  const port = await listen(createServer((_, response) => response.writeHead(404).end()));
  const options = { logGroupName: 'shop', region: 'us-east-1', endpoint: `http://127.0.0.1:${port}` };
  const { exitCode, of } = await diagnose({ cloud: 'cloudwatch', options });
  expect(of('credentials')).toMatchObject({ status: 'failed' });
  expect(of('service')).toMatchObject({ status: 'skipped' });
  expect(exitCode).toBe(1);
});

it('passes through a proxy that works', async () => {
  const proxy = await startProxy({ credentials: { username: 'shop', password: 'hush' } });
  onTestFinished(() => proxy.close());
  const { emulator, target } = await startAws();
  const { exitCode, of } = await diagnose(target({ proxy: proxy.url }));
  expect(of('proxy')?.text).toBe(`http://${new URL(proxy.url).host} (option "proxy")`);
  expect(exitCode).toBe(0);
  expect(emulator.events()).toHaveLength(1);
});

it('ends a check without an answer', async () => {
  const port = await listen(createServer(() => {}));
  const [[, at] = ['', () => expect.fail()]] = clouds;
  const { exitCode, of } = await diagnose(at(`http://127.0.0.1:${port}`), { limits: { checkMs: 300 } });
  expect(exitCode).toBe(1);
  expect(of('connection')).toMatchObject(failed('no answer in time', 'VPN'));
});
