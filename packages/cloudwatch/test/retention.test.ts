import { createShipper, type DeliveryError, type SendOutcome } from '@logferry/core';
import { expect, it } from 'vitest';
import { batchOf, create, deliver, record, send } from './support/events.js';
import { onlyGroup } from './support/groups.js';
import { startEmulator } from './support/servers.js';
import { collectWarnings } from './support/warnings.js';

it('does not change the retention of an existing group', async () => {
  const { emulator, access } = await startEmulator();
  const first = create(access);
  await deliver(first, batchOf(first, 'x'));
  const second = create({ ...access, logStreamName: 'other', retentionInDays: 30 });
  await deliver(second, batchOf(second, 'x'));
  expect(emulator.stats().requests).toMatchObject({ CreateLogGroup: 1 });
  expect(emulator.stats().requests.PutRetentionPolicy).toBeUndefined();
});

it('does not change the retention of a group that another process created after its own attempt failed', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, retentionInDays: 30 });
  const batch = batchOf(destination, 'x');
  emulator.faults({ only: ['CreateLogGroup'], next: ['throttle'] });
  await expect(deliver(destination, batch)).rejects.toMatchObject({ code: 'THROTTLED' });
  const other = create(access);
  await deliver(other, batchOf(other, 'x'));
  await send(destination, batch);
  expect(emulator.stats().requests.PutRetentionPolicy).toBeUndefined();
});

it('after a passing failure sets the retention with a later batch of the group', async () => {
  const warnings = collectWarnings();
  const { emulator, access } = await startEmulator();
  emulator.faults({ only: ['PutRetentionPolicy'], next: ['operationAborted', 'throttle'] });
  const destination = create({ ...access, retentionInDays: 7 });
  for (const text of ['x', 'y', 'z', 'after it is set']) await deliver(destination, batchOf(destination, text));
  await destination.close?.();
  expect(await onlyGroup(access)).toMatchObject({ retentionInDays: 7 });
  expect(emulator.stats().requests.PutRetentionPolicy).toBe(3);
  expect(emulator.events()).toHaveLength(4);
  expect(warnings.filter((warning) => warning.includes('retention'))).toEqual([]);
});

it('sets the retention of a group whose creation got no response', async () => {
  const { emulator, access } = await startEmulator();
  emulator.faults({ only: ['CreateLogGroup'], next: ['lostAck'] });
  const destination = create({ ...access, retentionInDays: 7 });
  const batch = batchOf(destination, 'x');
  await expect(deliver(destination, batch)).rejects.toMatchObject({ code: 'AGAIN' });
  await send(destination, batch);
  expect(await onlyGroup(access)).toMatchObject({ retentionInDays: 7 });
});

it('delivers while a failure of the retention policy may pass, and warns once when it closes', async () => {
  const warnings = collectWarnings();
  const { emulator, access } = await startEmulator();
  emulator.faults({ only: ['PutRetentionPolicy'], operationAborted: 1 });
  const destination = create({ ...access, retentionInDays: 7 });
  for (const text of ['x', 'y', 'z']) await deliver(destination, batchOf(destination, text));
  expect(emulator.events()).toHaveLength(3);
  await destination.close?.();
  expect(emulator.stats().requests.PutRetentionPolicy).toBe(3);
  expect(warnings.filter((warning) => warning.includes('retention of 7 days'))).toHaveLength(1);
});

it('delivers when it may not set the retention policy, and reports the fault once', async () => {
  const warnings = collectWarnings();
  const { emulator, access } = await startEmulator();
  emulator.faults({ only: ['PutRetentionPolicy'], accessDenied: 1 });
  const destination = create({ ...access, retentionInDays: 7 });
  const outcomes: SendOutcome[] = [];
  for (const text of ['x', 'y', 'z']) outcomes.push(await deliver(destination, batchOf(destination, text)));
  expect(emulator.events()).toHaveLength(3);
  await destination.close?.();
  expect(emulator.stats().requests.PutRetentionPolicy).toBe(1);
  expect(outcomes.flatMap(({ faults = [] }) => faults)).toMatchObject([{ code: 'AUTH' }]);
  expect(warnings.filter((warning) => warning.includes('retention'))).toEqual([]);
});

it('calls onError once with a retention that the service refuses, with group and days, and delivers', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, retentionInDays: 2 });
  const errors: DeliveryError[] = [];
  const shipper = createShipper(destination, { onError: (error) => void errors.push(error) });
  for (const text of ['x', 'y']) {
    shipper.accept(record(text));
    await shipper.flush();
  }
  expect(await shipper.close()).toMatchObject({ delivered: 2 });
  expect(emulator.stats().requests.PutRetentionPolicy).toBe(1);
  expect(errors).toMatchObject([{ code: 'MISCONFIGURED' }]);
  expect(errors[0]?.message).toMatch(
    /^PutRetentionPolicy "shop" with retentionInDays 2, at 127\.0\.0\.1:\d+: HTTP 400 InvalidParameterException: .*; its events never expire until you set a retention of 2 days$/,
  );
});

it('sets the retention of a group once for all concurrent batches', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, retentionInDays: 7 });
  const streams = Array.from({ length: 5 }, (_, index) => `stream ${index}`);
  const batches = streams.map((stream) => ({ ...batchOf(destination, 'x'), route: `shop:${stream}` }));
  await Promise.all(batches.map((batch) => deliver(destination, batch)));
  expect(emulator.events()).toHaveLength(5);
  expect(emulator.stats().requests).toMatchObject({ CreateLogGroup: 1, PutRetentionPolicy: 1 });
});

it('reports the fault when setting the retention times out, and delivers with the next attempt', async () => {
  const { emulator, access } = await startEmulator();
  emulator.faults({ only: ['PutRetentionPolicy'], hang: 1 });
  const destination = create({ ...access, retentionInDays: 7 });
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN' });
  await expect(destination.send(batch, AbortSignal.timeout(300))).rejects.toMatchObject({ code: 'TIMEOUT' });
  const { faults } = await send(destination, batch);
  expect(emulator.events()).toHaveLength(1);
  expect(faults).toMatchObject([{ code: 'TIMEOUT', message: expect.stringContaining('retention of 7 days') }]);
});
