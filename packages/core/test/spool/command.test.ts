import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { directoryOf, thisOwner } from '../../src/spool/owner.js';
import { away, filesIn, leaveOnDisk, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

const BIN = fileURLToPath(new URL('../../bin/logferry-spool.js', import.meta.url));

/** Runs the command in a process of its own. */
function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], (failure, out, error) =>
      resolve({ code: Number(failure?.code ?? 0), out, error }),
    );
  });
}

/** All names and contents below a directory. */
function contentOf(directory: string): unknown {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) =>
      statSync(join(directory, name)).isFile() ? [name, readFileSync(join(directory, name), 'base64')] : name,
    );
}

it('lists destination, owner and records, and changes nothing', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two']);
  const before = contentOf(directory);
  const { code, out, error } = await run(directory);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  expect(out).toMatch(
    /^memory-[0-9a-f]{12}\n {2}memory\n {2}nobody: 2 records left\n {4}00000001-[0-9a-f]{8}\.v1: \d+ bytes, 2 of 2 records left, the oldest of 20/,
  );
  expect(contentOf(directory)).toEqual(before);
});

it('--print writes what is left as lines of JSON', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two']);
  const { code, out } = await run('--print', directory);
  expect(code).toBe(0);
  const records = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records).toMatchObject([
    { sent: true, urgent: false, events: [{ route: 'memory', payload: 'one' }] },
    { sent: true, urgent: false, events: [{ route: 'memory', payload: 'two' }] },
  ]);
});

it('shows a living owner, and --recover leaves its directory alone', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory });
  destination.respond = away;
  shipper.accept(textRecord('kept'));
  const before = filesIn(directory);
  expect((await run(directory)).out).toContain(`process ${process.pid}, alive: 1 record left`);
  const { code, error } = await run('--recover', directory);
  expect(code).toBe(3);
  expect(error).toContain(`is left alone: process ${process.pid}, alive`);
  expect(filesIn(directory)).toEqual(before);
});

it('--recover takes damage away, and keeps the records', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two', 'three']);
  const [path = ''] = filesIn(directory);
  renameSync(dirname(path), join(dirname(dirname(path)), directoryOf({ ...thisOwner(), pid: 2 ** 22 + 1 })));
  const [moved = ''] = filesIn(directory);
  const bytes = readFileSync(moved);
  const at = bytes.indexOf('two');
  bytes[at] = 0;
  writeFileSync(moved, Buffer.concat([bytes, Buffer.from('torn')]));
  expect(await run(directory)).toMatchObject({ code: 1, out: expect.stringContaining('2 of 2 records left') });
  expect(await run('--recover', directory)).toMatchObject({
    code: 0,
    out: expect.stringContaining('2 damaged records taken away'),
  });
  expect(filesIn(directory, '.bad')).toHaveLength(2);
  expect(await run(directory)).toMatchObject({ code: 0, out: expect.stringContaining('nobody: 2 records left') });
  expect(basename(filesIn(directory)[0] as string)).toBe(basename(moved));
  const { destination, shipper } = startSpooled({ directory });
  await expect.poll(() => destination.texts).toEqual(['one', 'three']);
  expect(shipper.stats().spool.damaged).toBe(0);
});

it.each([
  [[], 2, 'expected one directory'],
  [['/a', '/b'], 2, 'expected one directory'],
  [['--print', '--recover', '/a'], 2, 'and not both'],
  [['--prnt', '/a'], 2, "Unknown option '--prnt'"],
  [['/does/not/exist'], 2, 'cannot read /does/not/exist: ENOENT'],
])('refuses %j', async (args, code, message) => {
  expect(await run(...args)).toMatchObject({ code, error: expect.stringContaining(message) });
});

it('--help explains the exit codes', async () => {
  expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit code: 0 all is well') });
});
