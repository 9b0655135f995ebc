import { expect, it } from 'vitest';
import type { SpoolFiles } from '../../src/spool/files.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { SimulatedFiles } from '../support/simulated-files.js';
import { away, startSpooled, textRecord } from '../support/spool.js';

const NOTHING = { keptPercent: 0, isZeroFilled: false };
const SPOOL = { directory: '/var/spool' };
/** One digit: the byte that follows a payload on disk may be another. */
const TEXT = /text \d/g;

function simulate() {
  const files = new SimulatedFiles((callback) => setImmediate(callback));
  const process = { isDead: false };
  return { files, seen: files.seenBy(process) };
}

it('with fsync "record" a record is on the medium when it is accepted, and so are the names that lead to it', () => {
  const { files, seen } = simulate();
  const { shipper } = startSpooled({ ...SPOOL, fsync: 'record' }, { maxDelayMs: 60_000 }, { files: seen });
  shipper.accept(textRecord('text 1'));
  shipper.together(() => {
    for (const text of ['text 2', 'text 3']) shipper.accept(textRecord(text));
  });
  expect([...files.find(TEXT, true)]).toEqual(['text 1', 'text 2', 'text 3']);
  files.losePower(NOTHING);
  expect([...files.find(TEXT)]).toEqual(['text 1', 'text 2', 'text 3']);
});

it('with fsync "batch" a request waits for the medium, also if that is being written already', async () => {
  const clock = new VirtualClock();
  const { files, seen } = simulate();
  let isHeld = Promise.resolve();
  let release = (): void => {};
  const slow: SpoolFiles = { ...seen, sync: (file) => isHeld.then(() => seen.sync(file)) };
  const { shipper, destination } = startSpooled(
    { ...SPOOL, fsync: 'batch' },
    { maxBatchEvents: 2, maxDelayMs: 100 },
    { files: slow, clock },
  );
  // Batches that share a millisecond are not in flight together.
  const accept = (n: number): boolean => shipper.accept({ ...textRecord(`text ${n}`), time: clock.now() + n });
  accept(1);
  await clock.advance(200);
  expect(destination.texts).toEqual(['text 1']);
  isHeld = new Promise((resolve) => {
    release = resolve;
  });
  for (let n = 2; n <= 4; n++) accept(n);
  await clock.advance(200);
  expect(destination.texts).toEqual(['text 1']);
  release();
  await clock.advance(1);
  expect(destination.texts.toSorted()).toEqual(['text 1', 'text 2', 'text 3', 'text 4']);
  const closing = shipper.close();
  await clock.advance(5000);
  await closing;
  expect(files.paths()).toEqual([]);
});

it.each(['sync', 'syncDirectory'] as const)(
  'what could not be put on the medium is put there the next time (%s)',
  async (call) => {
    const { files, seen } = simulate();
    const { shipper, destination } = startSpooled(
      { ...SPOOL, fsync: 'batch' },
      { retry: { baseMs: 60_000, capMs: 60_000 } },
      { files: seen },
    );
    destination.respond = away;
    files.faults.push({ call, after: 0, times: 1, code: 'EIO' });
    shipper.accept(textRecord('text 1'));
    await expect.poll(() => files.failed.get('EIO')).toBe(1);
    await shipper.close({ timeoutMs: 0 });
    files.losePower(NOTHING);
    expect([...files.find(TEXT)]).toEqual(['text 1']);
  },
);
