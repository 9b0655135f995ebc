import { codeOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { type Frame, recordOf, type SpoolRecord } from './frame.js';
import type { Marks } from './marks.js';
import { scan } from './scan.js';
import type { StoredSegment } from './stored-segment.js';
import { toBuffer } from './to-buffer.js';

/** A record that was read back. */
export interface ReplayedRecord extends SpoolRecord {
  readonly id: number;
  /** Whether a request with it was begun: the service may have it. */
  readonly wasSent: boolean;
}

/** Records of a segment, one behind another, that are on disk only. */
export interface Extent {
  readonly segment: StoredSegment;
  readonly start: number;
  end: number;
  records: number;
  /** Number of the first frame of the extent in its segment. */
  readonly firstNumber: number;
  /** The marks of an adopted segment: settled records are left out. */
  readonly marks?: Marks | undefined;
  /** Whether it could not be read. */
  isUnreadable?: boolean | undefined;
}

/** A part of an extent. */
export interface Portion {
  readonly records: readonly ReplayedRecord[];
  /** Number of records of the extent that could not be read. */
  readonly lost: number;
  readonly segment: StoredSegment;
  readonly cause: unknown;
}

/** The content of the extent that is read. */
interface Reading {
  readonly extent: Extent;
  readonly bytes: Buffer;
  readonly frames: readonly Frame[];
  next: number;
  taken: number;
}

/** Reads extents back, oldest first. */
export class ReplayQueue {
  readonly #files: SpoolFiles;
  #extents: Extent[] = [];
  #reading: Reading | undefined;
  #isLoading = false;
  /** Number of records so far that were added. One that cannot be read goes behind all others: it is added again. */
  added = 0;
  /** The part of them that was taken out unread. */
  removed = 0;
  /** Number of records that wait. */
  waiting = 0;

  constructor(files: SpoolFiles) {
    this.#files = files;
  }

  /** Whether the next records could not be read when it was tried last, which then is so for all others but those that came since. */
  get isUnreadable(): boolean {
    return this.#extents[0]?.isUnreadable ?? false;
  }

  /** Has all records tried again that could not be read. */
  tryAll(): void {
    for (const extent of this.#extents) extent.isUnreadable = false;
  }

  /** Adds records behind all others. */
  push(extent: Extent): void {
    this.added += extent.records;
    this.waiting += extent.records;
    const last = this.#extents.at(-1);
    const isBeingRead = last !== undefined && this.#extents.length === 1 && (this.#isLoading || this.#reading);
    const follows = last?.segment === extent.segment && last.end === extent.start && !last.marks;
    if (last && follows && !isBeingRead && !last.isUnreadable) {
      last.end = extent.end;
      last.records += extent.records;
    } else this.#extents.push(extent);
  }

  /** Takes out all records of a segment. */
  remove(segment: StoredSegment): void {
    this.#extents = this.#extents.filter((extent) => {
      if (extent.segment !== segment) return true;
      const taken = this.#reading?.extent === extent ? this.#reading.taken : 0;
      this.waiting -= extent.records - taken;
      this.removed += extent.records - taken;
      return false;
    });
    if (this.#reading?.extent.segment === segment) this.#reading = undefined;
  }

  /**
   * Takes out the next records: about as many bytes of frames as stated, and at least one record. Rejects with the error of the file
   * system if they cannot be read now. They are given up if that is so for good, or if all of them are older than `keptSince`, a wall
   * time.
   */
  async next(maxBytes: number, keptSince: number): Promise<Portion | undefined> {
    const [extent] = this.#extents;
    if (!extent || this.#isLoading) return undefined;
    try {
      this.#reading ??= await this.#load(extent);
      extent.isUnreadable = false;
    } catch (cause) {
      if (this.#extents[0] !== extent) return undefined;
      if (codeOf(cause) === 'ENOENT' || extent.segment.lastAt < keptSince) return this.#end(extent, 0, cause);
      // Others go first, which may be readable.
      this.#extents.push(...this.#extents.splice(0, 1));
      extent.isUnreadable = true;
      this.removed += extent.records;
      this.added += extent.records;
      throw cause;
    }
    const reading = this.#reading;
    return reading && this.#take(reading, maxBytes);
  }

  async #load(extent: Extent): Promise<Reading | undefined> {
    const { segment, start, end, firstNumber } = extent;
    this.#isLoading = true;
    try {
      const bytes = toBuffer(await this.#files.read(segment.path, start, end - start));
      // The segment was given up meanwhile.
      if (this.#extents[0] !== extent) return undefined;
      const { frames } = scan(bytes, 0, segment.name.mark, firstNumber);
      return { extent, bytes, frames, next: 0, taken: 0 };
    } finally {
      this.#isLoading = false;
    }
  }

  #take(reading: Reading, maxBytes: number): Portion {
    const { extent, bytes, frames } = reading;
    const { segment, marks } = extent;
    const records: ReplayedRecord[] = [];
    for (let size = 0; size < maxBytes && reading.next < frames.length; reading.next++) {
      const frame = frames[reading.next] as Frame;
      if (marks?.settled.has(frame.number)) continue;
      const wasSent = marks?.sent.has(frame.number) ?? false;
      records.push({ ...recordOf(bytes, frame), id: segment.idOf(frame.number), wasSent });
      size += frame.end - frame.start;
    }
    reading.taken += records.length;
    this.waiting -= records.length;
    segment.inMemory += records.length;
    if (reading.next < frames.length) return { records, lost: 0, segment, cause: undefined };
    const { lost } = this.#end(extent, reading.taken, undefined);
    const cause = lost > 0 ? new Error(`${segment.path} was damaged after it was written`) : undefined;
    return { records, lost, segment, cause };
  }

  /** The extent was read to its end. */
  #end(extent: Extent, taken: number, cause: unknown): Portion {
    const lost = extent.records - taken;
    this.#extents.shift();
    this.#reading = undefined;
    this.waiting -= lost;
    return { records: [], lost, segment: extent.segment, cause };
  }
}
