import { join } from 'node:path';
import { attempt } from '../tools/attempt.js';
import { codeOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { type MarkKind, markEntry } from './marks.js';
import { MARKS_SUFFIX, MAX_RECORDS, nameOf, type SegmentName } from './segment.js';

/** A directory of a spool that this thread owns. Its path changes when it is given up. */
export interface OwnedDirectory {
  path: string;
  /** Whether a dead owner left it. */
  readonly isAdopted: boolean;
}

/**
 * A segment on disk, and how many of its records have not met their fate. The id of a record is a number that is unique in this
 * spool: it tells segment and number.
 */
export class StoredSegment {
  readonly name: SegmentName;
  readonly directory: OwnedDirectory;
  /** Position among all segments of this spool. */
  readonly index: number;
  /** Bytes of the file. */
  size: number;
  /** Wall times of acceptance of its first and its last record, in epoch milliseconds. */
  firstAt: number = Number.POSITIVE_INFINITY;
  lastAt: number = Number.NEGATIVE_INFINITY;
  /** Number of records that were written, damaged ones too: larger numbers are not on disk. */
  records = 0;
  /** Records that have not met their fate. */
  unsettled = 0;
  /** The part of them that is in memory, too. */
  inMemory = 0;
  /** Whether records may follow. */
  isOpen: boolean;

  constructor(name: SegmentName, directory: OwnedDirectory, index: number, size: number, isOpen: boolean) {
    this.name = name;
    this.directory = directory;
    this.index = index;
    this.size = size;
    this.isOpen = isOpen;
  }

  get path(): string {
    return join(this.directory.path, nameOf(this.name));
  }

  get marksPath(): string {
    return this.path + MARKS_SUFFIX;
  }

  /** The time of acceptance of a record. */
  note(acceptedAt: number): void {
    if (acceptedAt < this.firstAt) this.firstAt = acceptedAt;
    if (acceptedAt > this.lastAt) this.lastAt = acceptedAt;
  }

  idOf(number: number): number {
    return this.index * MAX_RECORDS + number;
  }

  /** Writes marks for records, by numbers in ascending order. One that cannot be written costs a duplicate after a crash. */
  mark(files: SpoolFiles, kind: MarkKind, numbers: readonly number[]): void {
    try {
      files.append(this.marksPath, markEntry(kind, numbers, this.name.mark));
    } catch {
      // See above.
    }
  }

  /** Removes the files. Returns whether the segment is gone. */
  remove(files: SpoolFiles): boolean {
    try {
      removeSegment(files, this.path);
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * Removes the files of a segment, which may be gone already. The marks go last: without them its records would be delivered again.
 * Throws the error of the file system.
 */
export function removeSegment(files: SpoolFiles, path: string): void {
  try {
    files.remove(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  // It may have none.
  attempt(() => files.remove(path + MARKS_SUFFIX));
}

/** The index of the segment that has the record with this id. */
export function indexOf(id: number): number {
  return Math.floor(id / MAX_RECORDS);
}

/** Its number in the segment. */
export function numberOf(id: number): number {
  // Quicker than the remainder of a number that is not small.
  return id - indexOf(id) * MAX_RECORDS;
}
