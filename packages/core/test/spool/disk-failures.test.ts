import { basename, dirname } from 'node:path';
import { expect, it } from 'vitest';
import { assertBalanced, type DeliveryReport } from '../../src/index.js';
import { diskError, SimulatedDisk, type SimulatedProcess } from '../support/simulated-disk.js';
import { away } from '../support/spool.js';

const TEXTS = ['first', 'second', 'third', 'fourth'];

/** A function that throws the first times that a condition holds. */
function failing(times: number, code: string): (isMeant: boolean) => void {
  let left = times;
  return (isMeant) => {
    if (isMeant && left-- > 0) throw diskError(code);
  };
}

/** Leaves a segment behind whose first two records were delivered. */
async function leaveHalf(disk: SimulatedDisk): Promise<void> {
  const dead = disk.start({ maxBatchEvents: 2 });
  let requests = 0;
  dead.destination.respond = () => void (requests++ > 0 && away());
  dead.accept(TEXTS);
  await disk.clock.advance(500);
  expect(dead.destination.texts).toEqual(['first', 'second']);
  dead.kill();
}

it('marks that cannot be read now are read later, so that nothing is delivered again', async () => {
  const disk = new SimulatedDisk();
  await leaveHalf(disk);
  const fail = failing(1, 'EMFILE');
  const next = disk.start({}, {}, (files) => ({
    readAll: (path) => {
      fail(true);
      return files.readAll(path);
    },
  }));
  await disk.clock.advance(1000);
  expect(next.destination.texts).toEqual([]);
  expect(next.told).toEqual([expect.stringContaining('raise the limit of open files')]);
  await disk.clock.advance(60_000);
  expect(next.destination.texts).toEqual(['third', 'fourth']);
  expect(disk.files.paths()).toEqual([]);
});

it('a directory that cannot be listed now is not taken for an empty one', async () => {
  const disk = new SimulatedDisk();
  await leaveHalf(disk);
  // The first list of its own directories is that behind the adoption.
  const fail = failing(1, 'EMFILE');
  const next = disk.start({}, {}, (files) => ({
    list: (path) => {
      fail(basename(path).startsWith(`${process.pid}-`));
      return files.list(path);
    },
  }));
  await disk.clock.advance(60_000);
  expect(next.told).toEqual([expect.stringContaining('raise the limit of open files')]);
  expect(next.destination.texts).toEqual(['third', 'fourth']);
});

it('a directory that cannot be listed is not adopted: it may have segments of another version', async () => {
  const disk = new SimulatedDisk();
  await leaveHalf(disk);
  const [segment = ''] = disk.files.paths('.v1');
  const before = disk.start();
  before.kill();
  const files = disk.files.seenBy({ isDead: false });
  files.rename(dirname(segment), `${dirname(dirname(segment))}/free-000000000000`);
  const [left = ''] = disk.files.paths('.v1');
  files.rename(left, left.replace(/v1$/, 'v2'));
  const paths = disk.files.paths();
  const fail = failing(1, 'EMFILE');
  const next = disk.start({}, {}, (seen) => ({
    list: (path) => {
      fail(basename(path).startsWith('free-') && next !== undefined);
      return seen.list(path);
    },
  }));
  await disk.clock.advance(60_000);
  expect(disk.files.paths()).toEqual(paths);
  expect(next.told).toEqual([expect.stringContaining('another version of the format')]);
});

it('marks stay while it is not known that their segment is gone', async () => {
  const disk = new SimulatedDisk();
  await leaveHalf(disk);
  let isSick = true;
  const next = disk.start({}, {}, (files) => ({
    stat: (path) => {
      if (isSick && path.endsWith('.v1')) throw diskError('EIO');
      return files.stat(path);
    },
  }));
  await disk.clock.advance(1000);
  isSick = false;
  await disk.clock.advance(60_000);
  expect(next.destination.texts).toEqual(['third', 'fourth']);
});

it('a segment that cannot be removed is not delivered again', async () => {
  const disk = new SimulatedDisk();
  await leaveHalf(disk);
  const first = disk.start({}, {}, () => ({
    remove: () => {
      throw diskError('EACCES');
    },
  }));
  await disk.clock.advance(1000);
  expect(first.destination.texts).toEqual(['third', 'fourth']);
  first.kill();
  expect(disk.files.paths('.v1')).toHaveLength(1);
  const next = disk.start();
  await disk.clock.advance(60_000);
  expect(next.destination.texts).toEqual([]);
  expect(disk.files.paths()).toEqual([]);
});

it('a disk that is full when a segment begins is left without remains', async () => {
  const disk = new SimulatedDisk();
  const { shipper, accept, told } = disk.start({}, {}, () => ({ write: () => 0 }));
  for (let n = 0; n < 20; n++) {
    accept([`text ${n}`]);
    await disk.clock.advance(35_000);
  }
  expect(disk.files.paths()).toEqual([]);
  expect(shipper.stats()).toMatchObject({ received: 20, delivered: 20 });
  expect(told[0]).toMatch(/cannot write to \/var\/spool: .*\(free space on its volume, or lower spool.maxBytes\)/);
});

it('records that cannot be read back now are read back later, and told of once', async () => {
  const disk = new SimulatedDisk();
  let isSick = true;
  const { shipper, destination, accept, told } = disk.start({ maxBufferBytes: 65_536 }, {}, (files) => ({
    read: (path, position, length) =>
      isSick ? Promise.reject(diskError('EMFILE')) : files.read(path, position, length),
  }));
  destination.respond = away;
  const texts = Array.from({ length: 1000 }, (_, n) => `text ${n} ${'x'.repeat(200)}`);
  accept(texts);
  expect(shipper.stats().spooled).toBeGreaterThan(500);
  destination.respond = () => {};
  await disk.clock.advance(50_000);
  assertBalanced(shipper.stats());
  expect(shipper.stats().dropped.undeliverable).toBe(0);
  expect(told).toEqual([expect.stringMatching(/cannot read .*\(raise the limit of open files\)/)]);
  isSick = false;
  await disk.clock.advance(60_000);
  expect(shipper.stats()).toMatchObject({ received: 1000, delivered: 1000, spooled: 0 });
  expect(destination.texts.toSorted()).toEqual(texts.toSorted());
});

it('a segment that cannot be read does not keep those behind it, and its records are counted when they are too old', async () => {
  const disk = new SimulatedDisk();
  let bad: string | undefined;
  const { shipper, destination, accept } = disk.start({ maxBufferBytes: 65_536 }, { maxAgeMs: 600_000 }, (files) => ({
    read: (path, position, length) => {
      bad ??= path;
      return path === bad ? Promise.reject(diskError('EIO')) : files.read(path, position, length);
    },
  }));
  destination.respond = away;
  accept(Array.from({ length: 2000 }, (_, n) => `text ${n} ${'x'.repeat(200)}`));
  destination.respond = () => {};
  await disk.clock.advance(120_000);
  const { spooled, delivered } = shipper.stats();
  expect(spooled).toBeGreaterThan(0);
  expect(spooled + delivered).toBe(2000);
  expect(delivered).toBeGreaterThan(1500);
  await disk.clock.advance(600_000);
  expect(shipper.stats()).toMatchObject({ spooled: 0, pending: 0, delivered, dropped: { undeliverable: spooled } });
});

/** A process whose first segment cannot be read back. */
function startWithBadSegment(disk: SimulatedDisk): SimulatedProcess {
  let bad: string | undefined;
  const process = disk.start({ maxBufferBytes: 65_536 }, {}, (files) => ({
    read: (path, position, length) => {
      bad ??= path;
      return path === bad ? Promise.reject(diskError('EIO')) : files.read(path, position, length);
    },
  }));
  process.destination.respond = away;
  process.accept(Array.from({ length: 2000 }, (_, n) => `text ${n} ${'x'.repeat(200)}`));
  process.destination.respond = () => {};
  return process;
}

it.each(['at once', 'after failures in a row'])(
  'flush() tries each segment, and does not wait for one that cannot be read: %s',
  async (when) => {
    const disk = new SimulatedDisk();
    const { shipper } = startWithBadSegment(disk);
    if (when !== 'at once') await disk.clock.advance(120_000);
    let report: DeliveryReport | undefined;
    void shipper.flush().then((ended) => {
      report = ended;
    });
    await disk.clock.advance(500);
    const { spooled, delivered } = shipper.stats();
    expect(report).toMatchObject({ spooled, delivered, pending: 0 });
    expect(delivered).toBeGreaterThan(1500);
    expect(spooled + delivered).toBe(2000);
  },
);

it('a segment that cannot be read is told once while others can, and tried less and less often', async () => {
  const disk = new SimulatedDisk();
  const { shipper, accept, told, destination } = startWithBadSegment(disk);
  for (let second = 0; second < 60; second++) {
    destination.respond = away;
    accept(Array.from({ length: 400 }, (_, n) => `later ${n} ${'x'.repeat(200)}`));
    await disk.clock.advance(20);
    destination.respond = () => {};
    await disk.clock.advance(1000);
  }
  expect(shipper.stats().delivered).toBeGreaterThan(20_000);
  expect(told).toEqual([expect.stringMatching(/cannot read .*EIO/)]);
});

it('records of a dead process that cannot be read do not keep those of this one', async () => {
  const disk = new SimulatedDisk();
  await leaveHalf(disk);
  const { shipper, destination, accept } = disk.start({ maxBufferBytes: 65_536 }, {}, (files) => {
    const own = new Set<string>();
    const looked = new Set<string>();
    return {
      create: (path) => {
        own.add(path);
        return files.create(path);
      },
      read: (path, position, length) => {
        // With the first look it can be read.
        if (!own.has(path) && looked.has(path)) return Promise.reject(diskError('EIO'));
        looked.add(path);
        return files.read(path, position, length);
      },
    };
  });
  destination.respond = away;
  await disk.clock.advance(5);
  const texts = Array.from({ length: 2000 }, (_, n) => `text ${n} ${'x'.repeat(200)}`);
  accept(texts);
  destination.respond = () => {};
  await disk.clock.advance(20_000);
  expect(destination.texts.filter((text) => text.startsWith('text'))).toHaveLength(2000);
  expect(shipper.stats()).toMatchObject({ recovered: 2, spooled: 2, delivered: 2000 });
  assertBalanced(shipper.stats());
});

it('a directory that was removed is made again at once, and told of once', async () => {
  const disk = new SimulatedDisk();
  const { shipper, destination, accept, told } = disk.start({}, { maxBytes: 1_048_576 });
  destination.respond = away;
  accept(['before']);
  disk.files.removeAll('/var/spool');
  accept(Array.from({ length: 100 }, (_, n) => `text ${n} ${'x'.repeat(1000)}`));
  accept(['after']);
  expect([...disk.files.find(/after|before/g)]).toEqual(['after']);
  await disk.clock.advance(10);
  expect(told).toEqual([expect.stringMatching(/\/var\/spool\/.* is gone: it was removed.*a new one takes its place/)]);
  destination.respond = () => {};
  await disk.clock.advance(5000);
  expect(shipper.stats()).toMatchObject({ received: 102, delivered: 102 });
});

it.each([
  ['EACCES', 'give this user the right to write there'],
  ['EROFS', 'mount its volume writable'],
  ['ENOSPC', 'free space on its volume'],
  ['EMFILE', 'raise the limit of open files'],
  ['ENOTDIR', 'a part of this path is a file'],
  ['EIO', 'check the disk'],
])(
  '%s is told once, with the path and the remedy, and records are on disk again when it is over',
  async (code, remedy) => {
    const disk = new SimulatedDisk();
    let isSick = true;
    const { shipper, destination, accept, told } = disk.start({}, {}, (files) => ({
      makeDirectory: (path) => {
        if (isSick) throw diskError(code);
        return files.makeDirectory(path);
      },
    }));
    destination.respond = away;
    for (let n = 0; n < 10; n++) {
      accept([`sick ${n}`]);
      await disk.clock.advance(1500);
    }
    expect(told).toEqual([expect.stringMatching(`cannot write to /var/spool: ${code}.*\\(${remedy}`)]);
    isSick = false;
    await disk.clock.advance(30_000);
    accept(['well']);
    expect([...disk.files.find(/sick|well/g)]).toEqual(['well']);
    destination.respond = () => {};
    await disk.clock.advance(5000);
    expect(shipper.stats()).toMatchObject({ received: 11, delivered: 11 });
  },
);
