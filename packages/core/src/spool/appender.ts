import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Clock } from '../contract/clock.js';
import { attempt } from '../tools/attempt.js';
import { noSpace } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { FrameWriter, type SpoolRecord } from './frame.js';
import { DEAD_AFTER_MS, directoryOf, type Owner } from './owner.js';
import { headerOf, MAX_RECORDS, nameOf, SPOOL_VERSION } from './segment.js';
import { type OwnedDirectory, StoredSegment } from './stored-segment.js';

/** Records that come together are written in pieces of about this size: memory that is used again is cheaper than more of it. */
const MAX_WRITE_BYTES = 256 * 1024;

interface Settings {
  readonly keyDirectory: string;
  readonly key: string;
  readonly owner: Owner;
  readonly segmentBytes: number;
  readonly isSynced: boolean;
  readonly files: SpoolFiles;
  readonly clock: Clock;
  /** The next index of a segment. */
  readonly nextIndex: () => number;
  /** The directory was not seen for long. Calls {@link Appender.touched}, or {@link Appender.forgetDirectory}. */
  readonly onUnseen: (directory: OwnedDirectory) => void;
  /** How many bytes may be written now. */
  readonly roomBytes: () => number;
  /** Records were written. */
  readonly onWritten: (bytes: number) => void;
  /** A segment was opened. */
  readonly onOpened: (segment: StoredSegment) => void;
  /** The last records of the segment could not be written. */
  readonly onUnwritten: (segment: StoredSegment, records: number) => void;
  /** No record follows in the segment. */
  readonly onEnded: (segment: StoredSegment) => void;
}

/** The segment that is written. */
interface OpenSegment {
  readonly segment: StoredSegment;
  readonly file: number;
  /** Number of its records, those that are not written yet too. */
  records: number;
  /** Where the last of them begins in the file. */
  lastStart: number;
}

/** Appends records to a segment of this thread's own directory, and begins the next when one is full. */
export class Appender {
  readonly #settings: Settings;
  /** Of records that are not written yet. */
  readonly #frames = new FrameWriter();
  #directory: OwnedDirectory | undefined;
  /** When the directory was seen last, in wall time: others judge by it, and the monotonic clock stands still while the system sleeps. */
  #seenAt = 0;
  #open: OpenSegment | undefined;
  #lastNumber = 0;
  /** Files with content that is not on the medium, and those that are being synced. */
  readonly #unsynced = new Set<number>();
  readonly #inSync = new Set<number>();
  /** Files that end when their content is on the medium. */
  readonly #retired = new Set<number>();
  /** Directories with names that are not on the medium. */
  readonly #unsyncedDirectories = new Set<string>();
  #syncing: Promise<void> = Promise.resolve();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get directory(): OwnedDirectory | undefined {
    return this.#directory;
  }

  /** The segment that is written. */
  get current(): StoredSegment | undefined {
    return this.#open?.segment;
  }

  /** Whether something is not on the medium. */
  get isUnsynced(): boolean {
    return this.#unsynced.size > 0 || this.#inSync.size > 0 || this.#unsyncedDirectories.size > 0;
  }

  /** Where the last record that was appended begins and ends in the file of {@link current}. */
  get lastPlace(): { readonly start: number; readonly end: number } {
    const { lastStart: start = 0, segment } = this.#open ?? {};
    return { start, end: (segment?.size ?? 0) + this.#frames.length };
  }

  /**
   * Adds a record to {@link current}, which is written by the next {@link commit}. Returns its number there; `undefined` if there is no
   * room. Throws the error of the file system.
   */
  append(record: SpoolRecord): number | undefined {
    if (this.#frames.length >= MAX_WRITE_BYTES) this.commit();
    if (this.#frames.length === 0) this.#checkDirectory();
    let open = this.#open ?? this.#begin();
    let start = this.#frames.length;
    this.#frames.add(record, open.segment.name.mark, open.records);
    if (open.records > 0 && !this.#fits(open)) {
      this.#frames.truncate(start);
      this.endSegment();
      open = this.#begin();
      start = 0;
      this.#frames.add(record, open.segment.name.mark, open.records);
    }
    if (this.#frames.length > this.#settings.roomBytes()) {
      this.#frames.truncate(start);
      return undefined;
    }
    open.lastStart = open.segment.size + start;
    return open.records++;
  }

  /**
   * Writes the records that were appended, by one call of the system. Throws the error of the file system: then none of them is on disk,
   * and the next record begins a new segment. That is so, too, if the directory is found to be gone.
   */
  commit(): void {
    const open = this.#open;
    const { length, buffer } = this.#frames;
    if (!open || length === 0) return;
    const { files, isSynced, onWritten, onUnwritten } = this.#settings;
    const { segment } = open;
    try {
      const written = files.write(open.file, buffer, length, segment.size);
      if (written < length) {
        files.truncate(open.file, segment.size);
        throw noSpace(`${written} of ${length} bytes could be written`);
      }
    } catch (error) {
      this.#frames.clear();
      onUnwritten(segment, open.records - segment.records);
      this.endSegment();
      throw error;
    }
    this.#frames.clear();
    // Again: the process may have been stopped since. Who adopts the directory from now on reads what was written.
    this.#checkDirectory();
    if (this.#open !== open) return;
    if (isSynced) this.#unsynced.add(open.file);
    segment.size += length;
    segment.records = open.records;
    onWritten(length);
  }

  /** Writes what was appended. A new segment begins with the next record. */
  endSegment(): void {
    this.commit();
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    open.segment.isOpen = false;
    this.#retired.add(open.file);
    this.#closeRetired();
    this.#settings.onEnded(open.segment);
  }

  /** Waits until all that was appended before is on the medium. */
  sync(): Promise<void> {
    const synced = this.#syncing.then(() => this.#syncAll());
    this.#syncing = synced.catch(() => {});
    return synced;
  }

  /** Puts all that was appended on the medium. Throws the error of the file system. */
  syncNow(): void {
    const { files } = this.#settings;
    for (const file of this.#unsynced) {
      files.syncNow(file);
      this.#unsynced.delete(file);
    }
    this.#closeRetired();
    this.#syncDirectoriesNow();
  }

  /** The directory was seen. */
  touched(): void {
    this.#seenAt = this.#settings.clock.now();
  }

  /** The directory is gone: the next record makes a new one. */
  forgetDirectory(): void {
    this.endSegment();
    this.#directory = undefined;
    this.#unsyncedDirectories.clear();
  }

  /**
   * An owner that did not run for long may be taken for dead, and its directory adopted. https://man7.org: a file stays open then,
   * and what is written to it would be lost.
   */
  #checkDirectory(): void {
    if (!this.#directory) return;
    const { clock, onUnseen } = this.#settings;
    if (Math.abs(clock.now() - this.#seenAt) >= DEAD_AFTER_MS / 2) onUnseen(this.#directory);
  }

  /** Whether all frames that are not written yet fit into the segment. */
  #fits({ segment, records }: OpenSegment): boolean {
    return records < MAX_RECORDS && segment.size + this.#frames.length <= this.#settings.segmentBytes;
  }

  #begin(): OpenSegment {
    const { files, key, clock, nextIndex, onOpened } = this.#settings;
    const directory = this.#ownDirectory();
    const name = { number: ++this.#lastNumber, mark: randomBytes(4).readUInt32LE(), version: SPOOL_VERSION };
    const path = join(directory.path, nameOf(name));
    const file = files.create(path);
    this.#madeName(directory.path);
    try {
      const header = headerOf(name, key, clock.now());
      if (files.write(file, header, header.length, 0) < header.length)
        throw noSpace('the header of a segment could not be written');
      const segment = new StoredSegment(name, directory, nextIndex(), header.length, true);
      onOpened(segment);
      this.#open = { segment, file, records: 0, lastStart: header.length };
      return this.#open;
    } catch (error) {
      this.#close(file);
      // A full disk is tried again and again.
      attempt(() => files.remove(path));
      throw error;
    }
  }

  #ownDirectory(): OwnedDirectory {
    if (this.#directory) return this.#directory;
    const { files, keyDirectory, owner, clock } = this.#settings;
    const path = join(keyDirectory, directoryOf(owner));
    this.#makeShared(keyDirectory);
    files.makeDirectory(path);
    this.#madeName(keyDirectory);
    this.touched();
    this.#directory = { path, isAdopted: false };
    files.touch(path, clock.now());
    return this.#directory;
  }

  /** Other processes, which find the directory, do not put its name on the medium: this one does, before it is used. */
  #makeShared(path: string): void {
    const first = this.#settings.files.makeDirectory(path);
    if (first === undefined) return;
    for (let each = dirname(path); each.length >= dirname(first).length; each = dirname(each)) {
      this.#madeName(each);
      if (each === dirname(each)) break;
    }
    this.#syncDirectoriesNow();
  }

  /** A name was made in a directory. */
  #madeName(directory: string): void {
    if (this.#settings.isSynced) this.#unsyncedDirectories.add(directory);
  }

  /** One at a time. */
  async #syncAll(): Promise<void> {
    const { files } = this.#settings;
    const directories = [...this.#unsyncedDirectories];
    for (const file of this.#unsynced) this.#inSync.add(file);
    this.#unsynced.clear();
    try {
      await Promise.all([...this.#inSync].map((file) => files.sync(file)));
      for (const path of directories) {
        // A name that is made meanwhile is one for the next time.
        this.#unsyncedDirectories.delete(path);
        await this.#syncDirectory(path);
      }
    } catch (error) {
      // The next time again, but for a file that only waits for this.
      for (const file of this.#inSync) if (!this.#retired.has(file)) this.#unsynced.add(file);
      throw error;
    } finally {
      this.#inSync.clear();
      this.#closeRetired();
    }
  }

  #syncDirectoriesNow(): void {
    for (const path of this.#unsyncedDirectories) {
      this.#settings.files.syncDirectoryNow(path);
      this.#unsyncedDirectories.delete(path);
    }
  }

  async #syncDirectory(path: string): Promise<void> {
    try {
      await this.#settings.files.syncDirectory(path);
    } catch (error) {
      this.#madeName(path);
      throw error;
    }
  }

  #closeRetired(): void {
    for (const file of this.#retired) {
      if (this.#unsynced.has(file) || this.#inSync.has(file)) continue;
      this.#retired.delete(file);
      this.#close(file);
    }
  }

  /** The file is of no more use in any case. */
  #close(file: number): void {
    attempt(() => this.#settings.files.close(file));
  }
}
