import type { IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCloudWatch, startLogService } from '../../src/index.js';
import { checkOrigin } from '../../src/page/guard.js';
import { ask, setUpDev } from './page-helpers.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const OFF = JSON.stringify({ cloud: 'cloudwatch' });

describe('the page’s routes', () => {
  it.each([
    ['the Host of a name that points to this machine', { host: 'logs.example.com' }],
    ['a loopback Host with another port', { host: '127.0.0.1:1' }],
    ['a loopback Host without a port', { host: 'localhost' }],
    ['another origin', { origin: 'http://evil.example' }],
    ['the origin of a sandboxed document', { origin: 'null' }],
    ['the origin of another local server', { origin: 'http://127.0.0.1:1' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of the same site', { 'sec-fetch-site': 'same-site' }],
  ])('refuse %s', async (_, headers) => {
    const { url, cloudWatch } = await setUpDev();
    cloudWatch.faults({ throttle: 1 });
    for (const path of ['', 'stream', 'assets/app.js'])
      expect(await ask(url, `/_logferry/${path}`, { headers }), path).toMatchObject({ status: 403 });
    const post = { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: OFF };
    for (const path of ['faults', 'report'])
      expect(await ask(url, `/_logferry/${path}`, post), path).toMatchObject({ status: 403 });
  });

  it('take each loopback name, and what a browser sends for the page itself', async () => {
    const { url } = await setUpDev();
    const { port } = new URL(url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
      expect(await ask(url, '/_logferry/', { headers: { host } }), host).toMatchObject({ status: 200 });
    const headers = { ...JSON_TYPE, origin: url, 'sec-fetch-site': 'same-origin' };
    expect(await ask(url, '/_logferry/faults', { method: 'POST', headers, body: OFF })).toMatchObject({ status: 204 });
  });

  it('take a link of another site to the page, and no frame of it', async () => {
    const { url } = await setUpDev();
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(await ask(url, '/_logferry/', { headers: link })).toMatchObject({ status: 200 });
    const framed = { ...link, 'sec-fetch-dest': 'iframe' };
    expect(await ask(url, '/_logferry/', { headers: framed })).toMatchObject({ status: 403 });
    const form = { method: 'POST', headers: { ...JSON_TYPE, ...link }, body: OFF };
    expect(await ask(url, '/_logferry/faults', form)).toMatchObject({ status: 403 });
  });

  it('take the address of a server on another loopback address', async () => {
    const server = await startCloudWatch({ host: '127.0.0.2', page: true });
    onTestFinished(() => server.close());
    expect((await fetch(String(server.pageUrl))).status).toBe(200);
  });

  it('take a Host without a port on port 80, where clients leave it out', () => {
    const check = (host: string, localPort: number) =>
      checkOrigin({ headers: { host }, socket: { localAddress: '127.0.0.1', localPort } } as IncomingMessage);
    expect(() => check('localhost', 80)).not.toThrow();
    expect(() => check('localhost', 4600)).toThrow();
    expect(() => check('logs.example.com', 80)).toThrow();
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json; charset=utf-8',
  ])('refuse a body of type %s, which the form of another site can have or nobody needs', async (type) => {
    const { url } = await setUpDev();
    const request = { method: 'POST', headers: { 'content-type': type }, body: OFF };
    expect(await ask(url, '/_logferry/faults', request)).toMatchObject({ status: 415 });
    expect(await ask(url, '/_logferry/report', request)).toMatchObject({ status: 415 });
  });

  it('refuse other methods, unknown files, and paths out of the folder', async () => {
    const { url } = await setUpDev();
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'HEAD'])
      expect((await ask(url, '/_logferry/faults', { method })).status, method).toBe(405);
    for (const path of [
      'faults',
      'nothing',
      'assets/',
      'assets/nothing.js',
      'assets/../package.json',
      'assets/%2e%2e/package.json',
    ])
      expect((await ask(url, `/_logferry/${path}`)).status, path).toBe(404);
  });

  it('refuse bodies that are too large or no JSON', async () => {
    const { url } = await setUpDev();
    const post = (path: string, body: string) => ask(url, path, { method: 'POST', headers: JSON_TYPE, body });
    expect(await post('/_logferry/faults', ' '.repeat(5000))).toMatchObject({ status: 413 });
    expect(await post('/_logferry/report', ' '.repeat(300_000))).toMatchObject({ status: 413 });
    expect(await post('/_logferry/faults', '{')).toMatchObject({ status: 400 });
  });

  it('have a policy that permits the page’s own scripts and styles only, with a new nonce each time', async () => {
    const { url } = await setUpDev();
    const answers = [await ask(url, '/_logferry/'), await ask(url, '/_logferry/')];
    const nonces = answers.map(({ headers, body }) => {
      const policy = String(headers['content-security-policy']);
      const [, nonce] = /^default-src 'none'; script-src 'self' 'nonce-([^']+)'; style-src 'self'; /.exec(policy) ?? [];
      expect(policy).toMatch(
        /connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      );
      expect(body).toContain(`<script type="importmap" nonce="${nonce}">`);
      return nonce;
    });
    expect(new Set(nonces).size).toBe(2);
    expect(answers[0]?.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(answers[0]?.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('the clouds’ own routes', () => {
  it('take any Host beside the page, as clients need it', async () => {
    const { cloudWatch } = await setUpDev();
    const headers = { host: 'logs.us-east-1.amazonaws.com', 'x-amz-target': 'Logs_20140328.PutLogEvents' };
    const { body } = await ask(cloudWatch.url, '/', { method: 'POST', headers });
    expect(body).toContain('UnknownOperationException');
  });

  it('have no page without the option', async () => {
    const server = await startCloudWatch();
    onTestFinished(() => server.close());
    expect(server.pageUrl).toBeUndefined();
    const { status, body } = await ask(server.url, '/_logferry/');
    expect({ status, body }).toMatchObject({ status: 400, body: expect.stringContaining('UnknownOperationException') });
  });
});

it.each([startCloudWatch, startLogService])(
  '%o refuses a page on an address that other machines reach',
  async (start) => {
    await expect(start({ page: true, host: '0.0.0.0' })).rejects.toThrow(
      `page: expected a loopback host such as "127.0.0.1", got "0.0.0.0"`,
    );
    const server = await start({ page: true, host: 'localhost' });
    onTestFinished(() => server.close());
    expect(server.pageUrl).toBe(`${server.url}/_logferry/`);
    expect(await ask(server.url, '/_logferry/')).toMatchObject({ status: 200 });
  },
);
