import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assertBalanced, type Clock, systemClock } from '../../src/index.js';
import { nodeFiles, type SpoolFiles } from '../../src/spool/files.js';
import { directoryOf, freeDirectory, isAlive, type Owner, ownerOf, thisOwner } from '../../src/spool/owner.js';
import { away, filesIn, leaveOnDisk, startSpooled, temporaryDirectory, textRecord } from '../support/spool.js';

const me = thisOwner();
const FRESH_MS = 1000;
const OLD_MS = 31_000;

/** Another process that lives until the test ends. */
async function otherProcess(): Promise<Owner> {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000); console.log(process.pid)']);
  onTestFinished(() => void child.kill());
  await once(child.stdout, 'data');
  const [, startedTicks = ''] = /\) (?:\S+ ){19}(\d+)/.exec(readFileSync(`/proc/${child.pid}/stat`, 'latin1')) ?? [];
  return { ...me, pid: child.pid ?? 0, startedTicks: Number(startedTicks), thread: 0 };
}

describe('the name of a directory', () => {
  it('tells its owner', () => {
    expect(ownerOf(directoryOf(me))).toEqual(me);
    expect(ownerOf(freeDirectory())).toBe('nobody');
    expect(directoryOf(me)).not.toBe(directoryOf(me));
  });

  it.each(['quarantine', 'free-', '1-2-3', '', 'a-0-1-1-0123456789abcdef-00'])('is not %j', (name) => {
    expect(ownerOf(name)).toBeUndefined();
  });
});

describe('an owner', () => {
  it('lives while its process does, also without a heartbeat', async () => {
    expect(isAlive(await otherProcess(), me, OLD_MS)).toBe(true);
    expect(isAlive(me, me, OLD_MS)).toBe(true);
  });

  it('is dead when its process is, also with a heartbeat', () => {
    expect(isAlive({ ...me, pid: 2 ** 22 + 1 }, me, FRESH_MS)).toBe(false);
  });

  it('is dead when its process id belongs to a process that started later', async () => {
    const other = await otherProcess();
    expect(isAlive({ ...other, startedTicks: other.startedTicks - 1 }, me, FRESH_MS)).toBe(false);
  });

  it('is dead when its process id is now ours, as after the restart of a container', () => {
    expect(isAlive({ ...me, startedTicks: me.startedTicks - 1 }, me, FRESH_MS)).toBe(false);
    expect(isAlive({ ...me, startedTicks: me.startedTicks - 1, thread: 1 }, me, FRESH_MS)).toBe(false);
  });

  it.each<[string, Partial<Owner>]>([
    ['in another container', { namespace: me.namespace + 1 }],
    ['before the restart of the system, or of another host', { boot: '0123456789abcdef' }],
  ])('%s lives while it has a heartbeat', (_, differs) => {
    const owner = { ...me, ...differs };
    expect(isAlive(owner, me, FRESH_MS)).toBe(true);
    expect(isAlive(owner, me, OLD_MS)).toBe(false);
  });

  it('that is a worker thread lives while it has a heartbeat, and its process lives', async () => {
    const worker = { ...(await otherProcess()), thread: 3 };
    expect(isAlive(worker, me, FRESH_MS)).toBe(true);
    expect(isAlive(worker, me, OLD_MS)).toBe(false);
    expect(isAlive({ ...worker, pid: 2 ** 22 + 1 }, me, FRESH_MS)).toBe(false);
  });

  it('lives while it has a heartbeat, where the system tells nothing of processes', async () => {
    const blind = { ...me, startedTicks: 0 };
    const other = { ...(await otherProcess()), startedTicks: 0 };
    expect(isAlive(other, blind, FRESH_MS)).toBe(true);
    expect(isAlive(other, blind, OLD_MS)).toBe(false);
    // One that sees it, in the same namespace.
    expect(isAlive(other, me, FRESH_MS)).toBe(true);
    expect(isAlive(other, me, OLD_MS)).toBe(false);
  });
});

const canUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

it.runIf(canUnshare)(
  'a process whose /proc shows the ids of another namespace does not know its start: its heartbeat counts',
  () => {
    const owner = fileURLToPath(new URL('../../src/spool/owner.ts', import.meta.url));
    const options = { bundle: true, platform: 'node', format: 'iife', globalName: 'owner', write: false } as const;
    const [script] = buildSync({ ...options, entryPoints: [owner] }).outputFiles;
    const node = [process.execPath, '--eval', `${script?.text} console.log(JSON.stringify(owner.thisOwner()))`];
    const { stdout } = spawnSync('unshare', ['--pid', '--fork', ...node], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({ pid: 1, startedTicks: 0 });
  },
);

/** Gives the only directory of a spool the name of an owner, with a heartbeat of that age. */
function giveTo(directory: string, owner: Owner, heartbeatAgeMs: number): string {
  const from = dirname(filesIn(directory)[0] as string);
  const to = join(dirname(from), directoryOf(owner));
  renameSync(from, to);
  const at = (Date.now() - heartbeatAgeMs) / 1000;
  utimesSync(to, at, at);
  return to;
}

describe('a directory', () => {
  it('of a living owner is not adopted, and of a dead one it is', async () => {
    const directory = temporaryDirectory();
    await leaveOnDisk({ directory }, ['kept']);
    const path = giveTo(directory, await otherProcess(), OLD_MS);
    const first = startSpooled({ directory });
    first.shipper.accept(textRecord('new'));
    await first.shipper.flush();
    await first.shipper.close();
    expect(first.destination.texts).toEqual(['new']);
    expect(filesIn(path)).toHaveLength(1);
    giveTo(directory, { ...me, pid: 2 ** 22 + 1 }, FRESH_MS);
    const second = startSpooled({ directory });
    await expect.poll(() => second.destination.texts).toEqual(['kept']);
  });

  it('of a shipper in the same process is not adopted while that lives, and is afterwards', async () => {
    const spool = { directory: temporaryDirectory() };
    const first = startSpooled(spool);
    first.destination.respond = () => new Promise(() => {});
    first.shipper.accept(textRecord('first'));
    const second = startSpooled(spool);
    second.shipper.accept(textRecord('second'));
    await second.shipper.flush();
    await second.shipper.close();
    expect(second.destination.texts).toEqual(['second']);
    await first.shipper.close({ timeoutMs: 0 });
    const third = startSpooled(spool);
    await expect.poll(() => third.destination.texts).toEqual(['first']);
    expect(third.shipper.stats().replayed).toEqual({ records: 1, ambiguous: 1 });
  });

  it.each([
    ['did not run for 31 s', { monotonicMs: 31_000, wallMs: 31_000 }],
    ['slept for an hour with its system, whose monotonic clock stood still', { monotonicMs: 0, wallMs: 3_600_000 }],
  ])(
    'that another process adopted meanwhile is given up by an owner that %s, and it writes to a new one',
    async (_, jump) => {
      const directory = temporaryDirectory();
      let skew = { monotonicMs: 0, wallMs: 0 };
      const clock: Clock = {
        ...systemClock,
        monotonic: () => systemClock.monotonic() + skew.monotonicMs,
        now: () => systemClock.now() + skew.wallMs,
      };
      const first = startSpooled({ directory }, { maxDelayMs: 60_000 }, { clock });
      first.shipper.accept(textRecord('before'));
      const taken = giveTo(directory, { ...me, namespace: me.namespace + 1 }, 0);
      skew = jump;
      first.shipper.accept(textRecord('after'));
      first.shipper.accept(textRecord('later'));
      const [own = '', ...others] = filesIn(directory).filter((path) => !path.startsWith(taken));
      expect(others).toEqual([]);
      expect(readFileSync(own, 'latin1')).toMatch(/after.*later/s);
      expect(readFileSync(filesIn(taken)[0] as string, 'latin1')).not.toContain('after');
      expect(first.shipper.stats()).toMatchObject({ received: 3, pending: 3, spooled: 0 });
      await first.shipper.flush();
      expect(first.destination.texts).toEqual(['before', 'after', 'later']);
    },
  );

  it.each(['memory', 'disk only'])(
    'that another process adopts in the middle of a write is not taken for one that has the record: it was to be in %s',
    async (place) => {
      const directory = temporaryDirectory();
      let lateMs = 0;
      const clock: Clock = {
        ...systemClock,
        now: () => systemClock.now() + lateMs,
        monotonic: () => systemClock.monotonic() + lateMs,
      };
      const files: SpoolFiles = {
        ...nodeFiles,
        write(file, bytes, length, position) {
          if (lateMs === 0 && Buffer.from(bytes.buffer, bytes.byteOffset, length).includes('second')) {
            giveTo(directory, { ...me, namespace: me.namespace + 1 }, -31_000);
            lateMs = 31_000;
          }
          return nodeFiles.write(file, bytes, length, position);
        },
      };
      const options = { maxDelayMs: 60_000, maxBufferBytes: 65_536 };
      const { shipper, destination } = startSpooled({ directory }, options, { clock, files });
      destination.respond = away;
      const rest = place === 'memory' ? '' : 'x'.repeat(30_000);
      for (const text of ['first', 'second', 'third']) shipper.accept(textRecord(text + rest));
      assertBalanced(shipper.stats());
      expect(shipper.stats().dropped.undeliverable).toBe(0);
      destination.respond = () => {};
      await shipper.flush();
      expect(destination.texts.map((text) => text.replace(rest, '')).sort()).toEqual(['first', 'second', 'third']);
    },
  );

  it('that an idle shipper does not need is never made', async () => {
    const directory = join(temporaryDirectory(), 'below');
    const { shipper } = startSpooled({ directory });
    await shipper.close();
    expect(readdirSync(dirname(directory))).toEqual([]);
  });

  it('can be entered by its user only, and its files be read', async () => {
    const directory = join(temporaryDirectory(), 'below');
    await leaveOnDisk({ directory }, ['kept']);
    const [path = ''] = filesIn(directory);
    const modeOf = (name: string): number => statSync(name).mode & 0o777;
    for (const name of [directory, dirname(dirname(path)), dirname(path)]) expect(modeOf(name), name).toBe(0o700);
    expect(modeOf(path)).toBe(0o600);
  });

  it("is adopted beside one that is not the spool's", async () => {
    const directory = temporaryDirectory();
    await leaveOnDisk({ directory }, ['kept']);
    const above = dirname(dirname(filesIn(directory)[0] as string));
    mkdirSync(join(above, 'lost+found'));
    const { destination } = startSpooled({ directory });
    await expect.poll(() => destination.texts).toEqual(['kept']);
    expect(readdirSync(above).map((name) => basename(name))).toContain('lost+found');
  });
});
