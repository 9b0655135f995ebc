import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError, type EncodedEvent, type Encoding, type LogRecord } from '../src/index.js';
import { encodeText, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

/** A record that takes exactly 1,024 bytes of the budget: its text and 40 more. */
const kib = (name: string, options = {}): LogRecord => record(name.padEnd(984, '.'), options);
/** Bytes of the budget that a batch costs besides its records. */
const BATCH = 1536;
/** A budget for this many ordinary records of a KiB in this many batches; a fifth more is for urgent ones. */
const roomFor = (records: number, batches = 1): number => (records * 1024 + batches * BATCH) / 0.8;
const names = (events: readonly EncodedEvent[]): string[] =>
  events.map((event) => String(event.payload).replaceAll('.', ''));

/** A destination that is down, so that all accepted records stay. */
function down(): RecordingDestination {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('UNAVAILABLE', 'down');
  };
  return destination;
}

it('drops the newest record when the buffer is full, counts it, and reports it at the end of the turn', async () => {
  const { shipper, clock, drops } = start({ maxBufferBytes: roomFor(8) });
  const results = Array.from({ length: 10 }, (_, i) => shipper.accept(kib(`r${i}`)));
  expect(results).toEqual([...Array(8).fill(true), false, false]);
  expect(shipper.stats()).toMatchObject({
    pending: 8,
    bufferBytes: 8 * 1024 + BATCH,
    dropped: { 'buffer-full': 2 },
  });
  expect(drops).toEqual([]);
  await clock.settle();
  expect(drops.map(({ reason, records, events }) => [reason, records, names(events)])).toEqual([
    ['buffer-full', 2, ['r8', 'r9']],
  ]);
  assertBalanced(shipper.stats());
});

it('keeps a fifth of the buffer for urgent records', () => {
  const { shipper } = start({ maxBufferBytes: roomFor(8) });
  for (let i = 0; i < 9; i++) shipper.accept(kib(`r${i}`));
  const results = Array.from({ length: 3 }, (_, i) => shipper.accept(kib(`u${i}`, { urgent: true })));
  expect(results).toEqual([true, true, false]);
});

it('frees bytes of the budget only when a record is settled', async () => {
  const destination = down();
  const { shipper, clock } = start({ maxBufferBytes: roomFor(8), maxDelayMs: 0 }, { destination });
  for (let i = 0; i < 8; i++) shipper.accept(kib(`r${i}`));
  await clock.advance(10_000);
  expect(shipper.accept(kib('too early'))).toBe(false);
  destination.respond = () => ({ rejected: [], wireBytes: 0 });
  await clock.advance(30_000);
  expect(shipper.stats()).toMatchObject({ bufferBytes: 0, delivered: 8 });
  expect(shipper.accept(kib('now'))).toBe(true);
});

it("with overflow 'drop-oldest' the newest records stay, also when the others are in an open batch", async () => {
  const { shipper, clock, drops } = start({ maxBufferBytes: roomFor(8), overflow: 'drop-oldest' });
  for (let i = 0; i < 12; i++) expect(shipper.accept(kib(`r${i}`))).toBe(true);
  await clock.settle();
  expect(drops.flatMap((drop) => names(drop.events))).toEqual(['r0', 'r1', 'r2', 'r3']);
  expect(shipper.stats()).toMatchObject({ pending: 8, dropped: { 'buffer-full': 4 } });
  assertBalanced(shipper.stats());
});

it("with overflow 'drop-oldest' the ledger adds up in onDrop, also when old records are evicted in vain", async () => {
  const destination = new RecordingDestination();
  destination.respond = () => new Promise(() => {});
  const reported: string[][] = [];
  const { shipper, clock } = start(
    {
      maxBufferBytes: roomFor(8, 2),
      maxDelayMs: 0,
      overflow: 'drop-oldest',
      onDrop: (drop) => {
        reported.push(names(drop.events).map((name) => name.slice(0, 5)));
        assertBalanced(shipper.stats());
      },
    },
    { destination },
  );
  for (let i = 0; i < 5; i++) shipper.accept(kib(`fly ${i}`));
  await clock.settle();
  for (let i = 0; i < 2; i++) shipper.accept(kib(`old ${i}`));
  expect(shipper.accept(record('large'.padEnd(5000, 'x')))).toBe(false);
  await clock.settle();
  expect(reported).toEqual([['old 0', 'old 1', 'large']]);
  expect(shipper.stats()).toMatchObject({ pending: 5, callbackErrors: 0, dropped: { 'buffer-full': 3 } });
});

it("with overflow 'drop-oldest' the oldest records are evicted first, also from sealed batches that back off", async () => {
  const destination = down();
  const options = { maxBufferBytes: roomFor(8, 3), maxBatchEvents: 3, overflow: 'drop-oldest' } as const;
  const { shipper, clock, drops } = start(options, { destination });
  for (let i = 0; i < 8; i++) shipper.accept(kib(`r${i}`));
  await clock.advance(5000);
  for (let i = 8; i < 13; i++) expect(shipper.accept(kib(`r${i}`))).toBe(true);
  await clock.settle();
  // Five evictions make room for the new records, and one for their two batches.
  expect(drops.flatMap((drop) => names(drop.events))).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5']);
  destination.respond = () => ({ rejected: [], wireBytes: 0 });
  await shipper.flush();
  expect(names(destination.stored).sort()).toEqual(['r10', 'r11', 'r12', 'r6', 'r7', 'r8', 'r9']);
  expect(destination.violations).toEqual([]);
  assertBalanced(shipper.stats());
});

it("flush returns as soon as overflow 'drop-oldest' evicts the last batch that it waits for", async () => {
  const { shipper, clock } = start({ maxBufferBytes: roomFor(8, 2), overflow: 'drop-oldest' }, { destination: down() });
  for (let i = 0; i < 4; i++) shipper.accept(kib(`r${i}`));
  let hasReturned = false;
  void shipper.flush().then(() => (hasReturned = true));
  await clock.settle();
  for (let i = 4; i < 8; i++) shipper.accept(kib(`r${i}`));
  await clock.settle();
  expect(hasReturned).toBe(false);
  for (let i = 8; i < 12; i++) shipper.accept(kib(`r${i}`));
  await clock.settle();
  expect(hasReturned).toBe(true);
});

it("with overflow 'drop-oldest' an ordinary record never evicts an urgent one", async () => {
  const { shipper, clock, drops } = start({ maxBufferBytes: roomFor(8), overflow: 'drop-oldest' });
  shipper.accept(kib('urgent', { urgent: true }));
  for (let i = 0; i < 20; i++) shipper.accept(kib(`r${i}`));
  await clock.settle();
  expect(drops.flatMap((drop) => names(drop.events))).not.toContain('urgent');
  for (let i = 0; i < 20; i++) shipper.accept(kib(`u${i}`, { urgent: true }));
  expect(shipper.accept(kib('ordinary'))).toBe(false);
  await clock.settle();
  const lost = drops.flatMap((drop) => names(drop.events));
  expect(lost.filter((name) => name.startsWith('u') || name === 'urgent')).toEqual([
    'urgent',
    ...Array.from({ length: 10 }, (_, i) => `u${i}`),
  ]);
  assertBalanced(shipper.stats());
});

it('evicts nothing for a record that is larger than the whole buffer', async () => {
  const { shipper, clock, drops } = start({ maxBufferBytes: roomFor(8), overflow: 'drop-oldest' });
  shipper.accept(kib('small'));
  expect(shipper.accept(record('x'.repeat(20_000)))).toBe(false);
  await clock.settle();
  expect(shipper.stats()).toMatchObject({ pending: 1 });
  expect(drops).toMatchObject([{ records: 1 }]);
});

class SplittingDestination extends RecordingDestination {
  override encode(source: LogRecord): Encoding {
    return source.text.split('|').map((part) => encodeText(source, part));
  }
}

it('counts a split record as delivered once, when all its parts are delivered', async () => {
  const destination = new SplittingDestination();
  const { shipper } = start({ maxBatchEvents: 2 }, { destination });
  shipper.accept(record('a|b|c|d|e'));
  expect(await shipper.flush()).toMatchObject({ received: 1, delivered: 1, pending: 0 });
  expect(destination.texts).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(shipper.stats().bufferBytes).toBe(0);
});

it('counts a split record once, by the reason of its first lost part', async () => {
  const destination = new SplittingDestination();
  destination.respond = (batch) => {
    if (batch.events.some((event) => event.payload === 'bad')) throw new DeliveryError('INVALID', 'no');
    return {
      rejected: batch.events.flatMap((event, index) =>
        event.payload === 'old' ? [{ index, reason: 'too-old' as const }] : [],
      ),
      wireBytes: 0,
    };
  };
  const { shipper, drops } = start({ maxBatchEvents: 1, ordered: true }, { destination });
  shipper.accept(record('a|old|bad|b'));
  const report = await shipper.flush();
  expect(report).toMatchObject({ received: 1, delivered: 0, rejected: 1, dropped: { invalid: 0 } });
  expect(drops.map((drop) => [drop.reason, drop.records])).toEqual([
    ['too-old', 1],
    ['invalid', 0],
  ]);
  assertBalanced(report);
});

it('admits a split record whole or not at all', () => {
  const { shipper, destination } = start({ maxBufferBytes: 1024 }, { destination: new SplittingDestination() });
  expect(shipper.accept(record(Array(4).fill('x'.repeat(200)).join('|')))).toBe(false);
  expect(shipper.stats()).toMatchObject({ pending: 0, bufferBytes: 0, dropped: { 'buffer-full': 1 } });
  expect(destination.attempts).toHaveLength(0);
});

it.each([
  [
    'encode throws',
    () => {
      throw new Error('hostile');
    },
    { reason: 'unencodable', cause: new Error('hostile') },
  ],
  ['encode refuses it', () => ({ refused: 'invalid' }), { reason: 'invalid' }],
  ['encode makes nothing of it', () => [], { reason: 'invalid' }],
] as const)('drops a record on the spot when %s, reports the reason, and continues', async (_, encode, reported) => {
  const { shipper, clock, destination, drops } = start();
  const encodeWell = destination.encode.bind(destination);
  destination.encode = encode as never;
  expect(shipper.accept(record('x', { time: 42 }))).toBe(false);
  destination.encode = encodeWell;
  expect(shipper.accept(record('y'))).toBe(true);
  await clock.settle();
  expect(drops).toEqual([{ ...reported, records: 1, from: 42, to: 42, events: [] }]);
  assertBalanced(shipper.stats());
});

it('survives a record whose every property throws', () => {
  const { shipper } = start();
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
    },
  ) as LogRecord;
  expect(shipper.accept(hostile)).toBe(false);
  expect(shipper.stats().dropped.unencodable).toBe(1);
});

it('has no oldest record when nothing is pending, although eviction emptied an open batch', async () => {
  const { shipper, clock } = start({ maxBufferBytes: 7000, maxBatchEvents: 2, overflow: 'drop-oldest' });
  shipper.accept(record('x'.repeat(3000), { level: 'emptied' }));
  await clock.advance(100);
  for (const text of ['x'.repeat(2000), 'y']) shipper.accept(record(text));
  await clock.settle();
  expect(shipper.stats()).toMatchObject({ delivered: 2, pending: 0, oldestAgeMs: 0 });
});

it('drops 100,000 batches of one route without blocking the process for long', async () => {
  const options = {
    maxBatchEvents: 1,
    maxDelayMs: 0,
    maxBufferBytes: (41 + BATCH) * 125_000,
    overflow: 'drop-oldest',
  } as const;
  const { shipper, clock } = start(options, { destination: down() });
  const startMs = performance.now();
  for (let i = 0; i < 200_000; i++) shipper.accept(record('x'));
  await clock.settle();
  void shipper.close({ timeoutMs: 0 });
  await clock.advance(0);
  expect(shipper.stats()).toMatchObject({ pending: 0, dropped: { 'buffer-full': 100_000, undeliverable: 100_000 } });
  expect(performance.now() - startMs).toBeLessThan(10_000);
});
