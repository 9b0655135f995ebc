import { type ForwardProxy, startProxy } from '@logferry/emulators';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createLogService } from '../src/index.js';
import { batchAt, batchOf } from './support/records.js';
import { failureOf, send, startServer, startShop } from './support/servers.js';
import { keyOf } from './support/signed.js';

beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'])
    for (const each of [name, name.toLowerCase()]) vi.stubEnv(each, undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
});

async function startForwarding(options: Parameters<typeof startProxy>[0] = {}): Promise<ForwardProxy> {
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.close());
  return proxy;
}

const labelOf = (proxy: ForwardProxy): string => `http://${new URL(proxy.url).host}`;

const LOGIN = { username: 'shop', password: 'hush' };
const CHINA = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web' };

it.each(['web tracking', 'signed'])(
  'delivers through the proxy of the option, and of the environment (%s)',
  async (way) => {
    const { emulator } = await startShop();
    const proxy = await startForwarding({ credentials: LOGIN });
    const { target, region } = emulator;
    const options = { ...target, ...(way === 'signed' && { region, credentials: keyOf(emulator) }) };
    const byOption = createLogService({ ...options, proxy: proxy.url });
    await send(byOption, batchAt(Date.now(), byOption, { message: 'x' }));
    expect(proxy.requests()).toHaveLength(1);
    vi.stubEnv('http_proxy', proxy.url);
    const byEnvironment = createLogService(options);
    await send(byEnvironment, batchAt(Date.now(), byEnvironment, { message: 'y' }));
    expect(proxy.requests()).toHaveLength(2);
    vi.stubEnv('no_proxy', '127.0.0.1');
    await send(byEnvironment, batchAt(Date.now(), byEnvironment, { message: 'z' }));
    vi.stubEnv('no_proxy', undefined);
    const direct = createLogService({ ...options, proxy: false });
    await send(direct, batchAt(Date.now(), direct, { message: 'direct' }));
    expect(proxy.requests()).toHaveLength(2);
    expect(emulator.events().map(({ fields }) => fields.message)).toEqual(['x', 'y', 'z', 'direct']);
  },
);

it.each([
  [407, 'MISCONFIGURED', 'the proxy wants a user name and a password'],
  [403, 'MISCONFIGURED', 'the rules of the proxy'],
  [504, 'UNAVAILABLE', 'the proxy does not reach the service'],
] as const)('an answer %i of the proxy to CONNECT is told as its own, with %s', async (status, code, text) => {
  const proxy = await startForwarding({ credentials: LOGIN });
  proxy.answer(status);
  const destination = createLogService({ ...CHINA, proxy: proxy.url });
  const { message, ...failure } = await failureOf(send(destination, batchOf(destination, { message: 'x' })));
  expect(failure).toMatchObject({ code, ambiguous: false });
  expect(message).toMatch(/^PutWebTracking to logstore "web" of project "shop" at .*:443: the proxy answered HTTP \d+/);
  expect(message).toContain(`to CONNECT shop.cn-hangzhou.log.aliyuncs.com:443, through the proxy ${labelOf(proxy)}`);
  expect(message).toContain(text);
  expect(message).not.toContain('hush');
});

it('an answer through the proxy is told with the proxy', async () => {
  const { target } = await startServer(() => ({ status: 404, body: 'not here' }));
  const proxy = await startForwarding();
  const destination = createLogService({ ...target, proxy: proxy.url });
  const { message } = await failureOf(send(destination, batchOf(destination, { message: 'x' })));
  expect(message).toContain(`HTTP 404: not here, through the proxy ${labelOf(proxy)}`);
});

it('a proxy that is down is a failure of the network, which names it', async () => {
  const proxy = await startForwarding();
  await proxy.close();
  const destination = createLogService({ ...CHINA, proxy: proxy.url });
  const failure = await failureOf(send(destination, batchOf(destination, { message: 'x' })));
  expect(failure).toMatchObject({
    code: 'NETWORK',
    ambiguous: false,
    message: expect.stringContaining(`through the proxy ${labelOf(proxy)}`),
  });
});
