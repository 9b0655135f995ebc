import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { full } from '../../../../forms.js';
import { assertBalanced, type DeliveryError, type DeliveryStats } from '../../src/index.js';
import { FrameWriter } from '../../src/spool/frame.js';
import { markEntry, readMarks } from '../../src/spool/marks.js';
import { scan } from '../../src/spool/scan.js';
import { parseHeader, parseName } from '../../src/spool/segment.js';
import { away, filesIn, leaveOnDisk, OnDisk, startSpooled, temporaryDirectory } from '../support/spool.js';

const TEXTS = ['the first', 'the second', 'the third'];
const DEAD = 'free-000000000000';

/** A segment with three records that nobody owns. */
async function threeRecords(): Promise<{ directory: string; path: string; bytes: Buffer; starts: number[] }> {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, TEXTS);
  const [path = ''] = filesIn(directory);
  const bytes = readFileSync(path);
  const { frames } = scan(bytes, parseHeader(bytes)?.length ?? 0, parseName(basename(path))?.mark ?? 0);
  return { directory, path, bytes, starts: [...frames.map(({ start }) => start), bytes.length] };
}

/** Recovers a directory, and reports what was delivered. */
async function recover(
  directory: string,
  identity?: string,
): Promise<{ texts: string[]; stats: DeliveryStats; told: string[] }> {
  const told: string[] = [];
  const onError = ({ message }: DeliveryError): void => void told.push(message);
  const { shipper, destination } = startSpooled({ directory }, { onError }, { destination: new OnDisk(identity) });
  shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'new', fields: {} });
  await shipper.flush();
  await shipper.close();
  const stats = shipper.stats();
  assertBalanced(stats);
  expect(stats).toMatchObject({ spooled: 0, pending: 0, delivered: stats.recovered + 1 });
  return { texts: destination.texts.filter((text) => text !== 'new'), stats, told };
}

/** The records that a change of a byte leaves undamaged. */
function undamaged(starts: readonly number[], at: number): string[] {
  return TEXTS.filter((_, index) => at < (starts[index] as number) || at >= (starts[index + 1] as number));
}

describe('a segment of three records', () => {
  it('truncated at any byte, loses the records that were cut', async () => {
    const { directory, path, bytes, starts } = await threeRecords();
    const steps = full
      ? [...bytes.keys()]
      : [0, 7, 40, ...starts.slice(0, 3).flatMap((start) => [start, start + 1, start + 30])];
    for (const size of steps) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes.subarray(0, size));
      const { texts, stats } = await recover(directory);
      const whole = TEXTS.filter((_, index) => size >= (starts[index + 1] as number));
      expect(texts, `${size} bytes`).toEqual(whole);
      const isCut = size > 0 && !starts.includes(size);
      expect(stats.spool.damaged, `${size} bytes`).toBe(isCut ? 1 : 0);
      rmSync(directory, { recursive: true });
    }
  });

  it('with any byte changed, loses at most the record of this byte, and counts it', async () => {
    const { directory, path, bytes, starts } = await threeRecords();
    const steps = full
      ? [...bytes.keys()]
      : [0, 9, 14, 40, ...starts.slice(0, 3).flatMap((start) => [start, start + 5, start + 9, start + 13, start + 40])];
    for (const at of steps) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 0x55;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, changed);
      const { texts, stats } = await recover(directory);
      expect(texts, `byte ${at}`).toEqual(undamaged(starts, at));
      expect(stats.spool.damaged, `byte ${at}`).toBe(at < (starts[0] as number) ? 0 : 1);
      rmSync(directory, { recursive: true });
    }
  });

  it('is found in whole behind any damage, by the scanner', async () => {
    const { bytes, path, starts } = await threeRecords();
    const mark = parseName(basename(path))?.mark ?? 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0xff, (bytes[at] as number) ^ 1]) {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        const { frames } = scan(changed, 0, mark);
        const lost = 3 - frames.length;
        expect(lost, `byte ${at}`).toBeLessThanOrEqual(at < (starts[0] as number) ? 0 : 1);
      }
    }
  });

  it('with a garbage tail, loses nothing, and keeps the garbage', async () => {
    const { directory, path, bytes } = await threeRecords();
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('garbage'.repeat(20))]));
    const { texts, stats, told } = await recover(directory);
    expect(texts).toEqual(TEXTS);
    expect(stats.spool.damaged).toBe(1);
    expect(told).toEqual([expect.stringMatching(/^spool: .* had a damaged record .*in the directory quarantine/)]);
    const [kept = ''] = filesIn(directory, '.bad');
    expect(readFileSync(kept, 'utf8')).toBe('garbage'.repeat(20));
    expect(statSync(kept).mode & 0o777).toBe(0o600);
  });

  it('copied under another name, is delivered once', async () => {
    const { directory, path } = await threeRecords();
    copyFileSync(path, path.replace('00000001-', '00000002-'));
    const { texts, stats, told } = await recover(directory);
    expect(texts).toEqual(TEXTS);
    expect(stats.spool.damaged).toBe(1);
    expect(told).toEqual([expect.stringContaining('it is a copy of another segment')]);
  });

  it('is delivered although its neighbour is missing, or is empty', async () => {
    const { directory, path } = await threeRecords();
    renameSync(path, path.replace('00000001-', '00000007-'));
    writeFileSync(path, '');
    expect(await recover(directory)).toMatchObject({ texts: TEXTS, told: [] });
  });

  it('of another spool is left alone, and named', async () => {
    const { directory, path } = await threeRecords();
    const other = temporaryDirectory();
    await leaveOnDisk({ directory: other }, ['foreign'], new OnDisk('another'));
    const [foreign = ''] = filesIn(other);
    copyFileSync(foreign, join(dirname(path), basename(foreign)));
    const { texts, told } = await recover(directory);
    expect(texts).toEqual(TEXTS);
    expect(told).toEqual([expect.stringContaining('it belongs to another spool')]);
    expect(filesIn(directory)).toHaveLength(1);
    expect(readFileSync(filesIn(directory)[0] as string)).toEqual(readFileSync(foreign));
  });

  it('of another version is left alone with its directory, and named once', async () => {
    const { directory, path } = await threeRecords();
    const later = path.replace(/v1$/, 'v2');
    renameSync(path, later);
    const before = readFileSync(later);
    const { stats, told } = await recover(directory);
    expect(stats.recovered).toBe(0);
    expect(told).toEqual([expect.stringContaining(later)]);
    expect(readFileSync(later)).toEqual(before);
  });

  it('with damaged marks, is delivered once more', async () => {
    const { directory, path } = await threeRecords();
    writeFileSync(`${path}.marks`, Buffer.from('no marks at all, but long enough'));
    expect((await recover(directory)).texts).toEqual(TEXTS);
    expect(
      readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.v1')),
    ).toEqual([]);
  });
});

it('a directory of another destination is left alone, and named once', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, TEXTS);
  const { stats, told } = await recover(directory, 'another');
  expect(stats.recovered).toBe(0);
  expect(told).toEqual([expect.stringContaining('records of another destination')]);
  expect((await recover(directory)).texts).toEqual(TEXTS);
});

it('directories of two destinations that the same process delivers are not named', async () => {
  const directory = temporaryDirectory();
  const identities = ['one', 'another'];
  for (const identity of identities) await leaveOnDisk({ directory }, TEXTS, new OnDisk(identity));
  const recovered = await Promise.all(identities.map((identity) => recover(directory, identity)));
  for (const { texts, told } of recovered) expect({ texts, told }).toEqual({ texts: TEXTS, told: [] });
});

/** The bytes of a frame that a text can hold: with a mark that was guessed, and no byte above 0x7f, so that UTF-8 leaves them as they are. */
function forge(mark: number): string {
  for (let acceptedAt = 0; ; acceptedAt++) {
    const frames = new FrameWriter();
    frames.add(
      { acceptedAt, urgent: false, events: [{ route: 'memory', time: 0, payload: 'forged', bytes: 6 }] },
      mark,
      1,
    );
    const bytes = frames.buffer.subarray(0, frames.length);
    if (bytes.every((byte) => byte < 0x80)) return Buffer.from(bytes).toString('latin1');
  }
}

it('a text that holds the bytes of a frame is one record, and none if that is damaged', async () => {
  const directory = temporaryDirectory();
  const text = `before ${forge(0x0102_0304)} after`;
  await leaveOnDisk({ directory }, [text, 'next']);
  const [path = ''] = filesIn(directory);
  const bytes = readFileSync(path);
  const start = parseHeader(bytes)?.length ?? 0;
  expect(bytes.includes(forge(0x0102_0304))).toBe(true);
  const damaged = Buffer.from(bytes);
  damaged.writeUInt32LE(30, start + 8);
  expect((await recover(directory)).texts).toEqual([text, 'next']);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, damaged);
  const { texts, stats } = await recover(directory);
  expect(texts).toEqual(['next']);
  expect(stats.spool.damaged).toBe(1);
});

it.each([0, 1, 27, 29, 1_000_000, 0x7fff_ffff, 0xffff_ffff])(
  'a frame that states a length of %d is damaged, and no other is',
  async (length) => {
    const { directory, path, bytes, starts } = await threeRecords();
    const changed = Buffer.from(bytes);
    changed.writeUInt32LE(length, (starts[1] as number) + 8);
    writeFileSync(path, changed);
    const { texts, stats } = await recover(directory);
    expect(texts).toEqual(['the first', 'the third']);
    expect(stats.spool.damaged).toBe(1);
  },
);

it('marks with any byte changed, or truncated at any byte, settle no record that is not settled', () => {
  const mark = 0x89ab_cdef;
  const bytes = Buffer.concat([
    markEntry('sent', [0, 1, 2, 9], mark),
    markEntry('settled', [0, 2], mark),
    markEntry('settled', [9], mark),
  ]);
  const settledIn = (changed: Buffer): number[] => {
    const { settled } = readMarks(changed, mark);
    return Array.from({ length: 100 }, (_, number) => number).filter((number) => settled.has(number));
  };
  expect(settledIn(bytes)).toEqual([0, 2, 9]);
  for (let at = 0; at < bytes.length; at++) {
    expect([0, 2, 9]).toEqual(expect.arrayContaining(settledIn(bytes.subarray(0, at))));
    for (let bit = 1; bit < 256; bit *= 2) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ bit;
      const settled = settledIn(changed);
      expect([0, 2, 9], `byte ${at}`).toEqual(expect.arrayContaining(settled));
      // One entry is lost at most.
      expect(settled.length, `byte ${at}`).toBeGreaterThan(0);
    }
  }
});

describe('the quarantine', () => {
  async function damage(): Promise<{ directory: string; quarantine: string }> {
    const { directory, path, bytes, starts } = await threeRecords();
    const changed = Buffer.from(bytes);
    changed[(starts[1] as number) + 30] = 0;
    changed[(starts[1] as number) + 31] = 0xff;
    writeFileSync(path, changed);
    return { directory, quarantine: join(dirname(dirname(path)), 'quarantine') };
  }

  it('keeps the bytes of a record once, however often they are found', async () => {
    const { directory, quarantine } = await damage();
    const sizes: number[] = [];
    for (let start = 0; start < 3; start++) {
      const destination = new OnDisk();
      destination.respond = away;
      const { shipper } = startSpooled({ directory }, {}, { destination });
      await expect.poll(() => shipper.stats().recovered).toBe(2);
      await shipper.close({ timeoutMs: 0 });
      sizes.push(readdirSync(quarantine).reduce((sum, name) => sum + statSync(join(quarantine, name)).size, 0));
    }
    expect(sizes[0]).toBeGreaterThan(50);
    expect(new Set(sizes).size).toBe(1);
  });

  it('keeps no more than 8 MiB', async () => {
    const { directory, quarantine } = await damage();
    mkdirSync(quarantine);
    writeFileSync(join(quarantine, 'older.bad'), '');
    truncateSync(join(quarantine, 'older.bad'), 8 * 1024 * 1024 - 10);
    const { texts, stats } = await recover(directory);
    expect(texts).toEqual(['the first', 'the third']);
    expect(stats.spool.damaged).toBe(1);
    expect(readdirSync(quarantine)).toEqual(['older.bad']);
  });
});

it('a directory without a segment is removed', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one']);
  const [path = ''] = filesIn(directory);
  mkdirSync(join(dirname(dirname(path)), DEAD));
  expect((await recover(directory)).texts).toEqual(['one']);
  expect(readdirSync(dirname(dirname(path)))).toEqual([]);
});
