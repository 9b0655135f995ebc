import { join } from 'node:path';
import type { StoredEvent } from '../accounting/ledger.js';
import type { SpoolStats } from '../accounting/stats.js';
import type { Clock, Timer } from '../contract/clock.js';
import { DeliveryError } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { ResolvedSpoolOptions } from '../options/spool-options.js';
import { attempt } from '../tools/attempt.js';
import { inBackground } from '../tools/guarded.js';
import { Adoption } from './adoption.js';
import { Appender } from './appender.js';
import { codeOf, remedyOf } from './disk-errors.js';
import { DiskRetry } from './disk-retry.js';
import type { SpoolFiles } from './files.js';
import type { SpoolRecord } from './frame.js';
import { keyDirectoryOf } from './key.js';
import type { MarkKind } from './marks.js';
import { DEAD_AFTER_MS, HEARTBEAT_MS, thisOwner } from './owner.js';
import { giveUp } from './repair.js';
import { type Extent, ReplayQueue } from './replay-queue.js';
import { indexOf, numberOf, type OwnedDirectory, type StoredSegment } from './stored-segment.js';

/** Most bytes of a segment, but for one with a single larger record. */
const MAX_SEGMENT_BYTES = 4 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 64 * 1024;

/** It looks for dead owners with every so many heartbeats. */
const LOOKS_EACH_BEATS = DEAD_AFTER_MS / HEARTBEAT_MS;

/** With `fsync: 'interval'`. */
const SYNC_MS = 1000;

/** The fate of a record that was to be appended: its id, or why it is not on disk. */
export type Appended = number | 'full' | 'failed';

export interface SpoolSettings {
  readonly options: ResolvedSpoolOptions;
  readonly overflow: ResolvedDeliveryOptions['overflow'];
  /** Names the destination, and all that decides where its records belong and what they look like. */
  readonly identity: string;
  /** The name of the destination. */
  readonly destination: string;
  readonly maxBufferBytes: number;
  readonly files: SpoolFiles;
  readonly clock: Clock;
  /** Room for what is in memory, and may go to disk at the end. */
  readonly reservedBytes: () => number;
  /** The disk failed, or something on it is left alone. */
  readonly onFailure: (error: DeliveryError) => void;
  /** Records of a dead owner were found. They are on disk only. */
  readonly onRecovered: (records: number) => void;
  /** Records that were on disk only are lost. */
  readonly onLost: (loss: SpoolLoss) => void;
  /** There is more to replay than before. */
  readonly onChanged: () => void;
}

/** Records that were on disk only, and are lost. `from` and `to` are wall times of acceptance. */
interface SpoolLoss {
  readonly reason: 'spool-full' | 'undeliverable';
  readonly records: number;
  readonly from: number;
  readonly to: number;
  readonly cause: unknown;
}

/**
 * Records on disk: appended before they count as accepted, removed when they met their fate, read back when there is room. There is one
 * truth, the segments. Marks only spare duplicates. No failure of the disk is thrown.
 */
export class Spool {
  /** Records of this process that did not fit into memory. */
  readonly overflow: ReplayQueue;
  /** Records of dead owners. */
  readonly adopted: ReplayQueue;
  /** Most bytes of a segment. */
  readonly segmentBytes: number;
  readonly #settings: SpoolSettings;
  readonly #appender: Appender;
  readonly #adoption: Adoption;
  readonly #directories = new Set<OwnedDirectory>();
  /** By index. */
  readonly #segments = new Map<number, StoredSegment>();
  #lastIndex = 0;
  #bytes = 0;
  /** What dead owners left, and is not adopted yet: new records keep to the limit from the start. */
  #leftBytes: number;
  /** Records that are to be on disk only, and are not written yet. */
  #parked: Extent[] = [];
  /** While {@link together} runs. */
  #isTogether = false;
  /** While {@link keep} runs. */
  #isKeeping = false;
  #damaged = 0;
  readonly #retry: DiskRetry;
  #heartbeat: Timer | undefined;
  #syncTimer: Timer | undefined;
  #beats = 0;
  #isAdopting = true;
  #isClosed = false;

  constructor(settings: SpoolSettings) {
    const { options, overflow, identity, destination, maxBufferBytes, files, clock } = settings;
    const owner = thisOwner();
    const shared = {
      key: identity,
      keyDirectory: join(options.directory, keyDirectoryOf(destination, identity)),
      owner,
      files,
      clock,
      nextIndex: () => ++this.#lastIndex,
    };
    const room = Math.floor(Math.min(MAX_SEGMENT_BYTES, options.maxBytes / 16, maxBufferBytes / 8));
    this.segmentBytes = Math.max(MIN_SEGMENT_BYTES, room);
    this.#settings = settings;
    this.#retry = new DiskRetry(clock);
    this.overflow = new ReplayQueue(files);
    this.adopted = new ReplayQueue(files);
    this.#appender = new Appender({
      ...shared,
      segmentBytes: this.segmentBytes,
      isSynced: options.fsync !== 'never',
      onUnseen: (directory) => this.#touch(directory),
      roomBytes: () =>
        options.maxBytes - this.#bytes - this.#leftBytes - (this.#isKeeping ? 0 : settings.reservedBytes()),
      onWritten: (bytes) => {
        this.#bytes += bytes;
        this.#retry.succeeded();
      },
      onOpened: (segment) => {
        this.#directories.add(segment.directory);
        this.#addSegment(segment);
      },
      onUnwritten: (segment, records) => {
        segment.unsettled -= records;
        segment.inMemory -= records;
      },
      onEnded: (segment) => this.#removeIfSettled(segment),
    });
    this.#adoption = new Adoption({
      ...shared,
      root: options.directory,
      isClosed: () => this.#isClosed,
      onAdopted: (directory) => this.#directories.add(directory),
      onSearched: (directory) => this.#removeIfEmpty(directory),
      onRecovered: (extent) => this.#recovered(extent),
      onDamaged: (records) => {
        this.#damaged += records;
      },
      onNotice: (text) => this.#tell(text),
    });
    // To drop the oldest, they have to be adopted first.
    this.#leftBytes = overflow === 'drop-newest' ? this.#adoption.leftBytes : 0;
    clock.defer(() => this.#beat());
  }

  /** Whether it looks for records of dead processes: from the start until the first look is over, and now and then. */
  get isAdopting(): boolean {
    return this.#isAdopting;
  }

  /** Number of records on disk that are in memory, too. */
  get inMemory(): number {
    let records = 0;
    for (const { inMemory } of this.#segments.values()) records += inMemory;
    return records;
  }

  get stats(): SpoolStats {
    return { bytes: this.#bytes, segments: this.#segments.size, damaged: this.#damaged };
  }

  /**
   * Writes a record. `isParked`: it is on disk only, to be read back later. Within {@link together} it is written at the end: only then
   * {@link has} tells whether it is on disk.
   */
  append(record: SpoolRecord, isParked: boolean): Appended {
    return this.#append(record, isParked) ?? this.#append(record, isParked) ?? 'failed';
  }

  /** Writes the records that a function appends by one call of the system. */
  together<T>(act: () => T): T {
    this.#isTogether = true;
    try {
      return act();
    } finally {
      this.#isTogether = false;
      this.#commit();
    }
  }

  /** Whether a record is on disk: the disk may have failed, or its segment may be gone. */
  has(id: number): boolean {
    return numberOf(id) < (this.#segments.get(indexOf(id))?.records ?? 0);
  }

  /** Requests with these records begin. */
  markSent(ids: readonly number[]): void {
    this.#mark('sent', ids);
  }

  /** These records have met their fate. */
  settle(ids: readonly number[]): void {
    this.#mark('settled', ids);
  }

  /** These records are on disk only from now on. */
  leave(ids: readonly number[]): void {
    for (const id of ids) {
      const segment = this.#segments.get(indexOf(id));
      if (segment) segment.inMemory--;
    }
  }

  /** Tells that records cannot be read now. */
  tellUnreadable(error: unknown): void {
    this.#tellFailure('cannot read from', error, 'it is tried again');
  }

  /** Records of a segment that were on disk only could not be read. */
  giveUp(segment: StoredSegment, records: number): void {
    segment.unsettled -= records;
    this.#removeIfSettled(segment);
  }

  /** With `fsync: 'batch'`: waits until all records so far are on the medium. */
  async beforeSend(): Promise<void> {
    if (this.#settings.options.fsync === 'batch' && this.#appender.isUnsynced) await this.#sync();
  }

  /**
   * Keeps the events of a batch for the next start, if the disk takes them. `wasSent`: a request with them was begun.
   *
   * @returns the events that are on disk, the others, and whether the limit of the spool is to blame for some of these
   */
  keep(
    events: readonly StoredEvent[],
    acceptedAt: number,
    wasSent: boolean,
  ): { readonly kept: readonly StoredEvent[]; readonly others: readonly StoredEvent[]; readonly isFull: boolean } {
    const isOnDisk = ({ id }: StoredEvent): boolean => id > 0 && this.has(id);
    const kept = events.filter(isOnDisk);
    const others = events.filter(({ isNotice }) => isNotice);
    const records = recordsOf(events.filter((event) => !isOnDisk(event) && !event.isNotice));
    const ids: number[] = [];
    const appended: Appended[] = [];
    // The last chance: the disk may be well again.
    this.#retry.tryNow();
    this.#isKeeping = true;
    this.together(() => {
      for (const parts of records)
        appended.push(this.append({ acceptedAt, urgent: parts[0]?.urgent ?? false, events: parts }, false));
    });
    this.#isKeeping = false;
    records.forEach((parts, index) => {
      const id = appended[index];
      if (typeof id === 'number' && this.has(id)) {
        kept.push(...parts);
        ids.push(id);
      } else others.push(...parts);
    });
    if (wasSent) this.markSent(ids);
    this.leave(ids);
    return { kept, others, isFull: appended.includes('full') };
  }

  /** Gives all directories up, for the next start. Waits until all is on the medium. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#adoption.tellForeign();
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    this.#syncTimer?.cancel();
    this.#appender.endSegment();
    if (this.#settings.options.fsync !== 'never') await this.#sync();
    this.release();
  }

  /** Gives all directories up. Synchronous: for the exit of the process. A record that comes later begins a new one. */
  release(): void {
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    this.#appender.forgetDirectory();
    for (const directory of this.#directories) directory.path = giveUp(this.#settings.files, directory.path);
    this.#directories.clear();
  }

  /** `undefined` if the directory was gone: a new one takes its place. */
  #append(record: SpoolRecord, isParked: boolean): Appended | undefined {
    if (!this.#retry.isDue) return 'failed';
    try {
      const number = this.#place(record);
      const segment = this.#appender.current;
      if (number === undefined || !segment) return 'full';
      const id = segment.idOf(number);
      segment.note(record.acceptedAt);
      // It counts from now on, since a segment without such records is removed, and is in memory until it is written.
      segment.unsettled++;
      segment.inMemory++;
      if (isParked) this.#parked.push({ segment, ...this.#appender.lastPlace, records: 1, firstNumber: number });
      if (!this.#isTogether) this.#commit();
      return this.#isTogether || this.has(id) ? id : undefined;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** `undefined` if there is no room. */
  #place(record: SpoolRecord): number | undefined {
    for (;;) {
      const number = this.#appender.append(record);
      if (number !== undefined || !this.#makeRoom()) return number;
    }
  }

  #commit(): void {
    const { fsync } = this.#settings.options;
    try {
      this.#appender.commit();
      if (fsync === 'record') this.#appender.syncNow();
      if (fsync === 'interval' && this.#appender.isUnsynced) this.#syncTimer ??= this.#syncLater();
    } catch (error) {
      this.#failed(error);
    }
    if (this.#parked.length > 0) this.#park();
  }

  #park(): void {
    const parked = this.#parked;
    this.#parked = [];
    for (const extent of parked) {
      const { segment, firstNumber } = extent;
      if (!this.has(segment.idOf(firstNumber))) continue;
      segment.inMemory--;
      this.overflow.push(extent);
    }
  }

  /** Removes what is not needed, or with `overflow: 'drop-oldest'` the oldest segment of which nothing is in memory. */
  #makeRoom(): boolean {
    const { current } = this.#appender;
    if (current?.unsettled === 0 && current.firstAt !== Number.POSITIVE_INFINITY) {
      this.#appender.endSegment();
      return true;
    }
    if (this.#settings.overflow !== 'drop-oldest') return false;
    for (const segment of this.#segments.values()) {
      if (segment.inMemory > 0 || segment.unsettled === 0) continue;
      this.#dropSegment(segment);
      return true;
    }
    return false;
  }

  #dropSegment(segment: StoredSegment): void {
    if (segment === this.#appender.current) this.#appender.endSegment();
    const { unsettled: records, firstAt: from, lastAt: to } = segment;
    this.#remove(segment);
    this.#settings.onLost({ reason: 'spool-full', records, from, to, cause: undefined });
  }

  #recovered(extent: Extent): void {
    this.#addSegment(extent.segment);
    this.#leftBytes = Math.max(0, this.#leftBytes - extent.segment.size);
    this.adopted.push(extent);
    this.#settings.onRecovered(extent.records);
    this.#settings.onChanged();
  }

  #addSegment(segment: StoredSegment): void {
    this.#segments.set(segment.index, segment);
    this.#bytes += segment.size;
  }

  /** Ids that are not on disk are left out. */
  #mark(kind: MarkKind, ids: readonly number[]): void {
    let segment: StoredSegment | undefined;
    let numbers: number[] = [];
    for (const id of ascending(ids)) {
      const index = indexOf(id);
      if (index !== segment?.index) {
        if (segment) this.#markIn(segment, kind, numbers);
        segment = this.#segments.get(index);
        numbers = [];
      }
      const number = numberOf(id);
      if (segment && number < segment.records) numbers.push(number);
    }
    if (segment) this.#markIn(segment, kind, numbers);
  }

  #markIn(segment: StoredSegment, kind: MarkKind, numbers: readonly number[]): void {
    if (numbers.length === 0) return;
    if (kind === 'settled') {
      segment.unsettled -= numbers.length;
      segment.inMemory -= numbers.length;
      if (this.#removeIfSettled(segment)) return;
    }
    segment.mark(this.#settings.files, kind, numbers);
  }

  /** Returns whether it is gone. */
  #removeIfSettled(segment: StoredSegment): boolean {
    if (segment.isOpen || segment.unsettled > 0) return false;
    return this.#remove(segment);
  }

  /** Returns whether it is gone. If the disk fails, the next start removes it. */
  #remove(segment: StoredSegment): boolean {
    this.#forget(segment);
    const isGone = segment.remove(this.#settings.files);
    if (segment.directory.isAdopted) this.#removeIfEmpty(segment.directory);
    return isGone;
  }

  /** A directory with segments cannot be removed. */
  #removeIfEmpty(directory: OwnedDirectory): void {
    for (const segment of this.#segments.values()) if (segment.directory === directory) return;
    attempt(() => {
      this.#settings.files.removeDirectory(directory.path);
      this.#directories.delete(directory);
    });
  }

  #failed(error: unknown): void {
    const { directory } = this.#appender;
    // A new directory takes the place of one that is gone, at once.
    if (directory && !this.#touch(directory)) return;
    if (this.#retry.failed()) this.#tellFailure('cannot write to', error, 'records are kept in memory only');
  }

  #tellFailure(what: string, error: unknown, consequence: string): void {
    const text = `${what} ${this.#settings.options.directory}: ${String((error as Error)?.message ?? error)}`;
    this.#tell(`${text} (${remedyOf(error)}); ${consequence}`, error);
  }

  #tell(text: string, cause?: unknown): void {
    this.#settings.onFailure(new DeliveryError('SPOOL', `spool: ${text}`, { cause }));
  }

  /** Tells others that this owner lives, and looks after the dead. */
  #beat(): void {
    const { clock } = this.#settings;
    if (this.#isClosed) return;
    const turn = this.#beats++;
    for (const directory of this.#directories) this.#touch(directory);
    if (turn % LOOKS_EACH_BEATS === 0) {
      // Transports of other destinations have adopted theirs meanwhile.
      if (turn > 0) this.#adoption.tellForeign();
      inBackground(this.#adopt());
    }
    this.#heartbeat = clock.setTimer(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  async #adopt(): Promise<void> {
    this.#isAdopting = true;
    await this.#adoption.run();
    // The rest is another process's, or cannot be read.
    this.#leftBytes = 0;
    this.#isAdopting = false;
    this.#settings.onChanged();
  }

  /** Returns whether the directory is still there, as far as is known. */
  #touch(directory: OwnedDirectory): boolean {
    const isOwn = directory === this.#appender.directory;
    try {
      this.#settings.files.touch(directory.path, this.#settings.clock.now());
      if (isOwn) this.#appender.touched();
      return true;
    } catch (error) {
      // Any other failure may pass.
      if (codeOf(error) !== 'ENOENT') return true;
      if (isOwn) this.#appender.forgetDirectory();
      this.#vanished(directory, error);
      return false;
    }
  }

  /** A directory was removed, or another process took the owner for dead. Records in memory are still there. */
  #vanished(directory: OwnedDirectory, cause: unknown): void {
    this.#directories.delete(directory);
    for (const segment of this.#segments.values()) {
      if (segment.directory !== directory) continue;
      const { unsettled, inMemory, firstAt: from, lastAt: to } = segment;
      this.#forget(segment);
      this.#settings.onLost({ reason: 'undeliverable', records: unsettled - inMemory, from, to, cause });
    }
    const text = `${directory.path} is gone: it was removed, or another process took this one for dead`;
    this.#tell(`${text}; a new one takes its place`, cause);
  }

  /** From now on nothing of the segment is on disk. */
  #forget(segment: StoredSegment): void {
    this.overflow.remove(segment);
    this.adopted.remove(segment);
    if (this.#segments.delete(segment.index)) this.#bytes -= segment.size;
  }

  #syncLater(): Timer {
    const timer = this.#settings.clock.setTimer(() => {
      this.#syncTimer = undefined;
      inBackground(this.#sync());
    }, SYNC_MS);
    timer.unref();
    return timer;
  }

  async #sync(): Promise<void> {
    try {
      await this.#appender.sync();
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** The parts of each record together. */
function recordsOf(events: readonly StoredEvent[]): readonly (readonly StoredEvent[])[] {
  const records = new Map<object, StoredEvent[]>();
  for (const event of events) {
    const key = event.split ?? event;
    const parts = records.get(key);
    if (parts) parts.push(event);
    else records.set(key, [event]);
  }
  return [...records.values()];
}

/** Ids of a batch are mostly in order already. */
function ascending(ids: readonly number[]): readonly number[] {
  const isAscending = ids.every((id, index) => index === 0 || (ids[index - 1] as number) < id);
  return isAscending ? ids : ids.toSorted((a, b) => a - b);
}
