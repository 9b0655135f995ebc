import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { assertBalanced, type DeliveryOptions } from '@logferry/core';
import { type ForwardProxy, startProxy } from '@logferry/emulators';
import { afterEach, expect, it, vi } from 'vitest';
import { ways, waysInTurns } from './support/ways.js';

const LOGIN = { username: 'shop', password: 'PasswordThatNobodyMaySee' };
const PER_PHASE = 100;
const QUICK: DeliveryOptions = {
  maxDelayMs: 5,
  maxBatchEvents: 20,
  retry: { baseMs: 20, capMs: 100 },
  closeTimeoutMs: 9000,
};

afterEach(() => void vi.unstubAllEnvs());

it.concurrent.for(waysInTurns)(
  'a proxy that dies and comes back loses no record: $name',
  async ({ host, cloud: kind }, context) => {
    const cloud = await kind.start();
    context.onTestFinished(() => cloud.close());
    let proxy = await startProxy({ credentials: LOGIN });
    context.onTestFinished(() => proxy.close());
    const port = Number(new URL(proxy.url).port);
    const logger = await host.start(kind.name, {
      ...cloud.options,
      ...QUICK,
      proxy: proxy.url,
      // A function cannot cross into a worker.
      ...(!host.threaded && { onError() {} }),
    } as DeliveryOptions);
    let id = 0;
    const log = (): void => {
      for (let count = 0; count < PER_PHASE; count++) logger.log('info', 'a record', { id: id++ });
    };
    log();
    await context.expect.poll(() => proxy.requests().length).toBeGreaterThan(1);
    await proxy.close();
    log();
    await context.expect
      .poll(async () => (await logger.stats()).retries.NETWORK ?? 0, { interval: 20 })
      .toBeGreaterThan(0);
    const down = await logger.stats();
    proxy = await startProxy({ port, credentials: LOGIN });
    log();
    await logger.flush();
    const stats = await logger.stats();
    await logger.end();
    assertBalanced(stats);
    expect(stats).toMatchObject({ delivered: id, pending: 0 });
    expect(new Set((await cloud.records()).map((each) => each.id)).size).toBe(id);
    expect(proxy.requests().length).toBeGreaterThan(0);
    expect(down.lastError?.message).toContain(`through the proxy http://127.0.0.1:${port}`);
    expect(inspect([down, stats], { depth: 10 })).not.toContain(LOGIN.password);
  },
);

it.for(ways)('the environment names the proxy: $name', async ({ host, cloud: kind }, context) => {
  const cloud = await kind.start();
  context.onTestFinished(() => cloud.close());
  const proxy: ForwardProxy = await startProxy({ credentials: LOGIN });
  context.onTestFinished(() => proxy.close());
  vi.stubEnv('HTTP_PROXY', proxy.url);
  vi.stubEnv('NO_PROXY', 'localhost,.test');
  const logger = await host.start(kind.name, { ...cloud.options, ...QUICK } as DeliveryOptions);
  logger.log('info', 'a record', { id: 1 });
  await logger.flush();
  await logger.end();
  expect(await cloud.records()).toMatchObject([{ id: expect.toSatisfy((id) => Number(id) === 1) }]);
  expect(proxy.requests().length).toBeGreaterThan(0);
  expect(proxy.requests()[0]?.target).toBe(`127.0.0.1:${cloud.port}`);
});

it('the example ships to both clouds through a proxy', async () => {
  const cwd = fileURLToPath(new URL('../examples/behind-a-proxy', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['../run.mjs', 'index.js'], { cwd });
  expect(JSON.parse(stdout)).toEqual({ targets: 2 });
  expect(stderr).toContain('the local CloudWatch Logs received 200 records');
  expect(stderr).toContain('the local Log Service received 200 records');
});
