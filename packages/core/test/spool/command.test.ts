import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { full } from '../../../../forms.js';
import { directoryOf, thisOwner } from '../../src/spool/owner.js';
import { away, filesIn, leaveOnDisk, OnDisk, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

const BIN = fileURLToPath(new URL('../children/spool-command.mjs', import.meta.url));
const WRITER = fileURLToPath(new URL('../children/write.mjs', import.meta.url));
const DEAD = { ...thisOwner(), pid: 2 ** 22 + 1 };

/** Runs the command in a process of its own. */
function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { maxBuffer: 2 ** 30 }, (failure, out, error) =>
      resolve({ code: Number(failure?.code ?? 0), out, error }),
    );
  });
}

function parseLines(out: string): { events: { payload: string }[] }[] {
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** All names and contents below a directory. */
function contentOf(directory: string): unknown {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) =>
      statSync(join(directory, name)).isFile() ? [name, readFileSync(join(directory, name), 'base64')] : name,
    );
}

/** Changes a segment. Returns its path. */
function change(directory: string, to: (bytes: Buffer) => Uint8Array): string {
  const [path = ''] = filesIn(directory);
  writeFileSync(path, to(readFileSync(path)));
  return path;
}

it('lists destination, owner, segments and records, and changes nothing', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two']);
  const before = contentOf(directory);
  const { code, out, error } = await run(directory);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  const [destination, owner, segment, all, ...others] = out.split('\n');
  expect(destination).toMatch(/^memory-[0-9a-f]{12} \(memory\)$/);
  expect(owner).toMatch(/^ {2}nobody: 2 records left, 0 settled, \d+ bytes$/);
  expect(segment).toMatch(
    /^ {4}00000001-[0-9a-f]{8}\.v1: 2 records left, 0 settled, \d+ bytes, accepted 20\S+Z to 20\S+Z, the oldest \d+ s ago$/,
  );
  expect(all).toMatch(/^in all: 2 records left, 0 settled, \d+ bytes$/);
  expect(others).toEqual(['']);
  expect(contentOf(directory)).toEqual(before);
});

it('shows how many records were delivered before the end', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory }, { maxBatchEvents: 1 });
  destination.respond = ({ events }) => {
    if (events[0]?.payload !== 'first') away();
  };
  for (const text of ['first', 'second', 'third']) shipper.accept(textRecord(text));
  await expect.poll(() => shipper.stats().delivered).toBe(1);
  await shipper.close({ timeoutMs: 0 });
  expect((await run(directory)).out).toContain('in all: 2 records left, 1 settled');
  expect(parseLines((await run('--print', directory)).out).map(({ events }) => events[0]?.payload)).toEqual([
    'second',
    'third',
  ]);
});

it('names a directory that holds no spool', async () => {
  const { code, error } = await run(temporaryDirectory());
  expect(code).toBe(0);
  expect(error).toContain('holds no spool');
});

it('--print writes what is left as lines of JSON', async () => {
  const directory = temporaryDirectory();
  const before = Date.now();
  await leaveOnDisk({ directory }, ['one', 'two']);
  const { code, out } = await run('--print', directory);
  expect(code).toBe(0);
  const event = { route: 'memory', time: expect.closeTo(before, -4) };
  const record = {
    destination: 'memory',
    acceptedAt: expect.stringMatching(/^20.*Z$/),
    urgent: false,
    sent: true,
  };
  expect(parseLines(out)).toEqual([
    { ...record, events: [{ ...event, payload: 'one' }] },
    { ...record, events: [{ ...event, payload: 'two' }] },
  ]);
});

it('--print writes payloads that are bytes as base64', async () => {
  const directory = temporaryDirectory();
  const destination = new OnDisk();
  destination.form = 'mixed';
  await leaveOnDisk({ directory }, ['odd', 'even'], destination);
  const { code, out } = await run('--print', directory);
  expect(code).toBe(0);
  const { route, time } = { route: 'memory', time: expect.any(Number) };
  const payloadBase64 = Buffer.concat([Buffer.of(0xff), Buffer.from('odd'), Buffer.of(0x80)]).toString('base64');
  expect(parseLines(out).map(({ events }) => events)).toEqual([
    [{ route, time, payloadBase64 }],
    [{ route, time, payload: 'even' }],
  ]);
});

it('shows a living owner, and --recover leaves its directory alone', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory });
  destination.respond = away;
  shipper.accept(textRecord('kept'));
  const before = filesIn(directory);
  const owner = `process ${process.pid}, alive, heartbeat \\d+ s ago`;
  expect((await run(directory)).out).toMatch(new RegExp(`${owner}: 1 record left`));
  const { code, error } = await run('--recover', directory);
  expect(code).toBe(3);
  expect(error).toMatch(new RegExp(`is left alone: ${owner}`));
  expect(filesIn(directory)).toEqual(before);
});

it('a record that is half written is damage only when its owner is dead', async () => {
  const directory = temporaryDirectory();
  const { shipper, destination } = startSpooled({ directory });
  destination.respond = away;
  shipper.accept(textRecord('whole'));
  const path = change(directory, (bytes) => Buffer.concat([bytes, bytes.subarray(-40, -10)]));
  expect((await run(directory)).code).toBe(0);
  renameSync(dirname(path), join(dirname(dirname(path)), directoryOf(DEAD)));
  expect((await run(directory)).code).toBe(1);
});

it('shows no damage while a process writes', async () => {
  const directory = temporaryDirectory();
  const writer = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await once(writer.stdout, 'data');
  for (const args of [[], ['--print'], []]) {
    const { code, out, error } = await run(...args, directory);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).not.toContain('damaged');
  }
  writer.kill('SIGKILL');
  await once(writer, 'close');
  const { code, out } = await run('--print', directory);
  expect(code).toBe(0);
  const numbers = parseLines(out).map(({ events }) => Number.parseInt(events[0]?.payload ?? '', 10));
  expect(numbers).toEqual(Array.from(numbers, (_, n) => n));
});

it('--recover takes damage away, and keeps the records', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two', 'three']);
  const path = change(directory, (bytes) => {
    bytes[bytes.indexOf('two')] = 0;
    return Buffer.concat([bytes, Buffer.from('torn')]);
  });
  renameSync(dirname(path), join(dirname(dirname(path)), directoryOf(DEAD)));
  expect(await run(directory)).toMatchObject({ code: 1, out: expect.stringContaining('2 records left') });
  expect(await run('--recover', directory)).toMatchObject({
    code: 0,
    out: expect.stringContaining('damaged bytes of 2 records taken away'),
  });
  expect(filesIn(directory, '.bad')).toHaveLength(2);
  const { code, out } = await run(directory);
  expect(code).toBe(0);
  expect(out).toContain('nobody: 2 records left');
  expect(out).toContain('quarantine: 2 files');
  expect(await run('--recover', directory)).toEqual({ code: 0, out: '', error: '' });
  expect(basename(filesIn(directory)[0] as string)).toBe(basename(path));
  const { destination, shipper } = startSpooled({ directory });
  await expect.poll(() => destination.texts).toEqual(['one', 'three']);
  expect(shipper.stats().spool.damaged).toBe(0);
});

it('--recover takes a damaged header away with the record behind it, and the rest can be read', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two']);
  change(directory, (bytes) => bytes.fill(0, 8, bytes.indexOf('one') + 1));
  expect(await run('--recover', directory)).toMatchObject({ code: 0 });
  const { code, out } = await run('--print', directory);
  expect(code).toBe(0);
  expect(parseLines(out)).toMatchObject([
    { destination: expect.stringMatching(/^memory-/), events: [{ payload: 'two' }] },
  ]);
});

it('--recover takes foreign files away, and no segment of the destination', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one', 'two']);
  const [path = ''] = filesIn(directory);
  const other = temporaryDirectory();
  await leaveOnDisk({ directory: other }, ['wrong'], new OnDisk('other'));
  const [foreign = ''] = filesIn(other);
  renameSync(foreign, join(dirname(path), basename(foreign).replace('00000001', '00000000')));
  writeFileSync(path.replace('00000001', '00000002'), readFileSync(path));
  writeFileSync(join(dirname(path), 'notes.txt'), 'notes');
  expect(await run(directory)).toMatchObject({ code: 1, out: expect.stringContaining('it belongs to another spool') });
  const { code, out } = await run('--recover', directory);
  expect(code).toBe(0);
  expect(out.match(/: foreign: .*/g)).toEqual([
    ': foreign: it belongs to another spool: taken away',
    ': foreign: it is a copy of another segment: taken away',
    ': foreign: taken away',
  ]);
  expect(parseLines((await run('--print', directory)).out).map(({ events }) => events[0]?.payload)).toEqual([
    'one',
    'two',
  ]);
});

it('leaves a directory with another version of the format alone, and names it', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one']);
  const [path = ''] = filesIn(directory);
  writeFileSync(path.replace('.v1', '.v2'), 'of a later version');
  const before = contentOf(directory);
  expect(await run(directory)).toMatchObject({ code: 1, out: expect.stringContaining('it has version 2') });
  expect(await run('--recover', directory)).toMatchObject({ code: 1, error: expect.stringContaining('is left alone') });
  expect(contentOf(directory)).toEqual(before);
});

it.runIf(process.getuid?.() === 0)('--recover leaves the directories of another user alone', async () => {
  const directory = temporaryDirectory();
  await leaveOnDisk({ directory }, ['one']);
  const [path = ''] = filesIn(directory);
  chownSync(dirname(path), 1, 1);
  const { code, error } = await run('--recover', directory);
  expect(code).toBe(1);
  expect(error).toContain('run this as the user 1, who owns it');
  expect(filesIn(directory)).toEqual([path]);
});

it.runIf(full)(
  'holds no more than a segment in memory, however slow the reader is',
  async () => {
    const directory = temporaryDirectory();
    const text = 'x'.repeat(64 * 1024);
    await leaveOnDisk({ directory, maxBytes: 2 ** 29 }, Array<string>(4096).fill(text));
    const report = 'process.on("exit", () => process._rawDebug(process.resourceUsage().maxRSS))';
    const args = ['--import', `data:text/javascript,${report}`, BIN, '--print', directory];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const maxRss = once(child.stderr, 'data');
    // Long enough to read all.
    await setTimeout(2000);
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    const [kilobytes] = await maxRss;
    await once(child, 'close');
    expect(bytes).toBeGreaterThan(2 ** 28);
    expect(Number(kilobytes) / 1024).toBeLessThan(150);
  },
  60_000,
);

it('names a directory that cannot be read', async () => {
  expect(await run('/does/not/exist')).toEqual({
    code: 2,
    out: '',
    error: expect.stringContaining('/does/not/exist: ENOENT'),
  });
});
