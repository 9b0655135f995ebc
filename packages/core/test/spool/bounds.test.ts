import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assertBalanced, type Drop } from '../../src/index.js';
import { away, filesIn, leaveOnDisk, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

const MAX_BYTES = 1_048_576;

function bytesIn(directory: string): number {
  return filesIn(directory).reduce((sum, path) => sum + statSync(path).size, 0);
}

it('records that come together take no more room on disk than spool.maxBytes', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory, maxBytes: MAX_BYTES });
  destination.respond = away;
  shipper.together(() => {
    for (const text of TEXTS) shipper.accept(textRecord(text));
  });
  const stats = shipper.stats();
  assertBalanced(stats);
  expect(bytesIn(directory)).toBeLessThanOrEqual(MAX_BYTES);
  expect(stats.spool.bytes).toBe(bytesIn(directory));
  expect(stats.dropped['spool-full']).toBeGreaterThan(2900);
  expect(stats.pending).toBe(4000 - stats.dropped['spool-full']);
});

it('what dead processes left counts for spool.maxBytes before it is adopted, too', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, TEXTS.slice(0, 900));
  const { shipper, destination } = startSpooled({ directory, maxBytes: MAX_BYTES });
  destination.respond = away;
  const accepted = TEXTS.filter((text) => shipper.accept(textRecord(text)));
  expect(bytesIn(directory)).toBeLessThanOrEqual(MAX_BYTES);
  expect(accepted.length).toBeGreaterThan(20);
  expect(shipper.stats().dropped['spool-full']).toBe(4000 - accepted.length);
});

it('with "spill" records that find no room on disk at the end are lost as spool-full', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory, mode: 'spill', maxBytes: MAX_BYTES });
  destination.respond = away;
  for (const text of TEXTS) shipper.accept(textRecord(text));
  const { spooled, dropped } = await shipper.close({ timeoutMs: 0 });
  expect(bytesIn(directory)).toBeLessThanOrEqual(MAX_BYTES);
  expect(spooled).toBeGreaterThan(900);
  expect(dropped).toMatchObject({ 'spool-full': 4000 - spooled, undeliverable: 0 });
});

it.each(['drop-newest', 'drop-oldest'] as const)(
  'with "spill" and %s what is in memory has its room on disk at the end',
  async (overflow) => {
    const directory = temporaryDirectory();
    const { shipper, destination } = startSpooled(
      { directory, mode: 'spill', maxBytes: MAX_BYTES },
      { overflow, maxBufferBytes: MAX_BYTES / 2, dropNotice: false },
    );
    destination.respond = away;
    const accepted = TEXTS.filter((text) => shipper.accept(textRecord(text)));
    const before = shipper.stats();
    assertBalanced(before);
    expect(before.pending).toBeGreaterThan(300);
    expect(before.spooled).toBeGreaterThan(300);
    const { spooled, dropped } = await shipper.close({ timeoutMs: 0 });
    expect(bytesIn(directory)).toBeLessThanOrEqual(MAX_BYTES);
    expect({ spooled, dropped }).toEqual({ spooled: before.spooled + before.pending, dropped: before.dropped });
    if (overflow === 'drop-newest') expect(accepted).toHaveLength(spooled);
  },
);

const TEXTS = Array.from({ length: 4000 }, (_, n) => `${n} ${'x'.repeat(1000)}`);

/** Accepts {@link TEXTS} while the service is away, and lets it come back. */
async function overfill(overflow: 'drop-newest' | 'drop-oldest', maxBufferBytes: number) {
  const directory = temporaryDirectory();
  const drops: Drop[] = [];
  const { shipper, destination } = startSpooled(
    { directory, maxBytes: MAX_BYTES },
    {
      overflow,
      maxBufferBytes,
      dropNotice: false,
      retry: { baseMs: 1, capMs: 5 },
      onDrop: (drop) => void drops.push(drop),
    },
  );
  let isAway = true;
  destination.respond = () => {
    if (isAway) away();
  };
  let largest = 0;
  const accepted = TEXTS.filter((text, n) => {
    if (n % 200 === 0) largest = Math.max(largest, bytesIn(directory));
    return shipper.accept(textRecord(text));
  });
  assertBalanced(shipper.stats());
  expect(largest).toBeGreaterThan(MAX_BYTES / 2);
  expect(Math.max(largest, bytesIn(directory))).toBeLessThanOrEqual(MAX_BYTES);
  isAway = false;
  const report = await shipper.flush();
  assertBalanced(report);
  expect(report).toMatchObject({ received: 4000, spooled: 0, pending: 0 });
  expect(report.delivered + report.dropped['spool-full']).toBe(4000);
  expect(report.dropped['spool-full']).toBeGreaterThan(2900);
  expect(drops.reduce((sum, { records }) => sum + records, 0)).toBe(report.dropped['spool-full']);
  expect(new Set(drops.map(({ reason }) => reason))).toEqual(new Set(['spool-full']));
  expect(destination.texts).toHaveLength(report.delivered);
  return { accepted, delivered: destination.texts.map((text) => Number(text.split(' ')[0])).sort((a, b) => a - b) };
}

describe.each([
  ['that do not fit into memory', 65_536],
  ['all of which fit into memory', 16 * MAX_BYTES],
])('at spool.maxBytes, with records %s', (_, maxBufferBytes) => {
  it('"drop-newest" refuses new records', async () => {
    const { accepted, delivered } = await overfill('drop-newest', maxBufferBytes);
    expect(accepted).toHaveLength(delivered.length);
    expect(delivered).toEqual([...delivered.keys()]);
  });

  it('"drop-oldest" drops the oldest', async () => {
    const { accepted, delivered } = await overfill('drop-oldest', maxBufferBytes);
    expect(accepted).toHaveLength(4000);
    // Those in memory, or in flight, may be older.
    expect(delivered.filter((n) => n >= 3200)).toHaveLength(800);
  });
});
