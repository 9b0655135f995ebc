import { inflateSync } from 'node:zlib';
import { beforeEach, expect, it } from 'vitest';
import { createLogService } from '../src/index.js';
import { makeNoise } from './support/bodies.js';
import { batchOf, shop } from './support/records.js';
import { accepted, failureOf, send, startServer, startShop } from './support/servers.js';
import { decodeStrictly } from './support/strict-lz4.js';

const ORDER = { message: '订单 17 已发货 🚚', note: 'same '.repeat(50) };

type Server = Awaited<ReturnType<typeof startServer>>;

let last: Server['last'];
let target: Server['target'];
beforeEach(async () => {
  ({ last, target } = await startServer(() => accepted));
});

it('posts to the track of the logstore, as JSON, without a signature', async () => {
  const destination = createLogService({
    ...target,
    compression: 'none',
    topic: 'checkout',
    source: 'web-1',
    tags: { env: 'test' },
  });
  await send(destination, batchOf(destination, ORDER, { message: 'second' }));
  const request = last();
  expect(request).toMatchObject({ method: 'POST', url: '/logstores/web/track' });
  expect(request.headers).toMatchObject({
    'x-log-apiversion': '0.6.0',
    'content-type': 'application/json',
    'x-log-bodyrawsize': String(request.body.length),
    'content-length': String(request.body.length),
  });
  for (const header of ['transfer-encoding', 'x-log-compresstype', 'authorization']) {
    expect(request.headers).not.toHaveProperty(header);
  }
  expect(JSON.parse(request.body.toString())).toEqual({
    __topic__: 'checkout',
    __source__: 'web-1',
    __tags__: { env: 'test' },
    __logs__: [expect.objectContaining(ORDER), expect.objectContaining({ message: 'second' })],
  });
});

it('leaves an absent topic and absent tags out', async () => {
  const destination = createLogService({ ...target, compression: 'none' });
  await send(destination, batchOf(destination, ORDER));
  expect(Object.keys(JSON.parse(last().body.toString()))).toEqual(['__source__', '__logs__']);
});

it('sends topic, source and tags of the route, also for a batch of another destination', async () => {
  const destination = createLogService({ ...target, compression: 'none' });
  const other = createLogService({ ...target, topic: 'other', source: 'far', tags: { a: '"中"' } });
  const batch = batchOf(other, ORDER);
  expect(destination.limits.baseBytes?.(batch.route) ?? 0).toBe(other.limits.baseBytes?.(batch.route) ?? 0);
  await send(destination, batch);
  expect(JSON.parse(last().body.toString())).toMatchObject({
    __topic__: 'other',
    __source__: 'far',
    __tags__: { a: '"中"' },
  });
});

it('counts the bytes of a body exactly, plus one comma', async () => {
  const destination = createLogService({ ...target, compression: 'none', topic: '主题', tags: { env: '"测试"' } });
  for (const records of [[ORDER], [ORDER, { a: '😀\u0000"' }, { 中: 1 }]]) {
    const batch = batchOf(destination, ...records);
    await send(destination, batch);
    expect(batch.bytes).toBe(last().body.length + 1);
  }
});

it.each([
  ['lz4', (body: Buffer, size: number) => decodeStrictly(body, size)],
  ['deflate', (body: Buffer) => inflateSync(body)],
] as const)('compresses with %s, and names it in a header', async (compression, decode) => {
  const destination = createLogService({ ...target, compression });
  const { wireBytes } = await send(destination, batchOf(destination, ORDER));
  const { headers, body } = last();
  expect(headers).toMatchObject({ 'x-log-compresstype': compression, 'content-length': String(body.length) });
  const raw = decode(body, Number(headers['x-log-bodyrawsize']));
  expect(raw.length).toBe(Number(headers['x-log-bodyrawsize']));
  expect(raw.length).toBeGreaterThan(body.length);
  expect(wireBytes).toBe(body.length);
  expect(JSON.parse(raw.toString())).toMatchObject({ __logs__: [ORDER] });
});

it('compresses with lz4 by default', async () => {
  const destination = createLogService(target);
  await send(destination, batchOf(destination, ORDER));
  expect(last().headers['x-log-compresstype']).toBe('lz4');
});

it("writes deflate with zlib's header, neither raw nor as gzip", async () => {
  const destination = createLogService({ ...target, compression: 'deflate' });
  await send(destination, batchOf(destination, ORDER));
  expect(last().body[0]).toBe(0x78);
});

it('sends a body uncompressed that lz4 does not make smaller', async () => {
  const destination = createLogService(target);
  const outcome = await send(destination, batchOf(destination, { noise: makeNoise(1, 20_000).toString('base64') }));
  const { headers, body } = last();
  expect(headers).not.toHaveProperty('x-log-compresstype');
  expect(headers['x-log-bodyrawsize']).toBe(String(body.length));
  expect(outcome.wireBytes).toBe(body.length);
  expect(JSON.parse(body.toString())).toMatchObject({ __logs__: [{ level: 'info' }] });
});

it('returns the bytes on the wire and the id of the request', async () => {
  const destination = createLogService({ ...target, compression: 'none' });
  const batch = batchOf(destination, ORDER);
  expect(await send(destination, batch)).toEqual({ rejected: [], wireBytes: batch.bytes - 1, requestId: 'REQUEST1' });
});

it('makes requests with the option fetch', async () => {
  const urls: string[] = [];
  const destination = shop({
    fetch: (url, init) => {
      urls.push(url);
      return fetch(`${target.endpoint}/elsewhere`, init);
    },
  });
  await send(destination, batchOf(destination, ORDER));
  expect(urls).toEqual(['http://127.0.0.1:1/logstores/web/track']);
  expect(last().url).toBe('/elsewhere');
});

it('reuses its connections, also after errors', async () => {
  const server = await startServer(() => ({
    status: server.requests.length % 2 ? 500 : 200,
    body: 'text'.repeat(10_000),
  }));
  const destination = createLogService(server.target);
  const batch = batchOf(destination, ORDER);
  for (let i = 0; i < 10; i++) {
    await failureOf(send(destination, batch));
    await send(destination, batch);
  }
  expect(server.requests).toHaveLength(20);
  // The next request may come before the connection is free.
  expect(server.connections()).toBeLessThanOrEqual(2);
});

it('closes its connections', async () => {
  const server = await startServer(() => accepted);
  const destination = createLogService(server.target);
  await send(destination, batchOf(destination, ORDER));
  expect(server.openConnections()).toBe(1);
  await destination.close?.();
  await expect.poll(server.openConnections).toBe(0);
});

it('sends any text and any key with every compression to a strict service', async () => {
  for (const compression of ['lz4', 'deflate', 'none'] as const) {
    const { emulator, destination } = await startShop({
      compression,
      topic: 'checkout',
      source: 'web-1',
      tags: { env: '中' },
    });
    const fields = { text: '中文 😀 \u0000 \ud800 "quotes" \\ \u2028', '': 1, __topic__: 2, '__tag__:x': 3, n: null };
    await send(destination, batchOf(destination, fields, ORDER));
    expect(emulator.stats().violations).toEqual([]);
    expect(emulator.stats().compression).toEqual({ [compression]: 1 });
    expect(emulator.events()[0]).toMatchObject({
      topic: 'checkout',
      source: 'web-1',
      tags: { env: '中' },
      fields: { text: '中文 😀 \u0000 \ufffd "quotes" \\ \u2028', _: '1', __topic___: '2', __tag___x_: '3' },
    });
  }
});

it('sends the largest number of logs in a request to a strict service', async () => {
  const { emulator, destination } = await startShop();
  const records = Array.from({ length: 4096 }, (_, index) => ({ index, text: 'é'.repeat(300) }));
  await send(destination, batchOf(destination, ...records));
  expect(emulator.stats()).toMatchObject({ storedLogs: 4096, violations: [] });
});

it('takes any 2xx with a request id as a success, unless it has an error code', async () => {
  for (const response of [{ status: 200, body: '{}' }, { status: 204 }]) {
    const server = await startServer(() => response);
    const destination = createLogService(server.target);
    expect(await send(destination, batchOf(destination, ORDER))).toMatchObject({ rejected: [], requestId: 'REQUEST1' });
  }
});
