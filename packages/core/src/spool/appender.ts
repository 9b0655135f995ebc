import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Clock } from '../contract/clock.js';
import type { SpoolFiles } from './files.js';
import { FrameWriter, type SpoolRecord } from './frame.js';
import { DEAD_AFTER_MS, directoryOf, type Owner } from './owner.js';
import { headerOf, MAX_RECORDS, nameOf, SPOOL_VERSION } from './segment.js';
import { type OwnedDirectory, StoredSegment } from './stored-segment.js';

/** The place of a record that was appended. */
export interface Place {
  readonly segment: StoredSegment;
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

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
  /** A segment was opened. */
  readonly onOpened: (segment: StoredSegment) => void;
  /** No record follows in the segment. */
  readonly onEnded: (segment: StoredSegment) => void;
}

/** The segment that is written. */
interface OpenSegment {
  readonly segment: StoredSegment;
  readonly file: number;
  /** Number of its records. */
  records: number;
}

/** Appends records to a segment of this thread's own directory, and begins the next when one is full. */
export class Appender {
  readonly #settings: Settings;
  readonly #frames = new FrameWriter();
  /** The end of each frame in the segment. */
  #ends: readonly number[] = [];
  #directory: OwnedDirectory | undefined;
  /** Time when the directory was seen last, on the monotonic clock. */
  #seenAtMs = 0;
  #open: OpenSegment | undefined;
  #lastNumber = 0;
  /** Files with content that is not on the medium. */
  readonly #unsynced = new Set<number>();
  /** Files that end when their content is on the medium. */
  readonly #retired = new Set<number>();
  #hasNewNames = false;
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

  /** Whether content is not on the medium. */
  get isUnsynced(): boolean {
    return this.#unsynced.size > 0;
  }

  /**
   * Writes records by one call of the system, unless they take more than `roomBytes`. Throws the error of the file system, and then
   * none of them is on disk: the next call begins a new segment.
   */
  append(records: readonly SpoolRecord[], roomBytes: number): readonly Place[] | undefined {
    try {
      this.#checkDirectory();
      this.#open ??= this.#begin();
      this.#encode(records, this.#open);
      if (this.#frames.length > roomBytes) return undefined;
      if (!this.#fits(records.length, this.#open)) {
        this.endSegment();
        this.#open = this.#begin();
        this.#encode(records, this.#open);
      }
      return this.#write(records, this.#open);
    } catch (error) {
      this.endSegment();
      throw error;
    }
  }

  /** Begins a new segment with the next record. */
  endSegment(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    open.segment.isOpen = false;
    if (this.#unsynced.has(open.file)) this.#retired.add(open.file);
    else this.#close(open.file);
    this.#settings.onEnded(open.segment);
  }

  /** Waits until all that was appended before is on the medium. */
  sync(): Promise<void> {
    const synced = this.#syncing.then(() => this.#syncAll());
    this.#syncing = synced.catch(() => {});
    return synced;
  }

  syncNow(): void {
    for (const file of this.#unsynced) this.#settings.files.syncNow(file);
    this.#markSynced([...this.#unsynced]);
  }

  /** Tells others that the owner lives. Throws if the directory is gone. */
  touch(): void {
    if (!this.#directory) return;
    try {
      this.#settings.files.touch(this.#directory.path);
      this.#seenAtMs = this.#settings.clock.monotonic();
    } catch (error) {
      this.#forgetDirectory();
      throw error;
    }
  }

  /**
   * An owner that did not run for long may be taken for dead, and its directory adopted. https://man7.org: a file stays open then,
   * and what is written to it would be lost.
   */
  #checkDirectory(): void {
    const { clock, files } = this.#settings;
    if (!this.#directory || clock.monotonic() - this.#seenAtMs < DEAD_AFTER_MS / 2) return;
    try {
      files.stat(this.#directory.path);
      this.#seenAtMs = clock.monotonic();
    } catch {
      this.#forgetDirectory();
    }
  }

  #forgetDirectory(): void {
    this.endSegment();
    this.#directory = undefined;
  }

  #encode(records: readonly SpoolRecord[], { segment, records: first }: OpenSegment): void {
    this.#frames.clear();
    this.#ends = records.map((record, index) => {
      this.#frames.add(record, segment.name.mark, first + index);
      return segment.size + this.#frames.length;
    });
  }

  /** A segment takes one call of any size. */
  #fits(count: number, { segment, records }: OpenSegment): boolean {
    if (records === 0) return true;
    return records + count <= MAX_RECORDS && segment.size + this.#frames.length <= this.#settings.segmentBytes;
  }

  #write(records: readonly SpoolRecord[], open: OpenSegment): readonly Place[] {
    const { files, isSynced } = this.#settings;
    const { segment } = open;
    const { bytes } = this.#frames;
    const written = files.write(open.file, bytes, segment.size);
    if (written < bytes.length) {
      files.truncate(open.file, segment.size);
      throw noSpace(`${written} of ${bytes.length} bytes could be written`);
    }
    if (isSynced) this.#unsynced.add(open.file);
    const places = this.#ends.map((end, index) => {
      const start = this.#ends[index - 1] ?? segment.size;
      return { segment, id: segment.idOf(open.records + index), start, end };
    });
    segment.grow(bytes.length, records);
    open.records += records.length;
    return places;
  }

  #begin(): OpenSegment {
    const { files, key, clock, nextIndex, onOpened } = this.#settings;
    const directory = this.#ownDirectory();
    const name = { number: ++this.#lastNumber, mark: randomBytes(4).readUInt32LE(), version: SPOOL_VERSION };
    const file = files.create(join(directory.path, nameOf(name)));
    this.#hasNewNames = true;
    try {
      const header = headerOf(name, key, clock.now());
      if (files.write(file, header, 0) < header.length) throw noSpace('the header of a segment could not be written');
      const segment = new StoredSegment(name, directory, nextIndex(), header.length, true);
      onOpened(segment);
      return { segment, file, records: 0 };
    } catch (error) {
      this.#close(file);
      throw error;
    }
  }

  #ownDirectory(): OwnedDirectory {
    if (this.#directory) return this.#directory;
    const { files, keyDirectory, owner, clock } = this.#settings;
    const path = join(keyDirectory, directoryOf(owner));
    files.makeDirectory(path);
    this.#seenAtMs = clock.monotonic();
    this.#directory = { path, isAdopted: false };
    return this.#directory;
  }

  async #syncAll(): Promise<void> {
    const { files } = this.#settings;
    const unsynced = [...this.#unsynced];
    this.#unsynced.clear();
    try {
      await Promise.all(unsynced.map((file) => files.sync(file)));
      if (this.#hasNewNames && this.#directory) {
        this.#hasNewNames = false;
        await files.syncDirectory(this.#directory.path);
        await files.syncDirectory(dirname(this.#directory.path));
      }
    } finally {
      this.#markSynced(unsynced);
    }
  }

  #markSynced(synced: readonly number[]): void {
    for (const file of synced) {
      if (!this.#retired.delete(file)) continue;
      this.#unsynced.delete(file);
      this.#close(file);
    }
  }

  #close(file: number): void {
    try {
      this.#settings.files.close(file);
    } catch {
      // The file is of no more use in any case.
    }
  }
}

function noSpace(text: string): Error {
  return Object.assign(new Error(text), { code: 'ENOSPC' });
}
