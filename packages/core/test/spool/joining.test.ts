import { expect, it } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { away } from '../support/spool.js';

const HOUR_MS = 3_600_000;

it('flush() waits for records that are read back, also behind those of a dead process', async () => {
  const disk = new SimulatedDisk();
  for (let process = 0; process < 2; process++) {
    const dead = disk.start();
    dead.destination.respond = away;
    dead.accept(['dead'.padEnd(2000, '.')]);
    await disk.clock.advance(1000);
    dead.kill();
  }
  const { shipper, destination, accept } = disk.start({ maxBufferBytes: 65_536 }, { mode: 'spill' });
  const requests: { readonly texts: readonly string[]; readonly respond: () => void }[] = [];
  destination.respond = ({ events }) =>
    new Promise((respond) => {
      requests.push({ texts: events.map(({ payload }) => String(payload).replace(/\.+$/, '')), respond });
    });
  await disk.clock.advance(100);
  accept(['in memory'.padEnd(40_000, '.')]);
  // There is no room for it: it is on disk only.
  accept(['on disk'.padEnd(15_000, '.')]);
  await disk.clock.advance(100);
  const texts = (): readonly (readonly string[])[] => requests.map((request) => request.texts);
  expect(texts()).toEqual([['dead'], ['in memory']]);
  requests[1]?.respond();
  // It is read back, and waits behind the second of the dead.
  await disk.clock.advance(1000);
  let hasEnded = false;
  const flushed = shipper.flush().then(() => {
    hasEnded = true;
  });
  for (let answered = 0; answered < requests.length; answered++) {
    await disk.clock.advance(100);
    expect(hasEnded).toBe(destination.texts.some((text) => text.startsWith('on disk')));
    requests[answered]?.respond();
    await disk.clock.advance(100);
  }
  await flushed;
  expect(destination.texts).toHaveLength(4);
});

it('keeps a record on disk for its own age, whatever batch it has joined', async () => {
  const disk = new SimulatedDisk();
  const first = disk.start({ dropNotice: false }, { mode: 'spill' });
  first.destination.respond = away;
  for (const text of ['a', 'b', 'c', 'd', 'e']) {
    first.accept([text]);
    await disk.clock.advance(2000);
  }
  await disk.clock.advance(4 * HOUR_MS);
  first.accept(['four hours later']);
  const closed = first.shipper.close({ timeoutMs: 0 });
  await disk.clock.advance(100);
  expect(await closed).toMatchObject({ spooled: 6 });
  await disk.clock.advance(69 * HOUR_MS);
  const { destination } = disk.start();
  await disk.clock.advance(10_000);
  expect(destination.texts).toContain('four hours later');
});

it('counts a standstill to the age of records on disk', async () => {
  const disk = new SimulatedDisk();
  const first = disk.start({ dropNotice: false }, { mode: 'spill' });
  first.destination.respond = away;
  for (const text of ['a', 'b']) {
    first.accept([text]);
    await disk.clock.advance(2000);
  }
  await disk.clock.standStill(80 * HOUR_MS);
  await disk.clock.advance(100);
  const closed = first.shipper.close({ timeoutMs: 0 });
  await disk.clock.advance(100);
  expect(await closed).toMatchObject({ spooled: 2, dropped: { expired: 0 } });
  const { destination, shipper } = disk.start();
  await disk.clock.advance(10_000);
  expect(destination.texts).toEqual([]);
  expect(shipper.stats().dropped.expired).toBe(2);
});
