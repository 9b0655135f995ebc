import { mkdirSync, readdirSync, renameSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import {
  assertBalanced,
  type BatchLimits,
  type Clock,
  DeliveryError,
  type LogRecord,
  systemClock,
} from '../../src/index.js';
import { away, filesIn, leaveOnDisk, OnDisk, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

/** Records of different milliseconds: those of the same one would not be in flight together. */
function records(name: string, count: number): readonly LogRecord[] {
  const from = Date.now();
  return Array.from({ length: count }, (_, n) => ({ ...textRecord(`${name} ${n}`), time: from + n }));
}

/** The system's clock, later. */
function laterBy(ms: number): Clock {
  return { ...systemClock, monotonic: () => systemClock.monotonic() + ms, now: () => systemClock.now() + ms };
}

it.each([
  { concurrency: 5, old: 2, live: 3 },
  { concurrency: 4, old: 2, live: 2 },
  { concurrency: 2, old: 1, live: 1 },
  { concurrency: 1, old: 1, live: 0 },
])('of $concurrency slots what a dead process left takes $old, also while there is nothing else', async (slots) => {
  const spool = { directory: temporaryDirectory() };
  const first = startSpooled(spool);
  first.destination.respond = away;
  for (const record of records('old', 20)) first.shipper.accept(record);
  await first.shipper.close({ timeoutMs: 0 });
  const { shipper, destination } = startSpooled(spool, { concurrency: slots.concurrency, maxBatchEvents: 1 });
  const inFlight: string[] = [];
  let respond = (): void => {};
  const responds = new Promise<void>((resolve) => {
    respond = resolve;
  });
  // Until one was taken, a single one is tried.
  destination.respond = async ({ events }) => {
    const [name = '', n] = String(events[0]?.payload).split(' ');
    if (n === '0') return;
    inFlight.push(name);
    await responds;
  };
  await expect.poll(() => shipper.stats().replayed.records).toBe(20);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  expect(inFlight).toEqual(Array(slots.old).fill('old'));
  for (const record of records('live', 20)) shipper.accept(record);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  expect(inFlight.slice(slots.old)).toEqual(Array(slots.live).fill('live'));
  respond();
  await shipper.close();
  expect(shipper.stats()).toMatchObject({ recovered: 20, received: 20, delivered: 40, spooled: 0 });
});

it('takes turns with new records that never cease when there is a single slot', async () => {
  const spool = { directory: temporaryDirectory() };
  await leaveOnDisk(
    spool,
    records('old', 10).map(({ text }) => text),
  );
  const { shipper, destination } = startSpooled(spool, { concurrency: 1, maxBatchEvents: 1 });
  destination.respond = () => setImmediate();
  for (let turn = 0; turn < 1000 && destination.texts.filter((text) => text !== 'live').length < 10; turn++) {
    while (shipper.stats().received < destination.texts.length + 3) shipper.accept(textRecord('live'));
    while (destination.texts.length <= turn) await setImmediate();
  }
  await shipper.flush();
  const places = destination.texts.flatMap((text, place) => (text.startsWith('old') ? place : []));
  expect(places).toHaveLength(10);
  // Half of the turns.
  expect((places[8] ?? 0) - (places[0] ?? 0)).toBe(16);
});

it('delivers first what the process left that died first', async () => {
  const spool = { directory: temporaryDirectory() };
  for (const [index, name] of ['c', 'a', 'd', 'b'].entries()) {
    // Elsewhere: the next would adopt it.
    const elsewhere = temporaryDirectory();
    await leaveOnDisk({ directory: elsewhere }, [name]);
    const path = dirname(filesIn(elsewhere)[0] as string);
    const left = join(spool.directory, basename(dirname(path)), `free-${name}`);
    mkdirSync(dirname(left), { recursive: true });
    renameSync(path, left);
    utimesSync(left, 0, 1000 + index);
  }
  const { shipper, destination } = startSpooled(spool, { concurrency: 1 });
  await shipper.close();
  expect(destination.texts).toEqual(['c', 'a', 'd', 'b']);
});

it('an outage expires nothing that is on disk before spool.maxAgeMs', async () => {
  let lateMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + lateMs,
    now: () => systemClock.now() + lateMs,
  };
  const spool = { directory: temporaryDirectory(), maxAgeMs: 3_600_000 };
  const { shipper, destination } = startSpooled(spool, { retry: { maxAgeMs: 900_000 } }, { clock });
  destination.respond = away;
  shipper.accept(textRecord('old'));
  await expect.poll(() => shipper.stats().requests).toBeGreaterThan(0);
  lateMs = 3_000_000;
  await shipper.flush({ timeoutMs: 20 });
  expect(shipper.stats()).toMatchObject({ pending: 1, dropped: { expired: 0 } });
  destination.respond = () => {};
  expect(await shipper.flush()).toMatchObject({ delivered: 1 });
});

class Impatient extends OnDisk {
  override readonly limits: BatchLimits = { maxEvents: 1000, maxBytes: 1_000_000, maxPastMs: 60_000 };
}

it.each([
  ['expired', { maxAgeMs: 60_000 }, 61_000, new OnDisk()],
  ['too-old', {}, 61_000, new Impatient()],
] as const)(
  'counts as %s what is too old when it is read back, and removes it',
  async (reason, own, lateMs, destination) => {
    const spool = { directory: temporaryDirectory(), ...own };
    await leaveOnDisk(spool, ['old', 'older']);
    const { shipper } = startSpooled(spool, {}, { destination, clock: laterBy(lateMs) });
    await expect.poll(() => shipper.stats().dropped[reason]).toBe(2);
    expect(shipper.stats()).toMatchObject({ recovered: 2, delivered: 0, spooled: 0, pending: 0 });
    assertBalanced(shipper.stats());
    expect(filesIn(spool.directory)).toEqual([]);
    expect(destination.texts).toEqual([]);
    expect(readdirSync(join(spool.directory, readdirSync(spool.directory)[0] as string))).toEqual([]);
  },
);

it('does not wait for others to join what it reads back, in the time that close() has', async () => {
  const { shipper, destination } = startSpooled(
    { directory: temporaryDirectory(), mode: 'spill' },
    { maxBufferBytes: 32 * 1024, retry: { throttledBaseMs: 10_000 } },
    { random: () => 0.5 },
  );
  let throttlings = 0;
  destination.respond = ({ events }) => {
    if (!String(events[0]?.payload).startsWith('spilled') || throttlings > 0) return;
    throttlings++;
    throw new DeliveryError('THROTTLED', 'slow down');
  };
  for (const [name, count] of [
    ['live', 20],
    ['spilled', 80],
  ] as const)
    for (let i = 0; i < count; i++) shipper.accept(textRecord(`${name} ${i}`.padEnd(1000, '.')));
  await expect.poll(() => throttlings).toBe(1);
  await shipper.close();
  expect(shipper.stats()).toMatchObject({ delivered: 100, spooled: 0 });
});
