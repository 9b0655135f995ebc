import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { type HttpServer, listen } from '../../src/http.js';
import { startDev } from '../../src/index.js';
import { type Cloud, Hub } from '../../src/page/hub.js';
import { createPageRoutes } from '../../src/page/routes.js';
import { ask, connect, openStream, put, setUpDev, track } from './page-helpers.js';

it('startDev() starts both servers and a page, whose address leads to it', async () => {
  const dev = await setUpDev({ project: 'shop', logstores: ['web'] });
  expect(await ask(dev.url, '/')).toMatchObject({ status: 302, headers: { location: '/_logferry/' } });
  expect((await ask(dev.url, '/other')).status).toBe(404);
  expect(await put(await connect(dev.cloudWatch), ['one'])).toBeUndefined();
  expect(await track(dev.logService.url, 'web', { __logs__: [{ a: 'b' }] })).toBe(200);
  expect(dev.env).toMatchObject({
    ...dev.cloudWatch.env,
    ...dev.logService.env,
    SLS_ENDPOINT: dev.logService.url,
    SLS_PROJECT: 'shop',
    SLS_LOGSTORE: 'web',
    LOGFERRY_DEV: dev.url,
  });
});

it('without a port startDev() takes the next free ones, and a second run has others', async () => {
  const runs = [await startDev(), await startDev()];
  onTestFinished(async () => {
    for (const run of runs) await run.close();
  });
  const ports = runs.flatMap(({ url, cloudWatch, logService }) =>
    [url, cloudWatch.url, logService.url].map((each) => Number(new URL(each).port)),
  );
  expect(new Set(ports).size).toBe(6);
  expect(ports).toEqual(ports.toSorted((a, b) => a - b));
  expect(ports[0]).toBeGreaterThanOrEqual(4600);
});

it('a given port that is taken rejects, and nothing stays open', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  const listening = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
  const before = listening();
  await expect(startDev({ port })).rejects.toThrow('EADDRINUSE');
  await expect.poll(listening).toBeLessThanOrEqual(before);
});

it('a browser that asks before both servers listen gets the page once they do', async () => {
  let setReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });
  const { url } = await servePage(hubWith(cloudOf()), ready);
  let answered = false;
  const opening = openStream(url).finally(() => {
    answered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answered).toBe(false);
  setReady();
  const stream = await opening;
  await expect.poll(() => stream.messages[0]?.hello?.clouds).toEqual([expect.objectContaining({ name: 'cloudwatch' })]);
});

it('a fault of the page after the head of its response ends the connection, and not the process', async () => {
  const settings = () => {
    throw new Error('not there yet');
  };
  const { url } = await servePage(hubWith({ ...cloudOf(), settings }));
  await expect(ask(url, '/_logferry/stream')).rejects.toThrow(/hang up|aborted|reset/);
});

const OFF = { throttle: 0, serverError: 0, reset: 0, hang: 0, denied: 0 };

function cloudOf(): Cloud<unknown> {
  const positions = () => ({ ...OFF, latencyMs: 0, down: false, skewMs: 0, others: [] });
  return {
    switches: { positions, change() {}, allOff() {}, skewMs: () => 0 },
    settings: () => ({ name: 'cloudwatch', title: 'CloudWatch Logs', endpoint: '', region: '', env: {} }),
    places: () => [],
    toRecord: () => ['', '', 0, 0, '', ''],
  };
}

function hubWith(cloud: Cloud<unknown>): Hub {
  const hub = new Hub();
  hub.add(cloud);
  return hub;
}

async function servePage(hub: Hub, ready?: Promise<void>): Promise<HttpServer> {
  const nothing = async () => ({ status: 404, headers: {}, body: '' });
  const server = await listen({ host: '127.0.0.1', port: 0 }, nothing, createPageRoutes(hub, ready));
  onTestFinished(() => server.close());
  return server;
}

it('serves the page with its own modules and the libraries, all of them from installed packages', async () => {
  const { url } = await setUpDev();
  const page = (await ask(url, '/_logferry/')).body;
  const { imports } = JSON.parse(/<script type="importmap" nonce="[^"]+">(.*?)<\/script>/.exec(page)?.[1] ?? '{}');
  expect(Object.keys(imports)).toEqual(['preact', 'preact/hooks', 'htm', 'uplot']);
  const linked = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
  for (const path of [...Object.values<string>(imports), ...linked]) {
    const { status, headers, body } = await ask(url, path);
    expect({ path, status }).toEqual({ path, status: 200 });
    expect(headers['content-type']).toMatch(path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
    // Each module finds all of its own imports.
    const names = [...body.matchAll(/\bfrom\s*['"]([\w./-]+)['"]/g)].map(([, name = '']) => name);
    for (const name of names.filter((each) => !each.startsWith('.'))) expect(imports, path).toHaveProperty([name]);
  }
});
