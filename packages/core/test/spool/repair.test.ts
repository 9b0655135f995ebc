import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeFiles, type SpoolFiles } from '../../src/spool/files.js';
import { Repair, type Repaired } from '../../src/spool/repair.js';
import { ForeignSegments, segmentsAmong } from '../../src/spool/segment-reader.js';
import { away, filesIn, leaveOnDisk, OnDisk, startSpooled, temporaryDirectory } from '../support/spool.js';

/** A directory with one segment of two records, the first of which is damaged. */
async function damaged(): Promise<{ directory: string; path: string }> {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two']);
  const [path = ''] = filesIn(directory);
  const bytes = readFileSync(path);
  bytes[bytes.indexOf('one')] = 0;
  writeFileSync(path, bytes);
  return { directory, path };
}

function repair(path: string, files: SpoolFiles): Promise<Repaired> {
  const keyDirectory = dirname(dirname(path));
  const [name] = segmentsAmong([basename(path)]);
  if (!name) throw new Error('no segment');
  return new Repair(keyDirectory, files).segment(dirname(path), name, new ForeignSegments(keyDirectory));
}

it('a disk that takes a part only costs no record', async () => {
  const { path } = await damaged();
  const before = readFileSync(path);
  const { content, failure } = await repair(path, {
    ...nodeFiles,
    write: (file, bytes, length, position) => nodeFiles.write(file, bytes, length >> 1, position),
  });
  expect(failure).toMatchObject({ code: 'ENOSPC' });
  expect(content?.left).toHaveLength(1);
  expect(readFileSync(path)).toEqual(before);
  expect(readdirSync(dirname(path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  // The damaged bytes are kept once.
  const after = await repair(path, nodeFiles);
  expect(after).toMatchObject({ failure: undefined, damagedRecords: 1 });
  expect(filesIn(dirname(dirname(path)), '.bad')).toHaveLength(1);
  expect((await repair(path, nodeFiles)).damagedBytes).toBe(0);
});

it('damage is counted by the first process that finds it, and not by the next', async () => {
  const { directory } = await damaged();
  for (const count of [1, 0]) {
    const { shipper, destination } = startSpooled({ directory });
    destination.respond = away;
    await expect.poll(() => shipper.stats().recovered).toBe(1);
    expect(shipper.stats().spool.damaged).toBe(count);
    await shipper.close({ timeoutMs: 0 });
  }
});

it('a file that is none of a spool keeps no directory from being removed', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one']);
  const [path = ''] = filesIn(directory);
  writeFileSync(join(dirname(path), 'notes.txt'), 'notes');
  const { shipper } = startSpooled({ directory }, { onError: () => {} });
  await expect.poll(() => shipper.stats().delivered).toBe(1);
  await shipper.close();
  expect(readdirSync(dirname(dirname(path)))).toEqual(['quarantine']);
});

it('no name of a destination leads out of the directory', async () => {
  const directory = temporaryDirectory();
  const destination = Object.assign(new OnDisk(), { name: '../../a b' });
  await leaveOnDisk({ directory: join(directory, 'spool') }, ['one'], destination);
  expect(readdirSync(directory)).toEqual(['spool']);
  expect(readdirSync(join(directory, 'spool'))).toEqual([expect.stringMatching(/^\.\._\.\._a_b-[0-9a-f]{12}$/)]);
});
