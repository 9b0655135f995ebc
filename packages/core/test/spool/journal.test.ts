import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { assertBalanced, DeliveryError } from '../../src/index.js';
import { textOf } from '../support/payloads.js';
import { away, filesIn, leaveOnDisk, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

const WRITER = fileURLToPath(new URL('../children/write.mjs', import.meta.url));

it('delivers what the shipper before could not', async () => {
  const spool = { directory: temporaryDirectory() };
  const first = startSpooled(spool);
  first.destination.respond = away;
  for (let n = 0; n < 10; n++) expect(first.shipper.accept(textRecord(`text ${n}`))).toBe(true);
  const report = await first.shipper.close({ timeoutMs: 50 });
  expect(report).toMatchObject({ received: 10, spooled: 10, pending: 0, delivered: 0 });
  assertBalanced(report);
  const second = startSpooled(spool);
  await expect.poll(() => second.destination.texts.length).toBe(10);
  const stats = second.shipper.stats();
  expect(stats).toMatchObject({
    received: 0,
    recovered: 10,
    delivered: 10,
    spooled: 0,
    replayed: { records: 10, ambiguous: 10 },
  });
  assertBalanced(stats);
  await second.shipper.close();
  expect(readdirSync(join(spool.directory, readdirSync(spool.directory)[0] as string))).toEqual([]);
});

it('delivers bytes that a killed process left as they were', async () => {
  const directory = temporaryDirectory();
  const writer = spawn(process.execPath, [WRITER, directory, 'bytes'], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await once(writer.stdout, 'data');
  await expect
    .poll(() => filesIn(directory).reduce((sum, path) => sum + statSync(path).size, 0))
    .toBeGreaterThan(50_000);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  const { shipper, destination } = startSpooled({ directory });
  const texts: string[] = [];
  destination.respond = ({ events }) => void texts.push(...events.map(({ payload }) => textOf(payload)));
  const { recovered, delivered } = await shipper.close();
  expect(recovered).toBeGreaterThan(10);
  expect(delivered).toBe(recovered);
  expect(texts).toEqual(Array.from(texts, (_, number) => `${number} ${'x'.repeat(100 * (number % 50))}`));
});

it('keeps on disk what does not fit into memory, and delivers it after the outage', async () => {
  const spool = { directory: temporaryDirectory() };
  const { shipper, destination } = startSpooled(spool, { maxBufferBytes: 64 * 1024, retry: { baseMs: 10, capMs: 50 } });
  let isAway = true;
  destination.respond = () => {
    if (isAway) away();
  };
  const texts = Array.from({ length: 5000 }, (_, n) => `text ${n} ${'x'.repeat(100)}`);
  for (const text of texts) expect(shipper.accept(textRecord(text))).toBe(true);
  expect(shipper.stats().spooled).toBeGreaterThan(4000);
  assertBalanced(shipper.stats());
  isAway = false;
  const report = await shipper.flush();
  expect(report).toMatchObject({ received: 5000, delivered: 5000, spooled: 0, pending: 0 });
  expect(destination.texts.toSorted()).toEqual(texts.toSorted());
});

it('close() delivers what a dead process left, too, while requests succeed', async () => {
  const spool = { directory: temporaryDirectory() };
  const first = startSpooled(spool);
  first.destination.respond = away;
  for (let n = 0; n < 3000; n++) first.shipper.accept(textRecord(`old ${n}`));
  await first.shipper.close({ timeoutMs: 0 });
  const second = startSpooled(spool);
  second.shipper.accept(textRecord('new'));
  await second.shipper.flush();
  expect(await second.shipper.close()).toMatchObject({ recovered: 3000, received: 1, delivered: 3001, spooled: 0 });
});

it('close() delivers what a dead process left, although a part of a segment is as much as fits into memory', async () => {
  const spool = { directory: temporaryDirectory() };
  const texts = Array.from({ length: 400 }, (_, n) => `old ${n} ${'x'.repeat(400)}`);
  await leaveOnDisk(spool, texts);
  const { shipper, destination } = startSpooled(spool, { maxBufferBytes: 64 * 1024 });
  expect(await shipper.close()).toMatchObject({ recovered: 400, delivered: 400, spooled: 0 });
  expect(destination.texts.toSorted()).toEqual(texts.toSorted());
});

it('close() of a process that logs nothing delivers what a dead one left', async () => {
  const spool = { directory: temporaryDirectory() };
  await leaveOnDisk(spool, ['old']);
  const { shipper } = startSpooled(spool);
  expect(await shipper.close()).toMatchObject({ recovered: 1, received: 0, delivered: 1, spooled: 0 });
});

it.each(['flush', 'close'] as const)('%s() sends what it reads back at once', async (ending) => {
  const spool = { directory: temporaryDirectory() };
  await leaveOnDisk(spool, ['old']);
  const { shipper, destination } = startSpooled(spool, { maxDelayMs: 60_000, maxBufferBytes: 64 * 1024 });
  const texts = Array.from({ length: 1000 }, (_, n) => `text ${n} ${'x'.repeat(100)}`);
  for (const text of texts) expect(shipper.accept(textRecord(text))).toBe(true);
  expect(shipper.stats().spooled).toBeGreaterThan(100);
  await shipper[ending]({ timeoutMs: 10_000 });
  expect(destination.texts).toEqual(expect.arrayContaining(texts));
  if (ending === 'close') expect(destination.texts).toContain('old');
});

it('close() delivers what a dead process left to a destination that first learns something, or refuses a record of it', async () => {
  const spool = { directory: temporaryDirectory() };
  await leaveOnDisk(spool, ['bad', 'good', 'better']);
  const { shipper, destination } = startSpooled(spool);
  let requests = 0;
  destination.respond = ({ events }) => {
    if (requests++ === 0) throw new DeliveryError('AGAIN', 'the stream is to be created');
    if (events.some(({ payload }) => payload === 'bad')) throw new DeliveryError('INVALID', 'refused');
  };
  expect(await shipper.close()).toMatchObject({ recovered: 3, delivered: 2, dropped: { invalid: 1 }, spooled: 0 });
});

it('close() does not wait for what a dead process left when requests fail', async () => {
  const spool = { directory: temporaryDirectory() };
  await leaveOnDisk(spool, ['old']);
  const { shipper, destination } = startSpooled(spool);
  destination.respond = away;
  expect(await shipper.close({ timeoutMs: 100_000 })).toMatchObject({ recovered: 1, delivered: 0, spooled: 1 });
});

it('flush() does not wait for what a dead process left', async () => {
  const spool = { directory: temporaryDirectory() };
  const first = startSpooled(spool);
  first.destination.respond = away;
  first.shipper.accept(textRecord('old'));
  await first.shipper.close({ timeoutMs: 0 });
  const second = startSpooled(spool);
  second.destination.respond = ({ events }) => {
    if (events.some(({ payload }) => payload === 'old')) throw new DeliveryError('NOT_FOUND', 'no such stream');
  };
  await expect.poll(() => second.shipper.stats().recovered).toBe(1);
  second.shipper.accept(textRecord('new'));
  await second.shipper.flush();
  expect(second.destination.texts).toEqual(['new']);
});

it('with "spill" nothing is on disk but what does not fit into memory, and what is left at the end', async () => {
  const spool = { directory: temporaryDirectory(), mode: 'spill' } as const;
  const first = startSpooled(spool, { maxBufferBytes: 64 * 1024 });
  first.destination.respond = away;
  first.shipper.accept(textRecord('first'));
  expect(readdirSync(spool.directory)).toEqual([]);
  const texts = Array.from({ length: 1000 }, (_, n) => `text ${n} ${'x'.repeat(100)}`);
  for (const text of texts) expect(first.shipper.accept(textRecord(text))).toBe(true);
  const { pending, spooled } = first.shipper.stats();
  expect(pending).toBeGreaterThan(300);
  expect(spooled).toBe(1001 - pending);
  expect(await first.shipper.close({ timeoutMs: 0 })).toMatchObject({ spooled: 1001, pending: 0 });
  const second = startSpooled(spool);
  await expect.poll(() => second.destination.texts.length).toBe(1001);
  expect(second.destination.texts.toSorted()).toEqual(['first', ...texts].toSorted());
});

it('in order, new records wait for those of this process that are on disk', async () => {
  const options = { ordered: true, maxBufferBytes: 64 * 1024, retry: { baseMs: 1, capMs: 20 } };
  const { shipper, destination } = startSpooled({ directory: temporaryDirectory() }, options);
  let isAway = true;
  destination.respond = () => {
    if (isAway) away();
  };
  const texts = Array.from({ length: 3000 }, (_, n) => `text ${n} ${'x'.repeat(100)}`);
  for (const text of texts.slice(0, 2000)) shipper.accept(textRecord(text));
  isAway = false;
  for (const text of texts.slice(2000)) {
    shipper.accept(textRecord(text));
    if (Number(text.split(' ')[1]) % 100 === 0) await setImmediate();
  }
  await shipper.flush();
  expect(destination.texts).toEqual(texts);
});
