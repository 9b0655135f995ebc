import { AsyncResource } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { assertBalanced, createShipper, DeliveryError, type Drop, type DroppedMessage } from '../src/index.js';
import { jumpingClock } from './support/jumping-clock.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const MIB = 1024 * 1024;
/** No room for any record. */
const full = { maxBufferBytes: 1024 };
const large = record('x'.repeat(2000));

it('calls back at the end of the turn, and never inside a call of accept', async () => {
  let isInside = false;
  const calls: boolean[] = [];
  const { shipper, clock } = start({ ...full, onDrop: () => void calls.push(isInside) });
  isInside = true;
  shipper.accept(large);
  shipper.stats();
  isInside = false;
  expect(calls).toEqual([]);
  await clock.settle();
  expect(calls).toEqual([false]);
});

it('reports the losses of one reason in a turn as one Drop, with exact counts and times', async () => {
  const { shipper, clock, drops } = start({ maxBatchBytes: 1024 });
  for (const time of [30, 10, 20]) shipper.accept(record('x'.repeat(2000), { time }));
  shipper.accept({ ...record(''), text: 5 as never, time: 7 });
  await clock.settle();
  shipper.accept(large);
  await clock.settle();
  expect(drops).toMatchObject([
    { reason: 'too-large', records: 3, from: 10, to: 30, events: [{ time: 30 }, { time: 10 }, { time: 20 }] },
    { reason: 'unencodable', records: 1, from: 7, to: 7, events: [] },
    { reason: 'too-large', records: 1 },
  ]);
});

it.each([
  ['of many records', 300, 10_000],
  ['of a batch', 40, 100_000],
])('keeps at most 1 MiB of the lost events %s', async (_, count, length) => {
  const destination = new RecordingDestination({ maxBytes: 10 * MIB });
  destination.respond = () => {
    throw new DeliveryError('UNAVAILABLE', 'down');
  };
  const { shipper, drops } = start({}, { destination });
  for (let i = 0; i < count; i++) shipper.accept(record('é'.repeat(length / 2)));
  await shipper.close({ timeoutMs: 0 });
  expect(drops).toMatchObject([{ reason: 'undeliverable', records: count }]);
  const bytes = drops[0]?.events.reduce((sum, { payload }) => sum + Buffer.byteLength(payload), 0) ?? 0;
  expect(bytes).toBeLessThanOrEqual(MIB);
  expect(bytes).toBeGreaterThan(MIB - 2 * length);
});

it('reports a failure before the loss that follows from it', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('UNAVAILABLE', 'down');
  };
  const reported: string[] = [];
  const { shipper } = start(
    { onError: ({ code }) => void reported.push(code), onDrop: ({ reason }) => void reported.push(reason) },
    { destination },
  );
  shipper.accept(record('x'));
  await shipper.close({ timeoutMs: 0 });
  expect(reported).toEqual(['UNAVAILABLE', 'undeliverable']);
});

it('reports the loss of a bad record with the refusal as its cause, and no step of the search for it', async () => {
  const destination = new RecordingDestination();
  destination.respond = ({ bytes }) => {
    if (bytes > 100) throw new DeliveryError('TOO_LARGE', 'too large');
    return accepted;
  };
  const { shipper, errors, drops } = start({}, { destination });
  for (const length of [1, 200]) shipper.accept(record('x'.repeat(length)));
  await shipper.flush();
  expect(errors).toEqual([]);
  expect(drops).toMatchObject([{ reason: 'too-large', cause: { code: 'TOO_LARGE' } }]);
});

it('ends when an asynchronous onDrop logs each loss into its own full shipper', async () => {
  let calls = 0;
  const shipper = createShipper(new RecordingDestination(), {
    ...full,
    async onDrop() {
      calls++;
      await nextTurn();
      shipper.accept(large);
    },
  });
  shipper.accept(large);
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  expect(calls).toBe(1);
  expect(shipper.stats()).toMatchObject({ received: 2, dropped: { 'buffer-full': 2 } });
});

it('ends when two full shippers log the losses of each other', async () => {
  let calls = 0;
  const logInto = (name: 'a' | 'b') => (): void => {
    calls++;
    shippers[name].accept(large);
  };
  const shippers = {
    a: createShipper(new RecordingDestination(), { ...full, onDrop: logInto('b') }),
    b: createShipper(new RecordingDestination(), { ...full, onDrop: logInto('a') }),
  };
  shippers.a.accept(large);
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  expect(calls).toBe(1);
  expect(shippers.b.stats()).toMatchObject({ received: 1, dropped: { 'buffer-full': 1 } });
});

it('ends when a subscriber of logferry:dropped logs each loss into the same full shipper', async () => {
  const messages: DroppedMessage[] = [];
  const { shipper, clock } = start(full);
  const listen = (message: unknown): void => {
    messages.push(message as DroppedMessage);
    shipper.accept(large);
  };
  channel('logferry:dropped').subscribe(listen);
  onTestFinished(() => void channel('logferry:dropped').unsubscribe(listen));
  shipper.accept(large);
  await clock.settle();
  await clock.settle();
  expect(messages).toMatchObject([{ destination: 'recording', reason: 'buffer-full', records: 1 }]);
  expect(shipper.stats()).toMatchObject({ received: 2 });
});

it('ends at most `concurrency` requests in a turn, so that the queue of notifications is bounded', async () => {
  const destination = new RecordingDestination();
  destination.send = async () => accepted;
  const shipper = createShipper(destination, { maxBatchEvents: 1, concurrency: 3 });
  for (let i = 0; i < 1000; i++) shipper.accept(record('x'));
  const perTurn: number[] = [];
  for (let before = 0; before < 1000; before = shipper.stats().delivered) {
    await nextTurn();
    perTurn.push(shipper.stats().delivered - before);
  }
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(3);
  await shipper.close();
});

it('allows a callback to flush, to close and to ask for stats', async () => {
  const reports: Promise<unknown>[] = [];
  const drops: Drop[] = [];
  const { shipper, clock } = start({
    maxBatchBytes: 1024,
    onDrop(drop) {
      drops.push(drop);
      assertBalanced(shipper.stats());
      reports.push(shipper.flush(), shipper.close());
    },
  });
  shipper.accept(record('fine'));
  shipper.accept(large);
  await clock.settle();
  expect(await Promise.all(reports)).toMatchObject([{ delivered: 1 }, { delivered: 1 }]);
  expect(drops).toHaveLength(1);
});

/** A function that has lost the context of the callback that calls it. */
const outside = AsyncResource.bind((act: () => void) => act());

it('ends when onDrop logs each loss from another asynchronous context', async () => {
  let calls = 0;
  const { shipper, clock } = start({
    ...full,
    onDrop() {
      calls++;
      outside(() => void shipper.accept(large));
    },
  });
  shipper.accept(large);
  await clock.settle();
  expect(calls).toBe(1);
  expect(shipper.stats()).toMatchObject({ received: 2 });
});

it('makes one call a second for losses that follow from reported losses, after ten turns with losses in a row', async () => {
  const reported: number[] = [];
  const { shipper, clock } = start({
    ...full,
    onDrop({ records }) {
      reported.push(records);
      // The queue of a worker of the application, which runs in a context of its own.
      setImmediate(() => outside(() => void shipper.accept(large)));
    },
  });
  shipper.accept(large);
  for (let turn = 0; turn < 500; turn++) await nextTurn();
  expect(reported).toHaveLength(10);
  await clock.advance(10_000);
  expect(reported).toHaveLength(20);
  expect(shipper.stats().received).toBe(21);
});

it('reports each turn with losses again after a second without', async () => {
  const { shipper, clock, drops } = start(full);
  const lose = async (): Promise<void> => {
    shipper.accept(large);
    await clock.settle();
  };
  for (let turn = 0; turn < 15; turn++) await lose();
  expect(drops).toHaveLength(10);
  await clock.advance(2001);
  expect(drops.slice(10)).toMatchObject([{ reason: 'buffer-full', records: 5 }]);
  await clock.advance(1000);
  for (let turn = 0; turn < 5; turn++) await lose();
  expect(drops).toHaveLength(16);
});

it('reports the losses of records that something logs which a callback has started a minute ago', async () => {
  const jump = jumpingClock();
  let calls = 0;
  let onData = (): void => {};
  const { shipper, clock } = start({
    ...full,
    onDrop() {
      calls++;
      onData = AsyncResource.bind(() => void shipper.accept(large));
    },
  });
  shipper.accept(large);
  await clock.settle();
  jump(59_000);
  onData();
  await clock.settle();
  expect(calls).toBe(1);
  jump(1000);
  onData();
  await clock.settle();
  expect(calls).toBe(2);
});

it("reports accepted records that a callback's record evicts, with the next notification", async () => {
  const drops: Drop[] = [];
  const { shipper, clock } = start({
    maxBufferBytes: (4 * 1040 + 1536) / 0.8,
    overflow: 'drop-oldest',
    onDrop(drop) {
      drops.push(drop);
      shipper.accept(record('from the callback'.padEnd(1000)));
    },
  });
  for (let i = 0; i < 5; i++) shipper.accept(record(String(i).padEnd(1000)));
  await clock.settle();
  expect(drops).toMatchObject([{ records: 1 }]);
  await shipper.close();
  expect(drops.reduce((sum, { records }) => sum + records, 0)).toBe(shipper.stats().dropped['buffer-full']);
});

const folder = fileURLToPath(new URL('..', import.meta.url));

it.each([
  ['process.exit()', 'process.exit(3)', 3],
  ['an uncaught error', 'throw new Error("the end")', 1],
])('reports at the exit the losses of the turn of %s', (_, end, status) => {
  const script = `
    import { createShipper } from '@logferry/core';
    const limits = { maxEvents: 10, maxBytes: 100 };
    const encode = ({ time, text }) => ({ route: 'r', time, payload: text, bytes: text.length });
    const destination = { name: 'mine', reads: 'text', limits, encode, send: async () => ({ rejected: [], wireBytes: 0 }) };
    const lossy = (options) =>
      createShipper(destination, options).accept({ time: 1, level: 'info', urgent: false, text: 'x'.repeat(200), fields: {} });
    lossy({});
    lossy({ onDrop: ({ reason, records }) => console.log('onDrop', reason, records) });
    ${end};
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(child).toMatchObject({ status, stdout: 'onDrop too-large 1\n' });
  expect(child.stderr).toContain('[logferry] mine: 1 record lost (too-large 1)\n');
});

it('makes the other notifications also if a callback ends the process', () => {
  const script = `
    import { createShipper } from '@logferry/core';
    const limits = { maxEvents: 10, maxBytes: 100 };
    const destination = { name: 'mine', reads: 'text', limits, encode: ({ text }) => ({ refused: text }), send: async () => {} };
    const shipper = createShipper(destination, { onDrop(drop) { console.log(drop.reason); process.exit(5); } });
    for (const text of ['invalid', 'too-large']) shipper.accept({ time: 1, level: 'info', urgent: false, text, fields: {} });
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(child).toMatchObject({ status: 5, stdout: 'invalid\ntoo-large\n' });
});
