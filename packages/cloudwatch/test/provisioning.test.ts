import { CloudWatchLogsClient, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { createShipper, type DeliveryError } from '@logferry/core';
import { expect, it } from 'vitest';
import { batchOf, create, deliver, record, send } from './support/events.js';
import { onlyGroup } from './support/groups.js';
import { accepted, serviceError, startEmulator, startServer } from './support/servers.js';

const kmsKeyId = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

it('asks for nothing but PutLogEvents when the stream exists', async () => {
  const { emulator, access } = await startEmulator();
  const first = create(access);
  await deliver(first, batchOf(first, 'creates'));
  const before = emulator.stats().requests;
  const second = create(access);
  await send(second, batchOf(second, 'x'));
  expect(emulator.stats().requests).toEqual({ ...before, PutLogEvents: (before.PutLogEvents ?? 0) + 1 });
});

it('creates stream and group with all settings, and sends the same batch', async () => {
  const { emulator, access } = await startEmulator();
  const tags = { team: 'web', 'Kosten Stelle': 'ä=1' };
  const destination = create({ ...access, retentionInDays: 30, tags, kmsKeyId, logGroupClass: 'INFREQUENT_ACCESS' });
  const { wireBytes, requestId, rejected } = await deliver(destination, batchOf(destination, 'x'));
  expect(emulator.events()).toMatchObject([{ logGroupName: 'shop', logStreamName: 'web', message: 'x', requestId }]);
  expect(rejected).toEqual([]);
  expect(wireBytes).toBeGreaterThan(50);
  expect(emulator.stats().requests).toEqual({
    PutLogEvents: 2,
    CreateLogStream: 2,
    CreateLogGroup: 1,
    PutRetentionPolicy: 1,
  });
  expect(await onlyGroup(access)).toMatchObject({
    logGroupName: 'shop',
    retentionInDays: 30,
    kmsKeyId,
    logGroupClass: 'INFREQUENT_ACCESS',
    tags,
  });
});

it('creates a stream once for all batches that wait for it', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  const batches = Array.from({ length: 10 }, (_, index) => batchOf(destination, `batch ${index}`));
  await Promise.allSettled(batches.map((batch) => send(destination, batch)));
  await Promise.all(batches.map((batch) => send(destination, batch)));
  expect(emulator.events()).toHaveLength(10);
  expect(emulator.stats().requests).toEqual({ PutLogEvents: 20, CreateLogStream: 2, CreateLogGroup: 1 });
});

it('creates a group once for all streams that wait for it', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  const streams = Array.from({ length: 5 }, (_, index) => `stream ${index}`);
  const batches = streams.map((stream) => ({ ...batchOf(destination, 'x'), route: `shop:${stream}` }));
  await Promise.allSettled(batches.map((batch) => send(destination, batch)));
  await Promise.all(batches.map((batch) => send(destination, batch)));
  expect(new Set(emulator.events().map(({ logStreamName }) => logStreamName))).toEqual(new Set(streams));
  expect(emulator.stats().requests).toMatchObject({ PutLogEvents: 10, CreateLogGroup: 1 });
});

it('does not create a stream again when its batch fails for another reason', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  const batch = batchOf(destination, 'x');
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AGAIN' });
  emulator.faults({ next: ['serverError'] });
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await send(destination, batch);
  expect(emulator.stats().requests).toEqual({ PutLogEvents: 3, CreateLogStream: 2, CreateLogGroup: 1 });
});

it('uses a stream and a group that another process created first', async () => {
  const { emulator, access } = await startEmulator();
  const destinations = Array.from({ length: 4 }, () => create(access));
  await Promise.all(destinations.map((destination) => deliver(destination, batchOf(destination, 'x'))));
  expect(emulator.events()).toHaveLength(4);
});

it('creates everything again when the group is deleted', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  await deliver(destination, batchOf(destination, 'before'));
  await new CloudWatchLogsClient(access).send(new DeleteLogGroupCommand({ logGroupName: 'shop' }));
  await deliver(destination, batchOf(destination, 'after'));
  expect(emulator.events().map(({ message }) => message)).toEqual(['before', 'after']);
});

it('creates nothing with createMissing: false, and names group and stream', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, createMissing: false });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: `log group "shop" or its stream "web" does not exist at ${new URL(access.endpoint).host}, and createMissing is false: create them`,
  });
  expect(emulator.stats().requests).toEqual({ PutLogEvents: 1 });
});

it.each([
  ['throttle', 'THROTTLED'],
  ['operationAborted', 'UNAVAILABLE'],
  ['serverError', 'UNAVAILABLE'],
  // The connection had served PutLogEvents.
  ['reset', 'AGAIN'],
] as const)('reports %s of a creation as unambiguous, and creates with the next attempt', async (fault, code) => {
  for (const operation of ['CreateLogStream', 'CreateLogGroup'] as const) {
    const { emulator, access } = await startEmulator();
    const destination = create(access);
    const batch = batchOf(destination, 'x');
    emulator.faults({ only: [operation], next: [fault] });
    await expect(deliver(destination, batch)).rejects.toMatchObject({
      code,
      ambiguous: false,
      message: expect.stringContaining(`${operation} "`),
    });
    await send(destination, batch);
    expect(emulator.events()).toHaveLength(1);
    expect(emulator.stats().requests.PutLogEvents).toBe(2);
  }
});

it('begins with the group where its creation failed for a moment, so that few requests suffice', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  const batch = batchOf(destination, 'x');
  emulator.faults({ only: ['CreateLogGroup'], serverError: 1 });
  await expect(deliver(destination, batch)).rejects.toMatchObject({ code: 'UNAVAILABLE', ambiguous: false });
  emulator.faults();
  const before = emulator.stats().requests;
  await send(destination, batch);
  expect(emulator.stats().requests).toEqual({ ...before, PutLogEvents: 2, CreateLogGroup: 2, CreateLogStream: 2 });
  expect(emulator.events()).toHaveLength(1);
});

it('without permission to create a group, looks whether another process created it', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  const batch = batchOf(destination, 'x');
  emulator.faults({ only: ['CreateLogGroup'], accessDenied: 1 });
  await expect(deliver(destination, batch)).rejects.toMatchObject({ code: 'AUTH' });
  emulator.faults();
  await deliver(create({ ...access, logStreamName: 'other' }), { ...batchOf(destination, 'y'), route: 'shop:other' });
  emulator.faults({ only: ['CreateLogGroup'], accessDenied: 1 });
  await deliver(destination, batch);
  expect(emulator.events()).toHaveLength(2);
});

it('without permission to create a stream, looks whether another process created it', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create(access);
  const batch = batchOf(destination, 'x');
  emulator.faults({ only: ['CreateLogStream'], accessDenied: 1 });
  await expect(deliver(destination, batch)).rejects.toMatchObject({ code: 'AUTH', ambiguous: false });
  emulator.faults();
  await deliver(create(access), batchOf(destination, 'from another process'));
  emulator.faults({ only: ['CreateLogStream'], accessDenied: 1 });
  await send(destination, batch);
  expect(emulator.events()).toHaveLength(2);
});

it.each([
  ['InvalidParameterException', 'MISCONFIGURED'],
  ['LimitExceededException', 'MISCONFIGURED'],
])('does not blame the events when CreateLogGroup says %s', async (name, code) => {
  const { access } = await startServer(({ operation }) =>
    operation === 'CreateLogGroup' ? serviceError(400, name) : serviceError(400, 'ResourceNotFoundException'),
  );
  const destination = create(access);
  await expect(deliver(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code });
});

it.each([
  ['logGroupClass "CHEAP"', { logGroupClass: 'CHEAP' }],
  ['kmsKeyId "alias/shop"', { kmsKeyId: 'alias/shop' }],
  ['tags {"a!":"b"}', { tags: { 'a!': 'b' } }],
])('reports once that the service refuses a new group with %s, and keeps the records', async (setting, options) => {
  const { emulator, access } = await startEmulator();
  const errors: DeliveryError[] = [];
  const shipper = createShipper(create({ ...access, ...options }), {
    onError: (error) => void errors.push(error),
    onDrop: () => {},
  });
  for (const text of ['x', 'y']) {
    shipper.accept(record(text));
    await shipper.flush({ timeoutMs: 200 });
  }
  expect(errors).toMatchObject([{ code: 'MISCONFIGURED', ambiguous: false }]);
  const beginning = `CreateLogGroup "shop" with ${setting}, at ${new URL(access.endpoint).host}: HTTP 400 InvalidParameterException: `;
  expect(errors[0]?.message.slice(0, beginning.length)).toBe(beginning);
  expect(shipper.stats()).toMatchObject({ pending: 2, delivered: 0 });
  expect(emulator.events()).toHaveLength(0);
  await shipper.close({ timeoutMs: 0 });
});

it('backs off while a new group or stream cannot be used yet', async () => {
  const missing = serviceError(400, 'ResourceNotFoundException');
  const { access, requests } = await startServer(({ operation }) =>
    operation === 'CreateLogGroup' ? { ...accepted, body: '' } : missing,
  );
  const destination = create(access);
  await expect(deliver(destination, batchOf(destination, 'x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(requests.map(({ operation }) => operation)).toEqual([
    'PutLogEvents',
    'CreateLogStream',
    'CreateLogGroup',
    'CreateLogStream',
  ]);

  const other = await startServer(({ operation }) => (operation === 'PutLogEvents' ? missing : accepted));
  const stubborn = create(other.access);
  const batch = batchOf(stubborn, 'x');
  await expect(deliver(stubborn, batch)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(send(stubborn, batch)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(other.requests.map(({ operation }) => operation)).toEqual([
    'PutLogEvents',
    'CreateLogStream',
    'PutLogEvents',
    'CreateLogStream',
    'PutLogEvents',
  ]);
});

it('creates a stream whose name is new with the process before its first batch, and once for each group', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, logStreamName: undefined });
  const batch = batchOf(destination, 'x');
  await Promise.all([send(destination, batch), send(destination, batchOf(destination, 'y'))]);
  expect(emulator.stats().requests).toEqual({ CreateLogStream: 2, CreateLogGroup: 1, PutLogEvents: 2 });
  await send(destination, { ...batch, route: batch.route.replace('shop', 'other') });
  await send(destination, batch);
  expect(emulator.stats().requests).toEqual({ CreateLogStream: 4, CreateLogGroup: 2, PutLogEvents: 4 });
});

it('meets no error and repeats nothing at a perfect first start', async () => {
  const { access } = await startEmulator();
  const shipper = createShipper(create({ ...access, logStreamName: undefined }));
  shipper.accept(record('x'));
  expect(await shipper.close()).toMatchObject({ delivered: 1 });
  expect(shipper.stats()).toMatchObject({ requests: 1, retries: {}, lastError: undefined });
});

it.each([
  ['of another process', { logStreamName: '{hostname}' }],
  ['of an earlier record', { logStreamName: '{date:yyyy}-{start}' }],
  ['that it may not create', { createMissing: false }],
])('tries a stream %s with its first batch', async (_whose, options) => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, logStreamName: undefined, ...options });
  await expect(send(destination, batchOf(destination, 'x'))).rejects.toThrow();
  expect(emulator.stats().requests).toEqual({ PutLogEvents: 1 });
});

it('creates a new stream again when it is deleted', async () => {
  const { emulator, access } = await startEmulator();
  const destination = create({ ...access, logStreamName: '{uuid}' });
  await send(destination, batchOf(destination, 'before'));
  await new CloudWatchLogsClient(access).send(new DeleteLogGroupCommand({ logGroupName: 'shop' }));
  await deliver(destination, batchOf(destination, 'after'));
  expect(emulator.events().map(({ message }) => message)).toEqual(['before', 'after']);
});

it('without permission to create a new stream, looks whether another thread of the process created it', async () => {
  const { emulator, access } = await startEmulator();
  const options = { ...access, logStreamName: undefined };
  const destination = create(options);
  const batch = batchOf(destination, 'x');
  emulator.faults({ only: ['CreateLogStream'], accessDenied: 1 });
  await expect(send(destination, batch)).rejects.toMatchObject({ code: 'AUTH', ambiguous: false });
  emulator.faults();
  const other = create(options);
  await send(other, batchOf(other, 'from another thread'));
  emulator.faults({ only: ['CreateLogStream'], accessDenied: 1 });
  await send(destination, batch);
  expect(emulator.events()).toHaveLength(2);
});
