import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { all, ask, openStream, setUpDev } from './page-helpers.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** What `@logferry/core` keeps for readers of its counters: shippers of two destinations, one of them gone. */
const REGISTRY = `
const stats = { received: 10, recovered: 0, delivered: 6, rejected: 1, spooled: 0, pending: 1, inFlight: 1, requests: 4,
  ambiguous: 0, bufferBytes: 100, bufferLimitBytes: 1000, oldestAgeMs: 20, dropped: { closed: 2, expired: 0 }, retries: { THROTTLED: 3 } };
globalThis[Symbol.for('logferry.shippers')] = {
  listings: new Set([{ destination: 'cloudwatch', stats }, { destination: 'cloudwatch', stats: { ...stats, oldestAgeMs: 50 } }, { destination: 'log-service', stats: undefined }]),
  gone: new Map([['log-service', { ...stats, pending: 0 }]]),
};`;

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly ms: number;
}

/** Runs a program that loads the report, to its end. */
async function run(program: string, dev: string | undefined, args: readonly string[] = []): Promise<Ended> {
  const { LOGFERRY_DEV: _, ...env } = process.env;
  const start = performance.now();
  const child = spawn(process.execPath, [...args, '--input-type=module', '--eval', program], {
    cwd: PACKAGE,
    env: dev === undefined ? env : { ...env, LOGFERRY_DEV: dev },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stderr, ms: performance.now() - start };
}

/** Keeps a program alive until the connection is there: then its last report reaches the page. */
const FOR_A_CONNECTION = `await new Promise((resolve) => setTimeout(resolve, 300));`;

describe('@logferry/emulators/report', () => {
  it.each([
    ['an import', `import '@logferry/emulators/report';`, []],
    [
      'require()',
      `import { createRequire } from 'node:module'; createRequire(import.meta.url)('@logferry/emulators/report');`,
      [],
    ],
    ['--import', '', ['--import', '@logferry/emulators/report']],
    ['both kinds of module, once', `import '@logferry/emulators/report';`, ['--require', '@logferry/emulators/report']],
  ])('loaded by %s posts the counters of all shippers, by destination', async (_, load, args) => {
    const { url } = await setUpDev();
    const stream = await openStream(url);
    const { code, stderr } = await run(`${load}\n${REGISTRY}\n${FOR_A_CONNECTION}`, url, args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const ledgers = () => all(stream, 'ledgers').at(-1) ?? [];
    await expect.poll(ledgers).toEqual([
      expect.objectContaining({
        threadId: 0,
        destinations: {
          cloudwatch: expect.objectContaining({
            ...{ received: 20, delivered: 12, pending: 2, inFlight: 2, bufferLimitBytes: 2000, oldestAgeMs: 50 },
            ...{ dropped: { closed: 4 }, retries: { THROTTLED: 6 } },
          }),
          'log-service': expect.objectContaining({ received: 10, pending: 0 }),
        },
      }),
    ]);
  });

  it('posts the messages of the channels, equal ones as one', async () => {
    const { url } = await setUpDev();
    const stream = await openStream(url);
    const program = `
import '@logferry/emulators/report';
import { channel } from 'node:diagnostics_channel';
const publish = (kind, message) => channel('logferry:' + kind).publish({ destination: 'cloudwatch', route: 'r', ...message });
publish('delivered', { events: 5 });
publish('delivered', { events: 7 });
publish('retry', { code: 'THROTTLED', events: 3, delayMs: 100 });
publish('dropped', { reason: 'expired', records: 4, events: [] });
publish('error', { error: Object.assign(new Error('Rate exceeded'), { code: 'THROTTLED' }) });
publish('error', undefined);
${FOR_A_CONNECTION}`;
    expect(await run(program, url)).toMatchObject({ code: 0, stderr: '' });
    const texts = () =>
      all(stream, 'ledgers')
        .at(-1)?.[0]
        ?.messages.map(({ kind, text }) => [kind, text]);
    await expect.poll(texts).toEqual([
      ['delivered', '12 records delivered'],
      ['retry', '3 records sent again after THROTTLED'],
      ['dropped', '4 records dropped: expired'],
      ['error', '1 attempt failed: THROTTLED: Rate exceeded'],
    ]);
  });

  it('posts the beginning of messages that are too long for the page', async () => {
    const { url } = await setUpDev();
    const stream = await openStream(url);
    const program = `
import '@logferry/emulators/report';
import { channel } from 'node:diagnostics_channel';
for (let index = 0; index < 50; index++)
  channel('logferry:error').publish({ destination: 'cloudwatch', error: { code: 'INTERNAL', message: index + 'x'.repeat(100_000) } });
${FOR_A_CONNECTION}`;
    expect(await run(program, url)).toMatchObject({ code: 0, stderr: '' });
    await expect.poll(() => all(stream, 'ledgers').at(-1)?.[0]?.messages.length).toBe(50);
  });

  it('posts the counters each second, and once more when the process ends by itself', async () => {
    const { url } = await setUpDev();
    const stream = await openStream(url);
    const program = `import '@logferry/emulators/report';
${REGISTRY}
const [first] = globalThis[Symbol.for('logferry.shippers')].listings;
setTimeout(() => { globalThis[Symbol.for('logferry.shippers')].listings.add({ destination: 'cloudwatch', stats: { ...first.stats, received: 88 } }); }, 1200);`;
    expect(await run(program, url)).toMatchObject({ code: 0, stderr: '' });
    // On a busy machine the same may be posted twice.
    const received = () => new Set(all(stream, 'ledgers').map(([ledger]) => ledger?.destinations.cloudwatch?.received));
    await expect.poll(received).toEqual(new Set([undefined, 20, 108]));
  });

  it('reports worker threads on their own', async () => {
    const { url } = await setUpDev();
    const stream = await openStream(url);
    const program = `import { Worker } from 'node:worker_threads';
new Worker(${JSON.stringify(`${REGISTRY} setTimeout(() => {}, 300);`)}, { eval: true });`;
    expect(await run(program, url, ['--import', '@logferry/emulators/report'])).toMatchObject({ code: 0, stderr: '' });
    const threads = () =>
      all(stream, 'ledgers')
        .at(-1)
        ?.map(({ threadId, destinations }) => [threadId, Object.keys(destinations).length]);
    await expect.poll(threads).toEqual(
      expect.arrayContaining([
        [0, 0],
        [1, 2],
      ]),
    );
  });

  it.each([
    ['is not set', undefined],
    ['is no URL', 'here'],
    ['is no http URL', 'file:///tmp'],
    ['is on another machine', 'http://192.0.2.1:4600'],
    ['is empty', ''],
    ['is an address where nobody listens', 'http://127.0.0.1:9'],
  ])('never keeps the process, and says nothing, if LOGFERRY_DEV %s', async (_, dev) => {
    const { code, stderr, ms } = await run(`import '@logferry/emulators/report';`, dev);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(ms).toBeLessThan(10_000);
  });

  it('has no subscriber and no timer without LOGFERRY_DEV', async () => {
    const program = `import '@logferry/emulators/report';
import { hasSubscribers } from 'node:diagnostics_channel';
if (hasSubscribers('logferry:error') || process.getActiveResourcesInfo().includes('Timeout')) process.exitCode = 1;`;
    expect(await run(program, undefined)).toMatchObject({ code: 0, stderr: '' });
    expect(await run(program, 'http://127.0.0.1:9')).toMatchObject({ code: 1, stderr: '' });
  });

  it('never keeps the process while a server takes the report and does not answer', async () => {
    let posted = 0;
    const hanging = createServer(() => posted++).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    onTestFinished(() => {
      hanging.closeAllConnections();
      hanging.close();
    });
    const { port } = hanging.address() as AddressInfo;
    // A report gives up after 2 s: a process that it keeps ends 1.7 s late.
    const program = `import '@logferry/emulators/report';
let endMs;
setTimeout(() => { endMs = performance.now(); }, 300);
process.on('exit', () => { if (performance.now() - endMs > 1000) process.exitCode = 1; });`;
    expect(await run(program, `http://127.0.0.1:${port}`)).toMatchObject({ code: 0, stderr: '' });
    expect(posted).toBeGreaterThan(0);
  });

  it('does not throw into the application when counters cannot be read', async () => {
    const { url } = await setUpDev();
    const program = `import '@logferry/emulators/report';
globalThis[Symbol.for('logferry.shippers')] = { get listings() { throw new Error('broken'); }, gone: 5 };
${FOR_A_CONNECTION}`;
    expect(await run(program, url)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the route of the reports', () => {
  const report = (url: string, body: unknown) =>
    ask(url, '/_logferry/report', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('keeps the latest 100 threads, and 50 messages of each', async () => {
    const { url } = await setUpDev();
    const messages = Array.from({ length: 60 }, (_, index) => ({
      time: index,
      kind: 'error',
      destination: 'd',
      text: `${index}`,
    }));
    for (let id = 0; id < 105; id++)
      expect(await report(url, { id: `t-${id}`, destinations: {}, messages })).toMatchObject({ status: 204 });
    const stream = await openStream(url);
    const ledgers = () => all(stream, 'ledgers').at(-1) ?? [];
    await expect
      .poll(() => ledgers().map(({ id }) => id))
      .toEqual(Array.from({ length: 100 }, (_, index) => `t-${index + 5}`));
    expect(ledgers()[0]?.messages.map(({ text }) => text)).toEqual(
      Array.from({ length: 50 }, (_, index) => `${index + 10}`),
    );
  });

  it('keeps the order of the threads, whichever reported last', async () => {
    const { url } = await setUpDev();
    const stream = await openStream(url);
    const ids = () => (all(stream, 'ledgers').at(-1) ?? []).map(({ id, pid }) => `${id} ${pid}`);
    for (const id of ['a', 'b']) await report(url, { id, pid: 1, destinations: {}, messages: [] });
    await report(url, { id: 'a', pid: 2, destinations: {}, messages: [] });
    await expect.poll(ids).toEqual(['a 2', 'b 1']);
  });

  it('keeps a thread with a transport longer than those without', async () => {
    const { url } = await setUpDev();
    await report(url, { id: 'used', destinations: { cloudwatch: {} }, messages: [] });
    for (let id = 0; id < 105; id++) await report(url, { id: `t-${id}`, destinations: {}, messages: [] });
    const stream = await openStream(url);
    const ids = () => (all(stream, 'ledgers').at(-1) ?? []).map(({ id }) => id);
    await expect.poll(() => ids().slice(0, 2)).toEqual(['used', 't-6']);
  });

  it('takes unknown members of a later version, and counters of the wrong type as 0', async () => {
    const { url } = await setUpDev();
    const destinations = { cloudwatch: { received: 5, delivered: '5', dropped: { closed: 2, other: 'x' }, later: {} } };
    expect(await report(url, { id: 'a', destinations, messages: [], later: 1 })).toMatchObject({ status: 204 });
    const stream = await openStream(url);
    const counts = () => all(stream, 'ledgers').at(-1)?.[0]?.destinations.cloudwatch;
    await expect.poll(counts).toMatchObject({ received: 5, delivered: 0, dropped: { closed: 2 } });
    expect(counts()).not.toHaveProperty('later');
  });

  it.each([
    [null],
    [[]],
    [{}],
    [{ id: 'a' }],
    [{ id: 'a', destinations: [], messages: [] }],
    [{ id: 'a', destinations: {}, messages: [5] }],
  ])('refuses %j', async (body) => {
    const { url } = await setUpDev();
    expect(await report(url, body)).toMatchObject({ status: 400 });
  });
});
