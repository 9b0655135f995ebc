import { expect } from 'vitest';
import { createCoreShipper } from '../../src/core-shipper.js';
import {
  assertBalanced,
  type Batch,
  DeliveryError,
  type Drop,
  type LogRecord,
  type PayloadSeparator,
  type Seams,
  type Shipper,
} from '../../src/index.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { type Form, textOf } from './payloads.js';
import { type Fault, type Leftover, SimulatedFiles } from './simulated-files.js';
import { OnDisk } from './spool.js';

const ROOT = '/var/spool';

/** The text of a record, in whole. */
const TEXT = /#\d+#x*\./g;

const A_DAY_MS = 86_400_000;

/** A system writes what it has to the medium after this time. */
const WRITE_BACK_MS = 30_000;

/** A disk that failed is tried again after this time at the latest. */
const MAX_RETRY_MS = 30_000;

export interface Settings {
  readonly mode: 'journal' | 'spill';
  readonly fsync: 'interval' | 'batch' | 'record' | 'never';
  readonly maxBufferBytes: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly overflow: 'drop-newest' | 'drop-oldest';
  readonly ordered: boolean;
  /** Shippers that run at the same time. */
  readonly shippers: number;
  /** Of the payloads. */
  readonly form: Form;
  readonly separator: PayloadSeparator;
}

export type Answer = 'stores' | 'refuses' | 'stores and fails' | 'hangs';

/** States that some history has to reach. */
export function newSights() {
  return {
    recovered: 0,
    adoptedFromNeighbour: 0,
    readBack: 0,
    full: 0,
    expired: 0,
    damaged: 0,
    lostNames: 0,
    lostBytes: 0,
    lostByPower: 0,
    keptByPower: 0,
    ambiguous: 0,
    duplicates: 0,
    vanished: 0,
    ENOSPC: 0,
    EIO: 0,
    EMFILE: 0,
    EACCES: 0,
    EROFS: 0,
  };
}

/** What the machine knows of a record. */
interface Known {
  readonly text: string;
  readonly acceptedAtMs: number;
  /** Failures of the disk before it was accepted. */
  readonly failuresBefore: number;
  /** It was in memory only, or its disk was taken away: the end of its process may lose it. */
  isExcused: boolean;
  isDropped: boolean;
  /** Its process was closed, and waited for the medium. */
  isClosed: boolean;
  /** Its process was killed before it had to be on the medium. */
  isLate: boolean;
  /** A request with it was begun. */
  wasSent: boolean;
  stored: number;
  /** The shipper knows that it was stored, and the disk that it is settled. */
  isSettled: boolean;
}

interface Process {
  isDead: boolean;
  isClosing: boolean;
  shipper: Shipper;
  /** Its records, those that it recovered not among them. */
  readonly own: Set<Known>;
  /** Records that it named as lost. */
  readonly named: Set<Known>;
  /** Records that are neither on disk nor refused, as far as the machine knows. */
  readonly unproven: Set<Known>;
  hasVanished: boolean;
}

/** A machine with a disk, a service far away, and processes that come one after another in each of some slots. */
export class Machine {
  readonly #settings: Settings;
  readonly #clock = new VirtualClock();
  readonly #files = new SimulatedFiles((callback) => this.#clock.defer(callback));
  readonly #seen: ReturnType<typeof newSights>;
  readonly #records = new Map<string, Known>();
  readonly #processes: Process[];
  readonly #violations: string[] = [];
  readonly #onWarning = ({ message }: Error): void => {
    const isOfDead = message.includes('a dead process calls nothing');
    if (message.includes('an error inside of Logferry') && !isOfDead) this.#violations.push(message);
  };
  #answer: Answer = 'stores';
  #writtenBackAtMs = 0;
  #failuresSeen = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  /** Losses of the processes so far that named no record. */
  #unnamed = 0;

  constructor(settings: Settings, seen: ReturnType<typeof newSights>) {
    this.#settings = settings;
    this.#seen = seen;
    process.on('warning', this.#onWarning);
    this.#processes = Array.from({ length: settings.shippers }, () => this.#start());
  }

  dispose(): void {
    process.off('warning', this.#onWarning);
    for (const each of this.#processes) each.isDead = true;
  }

  accept({ slot, records, size, together }: { slot: number; records: number; size: number; together: boolean }): void {
    const process = this.#in(slot);
    const { shipper } = process;
    const made = Array.from({ length: records }, () => this.#log(process, size));
    const accept = (): void => {
      for (const record of made) {
        if (shipper.accept(record)) continue;
        const known = this.#known(record.text);
        known.isDropped = true;
        process.named.add(known);
      }
    };
    if (together) shipper.together(accept);
    else accept();
    // A record that is in memory only may be lost with its process.
    const onDisk = this.#files.find(TEXT);
    for (const { text } of made) {
      if (onDisk.has(text)) continue;
      const known = this.#known(text);
      known.isExcused = true;
      if (this.#settings.mode === 'journal' && !this.#isInDoubt(process)) process.unproven.add(known);
    }
  }

  answer(how: Answer): void {
    this.#answer = how;
  }

  async pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    if (this.#clock.monotonic() - this.#writtenBackAtMs < WRITE_BACK_MS) return;
    this.#writtenBackAtMs = this.#clock.monotonic();
    this.#files.writeBack();
    for (const record of this.#records.values()) record.isLate = false;
  }

  async flush({ slot, timeoutMs }: { slot: number; timeoutMs: number }): Promise<void> {
    const flushing = this.#in(slot).shipper.flush({ timeoutMs });
    await this.#clock.advance(timeoutMs + 1);
    await flushing;
  }

  fail(fault: Fault): void {
    this.#files.faults.push({ ...fault });
  }

  removeDirectory(slot: number): void {
    const paths = this.#files.directoriesOf(this.#in(slot));
    if (paths.length > 0) this.#seen.vanished++;
    this.#in(slot).hasVanished = true;
    // Where they are is not known to the machine.
    for (const record of this.#records.values()) record.isExcused = true;
    for (const path of paths) this.#files.removeAll(path);
  }

  async kill(slot: number): Promise<void> {
    const process = this.#in(slot);
    this.#die(process);
    this.#files.bury(process);
    // What it had to write to the medium later, nobody does.
    const onMedium = this.#files.find(TEXT, true);
    for (const record of process.own) record.isLate ||= !onMedium.has(record.text);
    await this.#restart(process);
  }

  async losePower(leftover: Leftover): Promise<void> {
    const before = this.#files.find(TEXT);
    for (const process of this.#processes) this.#die(process);
    const { lostNames, lostBytes } = this.#files.losePower(leftover);
    this.#files.buryAll();
    const after = this.#files.find(TEXT);
    if (lostNames > 0) this.#seen.lostNames++;
    if (lostBytes > 0) this.#seen.lostBytes++;
    for (const record of this.#records.values()) {
      // Marks are not synced.
      record.isSettled = false;
      if (!before.has(record.text) || record.isExcused || record.isDropped || record.stored > 0) continue;
      if (after.has(record.text)) {
        this.#seen.keptByPower++;
        continue;
      }
      if (this.#isDueOnMedium(record)) this.#violations.push(`${nameOf(record)} had to survive the loss of power`);
      record.isExcused = true;
      this.#seen.lostByPower++;
    }
    for (const process of [...this.#processes]) await this.#restart(process);
  }

  async close({ slot, timeoutMs }: { slot: number; timeoutMs: number }): Promise<void> {
    const process = this.#in(slot);
    // A response that comes after the deadline changes nothing.
    process.isClosing = true;
    const failuresBefore = this.#files.failures;
    const closing = process.shipper.close({ timeoutMs });
    await this.#clock.advance(timeoutMs + 1);
    const { pending } = await closing;
    expect(pending).toBe(0);
    expect(this.#files.openedBy(process), 'files that a closed process has open').toBe(0);
    const onDisk = this.#files.find(TEXT);
    for (const record of process.own) {
      record.isClosed = true;
      // What is left is on disk, or was lost and counted.
      if (this.#files.failures === failuresBefore && onDisk.has(record.text)) record.isExcused = false;
    }
    await this.look();
    this.#die(process);
    this.#files.bury(process);
    await this.#restart(process);
  }

  /** Whatever happened, the counters of all processes add up. */
  async look(): Promise<void> {
    await this.#clock.settle();
    const { maxBufferBytes, maxBytes, maxAgeMs } = this.#settings;
    for (const { shipper, named, unproven, hasVanished, isClosing } of this.#processes) {
      const stats = shipper.stats();
      assertBalanced(stats);
      const unnamed = sumOf(stats.dropped) - named.size;
      const onNoDisk = [...unproven].filter(({ isDropped, stored }) => !isDropped && stored === 0);
      unproven.clear();
      if (onNoDisk.length > unnamed) this.#violations.push(`${nameOf(onNoDisk[0])} was accepted, and is not on disk`);
      this.#seen.recovered += stats.recovered > 0 ? 1 : 0;
      this.#seen.damaged += stats.spool.damaged > 0 ? 1 : 0;
      this.#seen.readBack += stats.spooled > 0 && stats.delivered > 0 ? 1 : 0;
      this.#seen.expired += stats.dropped.expired;
      this.#seen.full += stats.dropped['spool-full'];
      // A disk that fails for a while loses nothing.
      if (!hasVanished && !isClosing && maxAgeMs > A_DAY_MS) expect(stats.dropped.undeliverable).toBe(0);
      expect(stats.replayed.ambiguous).toBeLessThanOrEqual(stats.replayed.records);
      expect(stats.spool.bytes).toBeGreaterThanOrEqual(0);
      // What was recovered is on disk already.
      if (stats.recovered === 0) expect(stats.spool.bytes).toBeLessThanOrEqual(maxBytes);
      expect(stats.bufferBytes).toBeLessThanOrEqual(maxBufferBytes * 1.25 + 1536 * 20);
    }
    for (const code of ['ENOSPC', 'EIO', 'EMFILE', 'EACCES', 'EROFS'] as const)
      if (this.#files.failed.has(code)) this.#seen[code]++;
    expect(this.#violations).toEqual([]);
  }

  /** All is well from now on: whatever was accepted arrives, or was counted as lost. */
  async end(): Promise<void> {
    this.#files.faults.length = 0;
    this.#answer = 'stores';
    for (const slot of this.#processes.keys()) await this.kill(slot);
    await this.#clock.advance(120_000);
    for (const process of this.#processes) {
      const closing = process.shipper.close();
      await this.#clock.advance(35_000);
      expect(await closing).toMatchObject({ pending: 0, spooled: 0 });
    }
    await this.look();
    for (const process of this.#processes) this.#die(process);
    expect(this.#files.paths('.v1'), 'segments that are left').toEqual([]);
    expect(this.#files.paths('.marks'), 'marks that are left').toEqual([]);
    const missing = [...this.#records.values()].filter(
      ({ isExcused, isDropped, stored }) => !(isExcused || isDropped || stored > 0),
    );
    // A segment that was dropped from disk is not read for that: its records are counted, and not named.
    const { length } = missing;
    expect(length, `${nameOf(missing[0])} arrives, or is counted as lost`).toBeLessThanOrEqual(this.#unnamed);
  }

  #in(slot: number): Process {
    return this.#processes[slot % this.#processes.length] as Process;
  }

  #known(text: string): Known {
    return this.#records.get(text) as Known;
  }

  #log(process: Process, size: number): LogRecord {
    const text = `${`#${this.#records.size}#`.padEnd(size, 'x')}.`;
    const known = {
      text,
      acceptedAtMs: this.#clock.monotonic(),
      failuresBefore: this.#files.failures,
      isExcused: false,
      isDropped: false,
      isClosed: false,
      isLate: false,
      wasSent: false,
      stored: 0,
      isSettled: false,
    };
    this.#records.set(text, known);
    process.own.add(known);
    return { time: this.#clock.now(), level: 'info', urgent: false, text, fields: {} };
  }

  /** Whether the promise of `fsync` says that a record is on the medium. */
  #isDueOnMedium({ failuresBefore, isLate, isClosed, wasSent, acceptedAtMs }: Known): boolean {
    const { fsync } = this.#settings;
    if (fsync === 'never' || isLate || this.#files.areNamesInDoubt) return false;
    if (this.#files.failures > failuresBefore) return false;
    if (fsync === 'record' || isClosed) return true;
    return fsync === 'batch' ? wasSent : this.#clock.monotonic() - acceptedAtMs > 1000;
  }

  /** Whether a record may be in memory only: the disk failed, which was told, or failed unseen, since it has vanished. */
  #isInDoubt({ hasVanished }: Process): boolean {
    if (this.#files.failures > this.#failuresSeen) {
      this.#failuresSeen = this.#files.failures;
      this.#failedAtMs = this.#clock.monotonic();
    }
    return hasVanished || this.#clock.monotonic() - this.#failedAtMs <= MAX_RETRY_MS;
  }

  #start(): Process {
    const made = {
      isDead: false,
      isClosing: false,
      hasVanished: false,
      own: new Set(),
      named: new Set(),
      unproven: new Set(),
    } as unknown as Process;
    const clock = this.#clock;
    const whileAlive = (callback: () => void) => () => {
      if (!made.isDead) callback();
    };
    const seams: Seams = {
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        setTimer: (callback, delayMs) => clock.setTimer(whileAlive(callback), delayMs),
        defer: (callback) => clock.defer(whileAlive(callback)),
      },
      random: () => 0.5,
      files: this.#files.seenBy(made),
    };
    const destination = new OnDisk();
    destination.respond = (batch, signal) => this.#respond(batch, signal, made);
    const { mode, fsync, maxBytes, maxAgeMs, shippers: _, form, separator, ...options } = this.#settings;
    Object.assign(destination, { form, separator });
    made.shipper = createCoreShipper(
      destination,
      {
        ...options,
        maxDelayMs: 100,
        requestTimeoutMs: 5000,
        dropNotice: false,
        retry: { capMs: 1000 },
        spool: { directory: ROOT, mode, fsync, maxBytes, maxAgeMs },
        onDrop: (drop) => this.#dropped(drop, made),
        onError: () => {},
      },
      seams,
    );
    return made;
  }

  #respond({ events }: Batch, signal: AbortSignal, by: Process): Promise<void> {
    const answer = this.#answer;
    const records = events.map(({ payload }) => {
      const known = this.#records.get(textOf(payload));
      if (!known) this.#violations.push(`${payload} was never logged`);
      return known as Known;
    });
    if (new Set(records).size < records.length) this.#violations.push('a request holds a record twice');
    for (const record of records) record.wasSent = true;
    if (answer === 'refuses') return Promise.reject(new DeliveryError('UNAVAILABLE', 'away'));
    if (answer === 'hangs')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    for (const record of records) {
      if (record.isSettled) this.#violations.push(`${nameOf(record)} is settled, and sent again`);
      if (record.stored > 0) this.#seen.duplicates++;
      if (record.stored === 0 && !by.own.has(record)) this.#seen.adoptedFromNeighbour++;
      record.stored++;
    }
    if (answer === 'stores and fails') {
      this.#seen.ambiguous++;
      return Promise.reject(new DeliveryError('NETWORK', 'reset', { ambiguous: true }));
    }
    const failuresBefore = this.#files.failedAppends;
    return new Promise((resolve) => {
      this.#clock.defer(() => {
        resolve();
        // In the same turn the shipper settles it.
        this.#clock.defer(() => {
          if (by.isDead || by.isClosing || this.#files.failedAppends > failuresBefore) return;
          for (const record of records) record.isSettled = true;
        });
      });
    });
  }

  #dropped({ events }: Drop, by: Process): void {
    if (by.isDead) return;
    for (const { payload } of events) {
      const known = this.#known(textOf(payload));
      known.isDropped = true;
      by.named.add(known);
    }
  }

  /** Nothing of the process runs any more. */
  #die(process: Process): void {
    if (process.isDead) return;
    const { dropped } = process.shipper.stats();
    this.#unnamed += sumOf(dropped) - process.named.size;
    process.isDead = true;
  }

  async #restart(process: Process): Promise<void> {
    await this.#clock.settle();
    this.#processes[this.#processes.indexOf(process)] = this.#start();
    await this.#clock.settle();
  }
}

function sumOf(dropped: Readonly<Record<string, number>>): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

function nameOf(record: Known | undefined): string {
  return record?.text.slice(0, 10) ?? 'none';
}
