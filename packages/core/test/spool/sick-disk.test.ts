import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { full } from '../../../../forms.js';
import { assertBalanced, type DeliveryReport, type DeliveryStats } from '../../src/index.js';
import { startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

const CHILD = fileURLToPath(new URL('../children/sick-disk.mjs', import.meta.url));

/** Its mounts are seen by nobody else, and end with it. */
const ALONE = ['unshare', '--mount'];
const canMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

interface Result {
  readonly accepted: number;
  readonly longestCallMs: number;
  readonly before: DeliveryStats;
  readonly during: DeliveryStats;
  readonly after: DeliveryReport;
  /** When the disk was well again. */
  readonly again?: DeliveryStats;
  readonly end: DeliveryReport;
  readonly missing: number;
  readonly told: readonly string[];
}

/** Runs the child; `shell` comes before it. */
function run(trouble: string, directory: string, shell: string, alone = false): Result {
  const waits = full ? ['waits'] : [];
  const [command = '', ...args] = [
    ...(alone ? ALONE : []),
    'bash',
    '-c',
    `${shell} exec "$0" "$@"`,
    process.execPath,
    CHILD,
    directory,
    trouble,
    ...waits,
  ];
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** The application goes on, and all of its records are delivered. */
function check(result: Result, directory: string, told: RegExp): void {
  const { accepted, longestCallMs, before, during, after, again, end, missing } = result;
  for (const each of [before, during, after, end]) assertBalanced(each);
  expect(during).toMatchObject({ received: 4100, pending: 4100, spooled: 0 });
  expect(after).toMatchObject({ received: 4100, delivered: 4100 });
  expect(end).toMatchObject({ received: accepted, delivered: accepted, pending: 0, spooled: 0 });
  expect(missing).toBe(0);
  expect(longestCallMs).toBeLessThan(1000);
  expect(result.told).toEqual([expect.stringMatching(told)]);
  expect(result.told[0]).toContain(directory);
  if (!full) return;
  expect(again?.spool.segments).toBeGreaterThan(0);
}

describe('a process whose disk fails goes on, tells it once with the path and the remedy, and delivers all records', () => {
  it('a file may not grow', () => {
    const directory = temporaryDirectory();
    check(run('full', directory, 'ulimit -f 200;'), directory, /cannot write to .*free space on its volume/);
  });

  it.runIf(canMount)('a disk of 2 MiB is full', () => {
    const directory = temporaryDirectory();
    const mount = `mount -t tmpfs -o size=2m tmpfs ${directory};`;
    check(
      run('full', directory, mount, true),
      directory,
      /cannot write to .*(bytes could be written|ENOSPC.*) \(free space on its volume/,
    );
  });

  it.runIf(canMount)('a volume is read-only', () => {
    const directory = temporaryDirectory();
    const mount = `mount -t tmpfs -o ro tmpfs ${directory};`;
    check(run('read-only', directory, mount, true), directory, /cannot write to .*EROFS.*mount its volume writable/);
  });

  it('the process has no descriptor left', () => {
    const directory = temporaryDirectory();
    check(
      run('no descriptors', directory, 'ulimit -n 60;'),
      directory,
      /cannot write to .*EMFILE.*raise the limit of open files/,
    );
  });

  it('the directory is removed', () => {
    const directory = temporaryDirectory();
    check(run('removed', directory, ''), directory, /is gone: it was removed, .* a new one takes its place/);
  });
});

it('a directory that is a file is told with the remedy', async () => {
  const directory = join(temporaryDirectory(), 'file');
  writeFileSync(directory, '');
  const told: string[] = [];
  const { shipper, destination } = startSpooled({ directory }, { onError: ({ message }) => void told.push(message) });
  expect(shipper.accept(textRecord('kept in memory'))).toBe(true);
  expect(await shipper.close()).toMatchObject({ delivered: 1, spooled: 0 });
  expect(destination.texts).toEqual(['kept in memory']);
  expect(told).toEqual([expect.stringMatching(/file: ENOTDIR.*a part of this path is a file/)]);
});
