import dns from 'node:dns';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createHttpClient, type HttpClient, type LookupAll, systemClock } from '../src/index.js';
import { serve } from './support/http-server.js';
import { jumpingClock } from './support/jumping-clock.js';

type Answer = Parameters<LookupAll>[2];

/** A name server that answers when it is told to. */
function nameServer(): { readonly lookup: LookupAll; readonly asked: string[]; answer(...addresses: string[]): void } {
  const asked: string[] = [];
  const waiting: Answer[] = [];
  return {
    lookup: (hostname, { all }, callback) => {
      expect(all).toBe(true);
      asked.push(hostname);
      waiting.push(callback);
    },
    asked,
    answer(...addresses) {
      const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
      const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      for (const callback of waiting.splice(0)) callback(found.length === 0 ? error : null, found);
    },
  };
}

/** A client for one test whose connections serve one request each. */
function start(lookup: LookupAll): { readonly client: HttpClient; post(url: string): Promise<number> } {
  const client = createHttpClient({ lookup });
  onTestFinished(() => client.close());
  const post = async (url: string): Promise<number> => {
    const signal = AbortSignal.timeout(10_000);
    return (await client.request({ url, method: 'POST', headers: {}, body: 'x', signal })).status;
  };
  return { client, post };
}

/** A server at `host`, for one request on each connection. */
async function serveAt(host: string, scheme: 'http' | 'https' = 'http'): Promise<string> {
  const { url } = await serve((_request, response) => response.setHeader('connection', 'close').end(), scheme);
  return url.replace('127.0.0.1', host);
}

it('one look-up at a time is asked for any number of connections to any number of hosts', async () => {
  const { lookup, asked, answer } = nameServer();
  const { post } = start(lookup);
  const [a, b] = [await serveAt('a.test'), await serveAt('b.test')];
  const sending = Promise.all([a, a, a, b, b, b].map(post));
  await expect.poll(() => asked.length).toBe(1);
  expect(asked).toEqual(['a.test']);
  answer('127.0.0.1');
  expect(asked).toEqual(['a.test', 'b.test']);
  answer('127.0.0.1');
  expect(await sending).toEqual([200, 200, 200, 200, 200, 200]);
  expect(asked).toHaveLength(2);
});

it('an answer is used for 10 s, and then while the next one is fetched, until a connection fails', async () => {
  const jump = jumpingClock();
  const { lookup, asked, answer } = nameServer();
  const { post } = start(lookup);
  const url = await serveAt('a.test');
  const first = post(url);
  await expect.poll(() => asked.length).toBe(1);
  answer('127.0.0.1');
  await first;
  jump(9000);
  expect(await post(url)).toBe(200);
  expect(asked).toHaveLength(1);
  jump(1000);
  // The name server is silent.
  expect([await post(url), await post(url)]).toEqual([200, 200]);
  expect(asked).toHaveLength(2);
  await expect(post('http://a.test:1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const waiting = post(url);
  const outcome = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 20, 'waits'))]);
  expect(outcome).toBe('waits');
  answer('127.0.0.1');
  expect(await waiting).toBe(200);
  expect(asked).toHaveLength(2);
});

it('a failed look-up fails the connections that wait for it, and no later ones', async () => {
  const { lookup, asked, answer } = nameServer();
  const { post } = start(lookup);
  const url = await serveAt('a.test');
  const failing = Promise.allSettled([post(url), post(url)]);
  await expect.poll(() => asked.length).toBe(1);
  answer();
  for (const result of await failing) expect(result).toMatchObject({ reason: { code: 'ENOTFOUND' } });
  const next = post(url);
  await expect.poll(() => asked.length).toBe(2);
  answer('127.0.0.1');
  expect(await next).toBe(200);
});

it('several addresses are tried in turn, also after they were remembered', async () => {
  const { lookup, answer, asked } = nameServer();
  const { post } = start(lookup);
  const url = await serveAt('a.test');
  const first = post(url);
  await expect.poll(() => asked.length).toBe(1);
  // Nobody listens at the first.
  answer('127.0.0.2', '127.0.0.1');
  expect([await first, await post(url)]).toEqual([200, 200]);
  expect(asked).toHaveLength(1);
});

it('connections by TLS use it, and keep the name for the certificate', async () => {
  const { lookup, answer, asked } = nameServer();
  const { post } = start(lookup);
  const sending = post(await serveAt('a.test', 'https'));
  const failure = expect(sending).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  await expect.poll(() => asked.length).toBe(1);
  answer('127.0.0.1');
  await failure;
  expect(asked).toEqual(['a.test']);
});

it('a look-up that throws fails like one that answers with an error', async () => {
  const { post } = start(() => {
    throw Object.assign(new Error('no look-ups'), { code: 'ERR_INVALID_ARG_TYPE' });
  });
  await expect(post('http://a.test')).rejects.toThrow('no look-ups');
  await expect(post('http://a.test')).rejects.toThrow('no look-ups');
});

it('a look-up is not begun for connections that are given up by then', async () => {
  const { lookup, asked, answer } = nameServer();
  const { client, post } = start(lookup);
  const first = post(await serveAt('a.test'));
  const request = { url: 'http://b.test', method: 'POST', headers: {}, body: 'x' };
  await expect(client.request({ ...request, signal: AbortSignal.timeout(10) })).rejects.toThrow('aborted');
  const last = post(await serveAt('c.test'));
  answer('127.0.0.1');
  await expect.poll(() => asked).toEqual(['a.test', 'c.test']);
  answer('127.0.0.1');
  expect(await Promise.all([first, last])).toEqual([200, 200]);
});

it('a look-up that never ends is passed over after 2 minutes', async () => {
  const { setTimer } = systemClock;
  const limits: (() => void)[] = [];
  const spy = vi.spyOn(systemClock, 'setTimer').mockImplementation((callback, delayMs) => {
    if (delayMs === 120_000) limits.push(callback);
    return setTimer(callback, delayMs);
  });
  onTestFinished(() => spy.mockRestore());
  const { lookup, asked } = nameServer();
  const { post } = start((hostname, options, callback) =>
    hostname === 'lost.test'
      ? lookup(hostname, options, callback)
      : callback(null, [{ address: '127.0.0.1', family: 4 }]),
  );
  const lost = expect(post('http://lost.test')).rejects.toThrow('cannot look up lost.test');
  const next = post(await serveAt('a.test'));
  expect(asked).toEqual(['lost.test']);
  for (const end of limits) end();
  await lost;
  expect(await next).toBe(200);
});

it.each<[what: string, status: number | string, answer: (callback: (...args: unknown[]) => void) => void]>([
  ['calls back twice', 200, (reply) => [1, 2].map(() => reply(null, [{ address: '127.0.0.1', family: 4 }]))],
  ['ignores that all addresses are asked for', 200, (reply) => reply(null, '127.0.0.1', 4)],
  ['has no address', 'cannot look up a.test: no address', (reply) => reply(null, [])],
  ['says nothing', 'cannot look up a.test: no address', (reply) => reply()],
  ['has something that is no address', 'cannot look up a.test: no address', (reply) => reply(null, [null, 'x'])],
  ['fails with a text', 'cannot look up a.test: broken', (reply) => reply('broken')],
])('a look-up of the application may be wrong: one that %s', async (_what, expected, answer) => {
  const { post } = start((_hostname, _options, callback) => setImmediate(answer, callback as never));
  const sent = post(await serveAt('a.test'));
  expect(await sent.catch((error) => error.message)).toBe(expected);
});

it('all clients of a thread share the look-ups', async () => {
  // A name that nobody has looked up before.
  const url = await serveAt('shared.test');
  const answer = (...args: unknown[]): void => (args.at(-1) as Answer)(null, [{ address: '127.0.0.1', family: 4 }]);
  const asked = vi.spyOn(dns, 'lookup').mockImplementation(answer as never);
  onTestFinished(() => asked.mockRestore());
  const clients = Array.from({ length: 5 }, () => createHttpClient());
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  const signal = AbortSignal.timeout(10_000);
  const request = { url, method: 'POST', headers: {}, body: 'x', signal };
  await Promise.all(clients.map((client) => client.request(request)));
  expect(asked).toHaveBeenCalledTimes(1);
});
