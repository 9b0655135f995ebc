import { assertBalanced, createShipper, type DeliveryError, type DeliveryOptions } from '@logferry/core';
import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import { beforeEach, expect, it } from 'vitest';
import { createLogService, type LogServiceOptions } from '../../src/index.js';
import { record } from '../support/records.js';
import { accepted, serviceError, startServer } from '../support/servers.js';

let emulator: LogServiceEmulator;
beforeEach(async () => {
  emulator = await startLogService({ strict: true });
  return () => emulator.close();
});

function ship(options: Partial<LogServiceOptions> = {}, delivery: DeliveryOptions = {}) {
  const { target, env } = emulator;
  const { ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId, ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret } = env;
  const credentials = { accessKeyId, accessKeySecret };
  const errors: DeliveryError[] = [];
  const shipper = createShipper(
    createLogService({ ...target, logstore: 'new', credentials, createMissing: true, ...options }),
    { retry: { baseMs: 1, throttledBaseMs: 1, capMs: 10 }, onError: (error) => void errors.push(error), ...delivery },
  );
  return { shipper, errors };
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
  const { shipper, errors } = ship({ createMissing: false }, { closeTimeoutMs: 100 });
  shipper.accept(log('lost'));
  await shipper.close();
  expect(errors[0]).toMatchObject({ code: 'NOT_FOUND' });
  expect(errors[0]?.message).toContain('createMissing');
  expect(emulator.stats().operations).toEqual({ PutLogs: expect.any(Number) });
});

it('never creates a project', async () => {
  const { target, requests } = await startServer(() => serviceError(404, 'ProjectNotExist'));
  const { shipper, errors } = ship(target, { closeTimeoutMs: 100 });
  shipper.accept(log('lost'));
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
