import { assertBalanced, DeliveryError, type DeliveryOptions } from '@logferry/core';
import { VirtualClock } from '@logferry/core/testing';
import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import { beforeEach, expect, it } from 'vitest';
import { createLogService, type LogServiceOptions } from '../../src/index.js';
import { Provisioner } from '../../src/signed/provisioner.js';
import { record } from '../support/records.js';
import { accepted, serviceError, startServer } from '../support/servers.js';
import { startShipper } from '../support/shippers.js';
import { keyOf } from '../support/signed.js';

let emulator: LogServiceEmulator;
beforeEach(async () => {
  emulator = await startLogService({ strict: true });
  return () => emulator.close();
});

function ship(options: Partial<LogServiceOptions> = {}, delivery: DeliveryOptions = {}) {
  const { target } = emulator;
  const credentials = keyOf(emulator);
  const errors: DeliveryError[] = [];
  const shipper = startShipper(
    createLogService({ ...target, logstore: 'new', credentials, createMissing: true, ...options }),
    { retry: { baseMs: 1, throttledBaseMs: 1, capMs: 10 }, onError: (error) => void errors.push(error), ...delivery },
  );
  return { shipper, errors };
}

/** A provisioner whose requests to some URLs find no connection. */
function provision(settings: { readonly index?: boolean }, fails: (url: URL) => boolean) {
  const clock = new VirtualClock();
  const urls: string[] = [];
  const post = async ({ url }: { readonly url: string }) => {
    urls.push(url);
    if (fails(new URL(url))) throw new DeliveryError('NETWORK', 'no connection');
    return { done: true };
  };
  const place = { origin: 'http://127.0.0.1', logstore: 'web', targetLabel: 'logstore "web"', resource: '' };
  const all = { retentionInDays: 1, shardCount: 1, index: false, ...settings };
  return { clock, urls, provisioner: new Provisioner({ post } as never, place, all, { clock }) };
}

const texts = (): (string | undefined)[] => emulator.events({ logstore: 'new' }).map(({ fields }) => fields.text);
const log = (text: string) => record({ text }, { time: Date.now() });

it('creates a missing logstore once, with an index, for many batches at the same time', async () => {
  const { shipper, errors } = ship({ index: true, retentionInDays: 7, shardCount: 3 }, { maxBatchEvents: 1 });
  const { shipper: other } = ship({ index: true });
  for (const each of [shipper, other]) for (let number = 0; number < 50; number++) each.accept(log(`record ${number}`));
  for (const each of [shipper, other]) {
    const report = await each.close();
    assertBalanced(report);
    expect(report.delivered).toBe(50);
  }
  expect(texts()).toHaveLength(100);
  expect(errors).toEqual([]);
  const { operations, violations } = emulator.stats();
  expect(violations).toEqual([]);
  expect(operations.CreateLogStore).toBeLessThanOrEqual(2);
  expect(operations.CreateIndex).toBeLessThanOrEqual(2);
});

it('creates no index unless asked', async () => {
  const { shipper } = ship();
  shipper.accept(log('first'));
  await shipper.close();
  expect(texts()).toEqual(['first']);
  expect(emulator.stats().operations).toEqual({ PutLogs: 2, CreateLogStore: 1 });
});

it('creates nothing unless asked', async () => {
  const { shipper, errors } = ship({ createMissing: false }, { maxDelayMs: 0, closeTimeoutMs: 100 });
  shipper.accept(log('lost'));
  await expect.poll(() => errors.length).toBeGreaterThan(0);
  await shipper.close();
  expect(errors[0]).toMatchObject({ code: 'NOT_FOUND' });
  expect(errors[0]?.message).toContain('createMissing');
  expect(emulator.stats().operations).toEqual({ PutLogs: expect.any(Number) });
});

it('never creates a project', async () => {
  const { target, requests } = await startServer(() => serviceError(404, 'ProjectNotExist'));
  const { shipper, errors } = ship(target, { maxDelayMs: 0, closeTimeoutMs: 100 });
  shipper.accept(log('lost'));
  await expect.poll(() => errors.length).toBeGreaterThan(0);
  await shipper.close();
  expect(errors[0]).toMatchObject({ code: 'NOT_FOUND' });
  expect(new Set(requests.map(({ url }) => url))).toEqual(new Set(['/logstores/web/shards/lb']));
});

it('says what it may not create, and goes on when somebody else has created it', async () => {
  emulator.faults({ unauthorized: 1, only: ['CreateLogStore'] });
  const { shipper, errors } = ship();
  shipper.accept(log('kept'));
  await expect.poll(() => errors.length).toBeGreaterThan(0);
  expect(errors[0]).toMatchObject({ code: 'AUTH', ambiguous: false });
  expect(errors[0]?.message).toContain('does not allow log:CreateLogStore on acs:log:*:*:project/local/logstore/new');
  emulator.webTracking('new', false);
  await shipper.close();
  expect(texts()).toEqual(['kept']);
});

it('stores logs without an index that it may not create, and says so', async () => {
  emulator.faults({ unauthorized: 1, only: ['CreateIndex'] });
  const { shipper, errors } = ship({ index: true });
  shipper.accept(log('stored'));
  await shipper.close();
  expect(texts()).toEqual(['stored']);
  expect(errors.map(({ code, message }) => `${code} ${message}`)).toEqual([
    expect.stringMatching(/^AUTH CreateIndex to logstore "new" .* does not allow log:CreateIndex on /),
  ]);
});

it('waits for a new logstore that does not take logs yet, and creates it once', async () => {
  let puts = 0;
  const { target, requests } = await startServer(({ url }) =>
    url.endsWith('/shards/lb') && ++puts < 5 ? serviceError(404, 'LogStoreNotExist') : accepted,
  );
  const { shipper } = ship(target);
  shipper.accept(log('late'));
  const report = await shipper.close();
  expect(report.delivered).toBe(1);
  expect(requests.filter(({ url }) => url === '/logstores')).toHaveLength(1);
  expect(JSON.parse(String(requests.find(({ url }) => url === '/logstores')?.body))).toEqual({
    logstoreName: 'web',
    ttl: 30,
    shardCount: 2,
    autoSplit: true,
    maxSplitShard: 64,
  });
});

it('lets the service split shards up to their number at least', async () => {
  let puts = 0;
  const { target, requests } = await startServer(() =>
    ++puts === 1 ? serviceError(404, 'LogStoreNotExist') : accepted,
  );
  const { shipper } = ship({ ...target, shardCount: 100 });
  shipper.accept(log('stored'));
  expect((await shipper.close()).delivered).toBe(1);
  expect(JSON.parse(String(requests[1]?.body))).toMatchObject({ shardCount: 100, maxSplitShard: 100 });
});

it.each([
  ['there is no logstore for it yet', 404, 'LogStoreNotExist', 3],
  ['the key was renewed', 401, 'Unauthorized', 1],
  ['the service fails', 500, 'InternalServerError', 3],
])('creates the index although at first %s', async (_reason, status, name, failures) => {
  let puts = 0;
  let indexes = 0;
  const { target, requests } = await startServer(({ url }) => {
    if (url.endsWith('/index') && ++indexes <= failures) return serviceError(status, name);
    return url.endsWith('/shards/lb') && ++puts < 4 ? serviceError(404, 'LogStoreNotExist') : accepted;
  });
  let keys = 0;
  const credentials = () => ({ accessKeyId: `id${++keys}`, accessKeySecret: 'secret' });
  const { shipper, errors } = ship({ ...target, index: true, credentials });
  for (const text of ['a', 'b', 'c', 'd']) {
    shipper.accept(log(text));
    await shipper.flush();
  }
  expect((await shipper.close()).delivered).toBe(4);
  expect(requests.filter(({ url }) => url === '/logstores/web/index')).toHaveLength(failures + 1);
  expect(errors.filter(({ message }) => message.startsWith('CreateIndex'))).toEqual([]);
});

it('gives up an index that cannot be created, and says so once', async () => {
  const { clock, provisioner, urls } = provision({ index: true }, ({ pathname }) => pathname !== '/logstores');
  const { signal } = new AbortController();
  await provisioner.createLogstore(signal);
  await provisioner.completeIndex(signal);
  provisioner.confirm();
  for (let second = 0; second < 120; second++) {
    await provisioner.completeIndex(signal);
    await clock.advance(1000);
  }
  expect(urls).toHaveLength(1 + 2 + 5);
  expect(provisioner.takeFaults()).toMatchObject([{ code: 'NETWORK' }]);
  expect(provisioner.takeFaults()).toEqual([]);
});

it('does not say of a broken connection that logs may have been stored, as long as none was sent', async () => {
  const { target } = await startServer(() => serviceError(404, 'LogStoreNotExist'));
  const breaking: LogServiceOptions['fetch'] = async (url, init) => {
    if (url.endsWith('/logstores')) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    return fetch(url, init);
  };
  const { shipper, errors } = ship({ ...target, fetch: breaking }, { maxDelayMs: 0, closeTimeoutMs: 100 });
  shipper.accept(log('lost'));
  await expect.poll(() => shipper.stats().retries.NETWORK ?? 0).toBeGreaterThan(0);
  await shipper.close();
  expect(errors[0]).toMatchObject({ code: 'NETWORK', ambiguous: false });
});

it('creates a logstore again that was deleted before it took any log', async () => {
  const { clock, provisioner, urls } = provision({}, () => false);
  const { signal } = new AbortController();
  await provisioner.createLogstore(signal);
  await clock.advance(60_000);
  await expect(provisioner.createLogstore(signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await clock.advance(240_000);
  await provisioner.createLogstore(signal);
  expect(urls).toHaveLength(2);
});

it('creates a logstore again that was deleted meanwhile', async () => {
  let exists = true;
  const { target, requests } = await startServer(({ url }) => {
    if (url === '/logstores') exists = true;
    return exists ? accepted : serviceError(404, 'LogStoreNotExist');
  });
  const { shipper } = ship(target);
  for (const text of ['a', 'b', 'c']) {
    exists = false;
    shipper.accept(log(text));
    await shipper.flush();
  }
  expect((await shipper.close()).delivered).toBe(3);
  expect(requests.filter(({ url }) => url === '/logstores')).toHaveLength(3);
});
