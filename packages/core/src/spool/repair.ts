import { dirname, join } from 'node:path';
import { attempt } from '../tools/attempt.js';
import { noSpace } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { directoryOf, freeDirectory, type Owner } from './owner.js';
import { Quarantine } from './quarantine.js';
import { MARKS_SUFFIX, nameOf, parseName, type SegmentName, SPOOL_VERSION } from './segment.js';
import { contentOf, type ForeignSegments, readSegment, type SegmentContent } from './segment-reader.js';
import { removeSegment } from './stored-segment.js';

/** A directory that was claimed, or a file in it of an unknown version, for which it is left alone. */
export type Claim =
  | { readonly path: string; readonly unknown?: undefined }
  | { readonly path?: undefined; readonly unknown: string };

/** Renames a directory that is left to one of `owner`. `undefined` if another process was faster. */
export function claim(files: SpoolFiles, from: string, owner: Owner, nowMs: number): Claim | undefined {
  const path = join(dirname(from), directoryOf(owner));
  return attempt(() => {
    const unknown = files.list(from).find((name) => (parseName(name)?.version ?? SPOOL_VERSION) !== SPOOL_VERSION);
    if (unknown !== undefined) return { unknown: join(from, unknown) };
    // Under the new name its heartbeat must not be old.
    files.touch(from, nowMs);
    files.rename(from, path);
    return { path };
  });
}

/** Gives a directory up, for any owner to claim: returns its new path. One that is empty is removed. */
export function giveUp(files: SpoolFiles, path: string): string {
  try {
    files.removeDirectory(path);
    return path;
  } catch {
    // It is not empty, or it is gone.
    const free = join(dirname(path), freeDirectory());
    attempt(() => files.rename(path, free));
    return free;
  }
}

/** What a repair found in a segment, and left of it. */
export interface Repaired {
  /** `undefined` if nothing is left. */
  readonly content: SegmentContent | undefined;
  /** Why the segment is foreign: it went to the quarantine. */
  readonly fault: string | undefined;
  readonly damagedRecords: number;
  /** Bytes that are no records: they went to the quarantine. */
  readonly damagedBytes: number;
  /** Why the disk did not let it be repaired. It can be read all the same. */
  readonly failure: unknown;
}

/** Repairs directories that were claimed: damaged bytes and what is foreign go to the quarantine, records stay. */
export class Repair {
  readonly #files: SpoolFiles;
  readonly #quarantine: Quarantine;

  constructor(keyDirectory: string, files: SpoolFiles) {
    this.#files = files;
    this.#quarantine = new Quarantine(keyDirectory, files);
  }

  /** Repairs a segment, and removes it if nothing is left. Rejects with the error of the file system if it cannot be read. */
  async segment(directory: string, name: SegmentName, foreign: ForeignSegments): Promise<Repaired> {
    const path = join(directory, nameOf(name));
    const content = await readSegment(this.#files, directory, name);
    const nothing = { content: undefined, fault: undefined, damagedRecords: 0, damagedBytes: 0, failure: undefined };
    const fault = foreign.faultOf(content, name);
    if (fault !== undefined) return { ...nothing, fault, failure: this.#try(() => this.#quarantine.move(path)) };
    const { bytes, found, left, marks } = content;
    const { damagedRecords } = found;
    const damagedBytes = found.damaged.reduce((sum, { start, end }) => sum + end - start, 0);
    if (damagedBytes > 0) this.#quarantine.keepParts(path, bytes, found);
    if (left.length === 0)
      return { ...nothing, damagedRecords, damagedBytes, failure: this.#try(() => removeSegment(this.#files, path)) };
    if (damagedBytes === 0) return { ...nothing, content };
    const undamaged = undamagedBytes(content);
    try {
      await this.#replace(path, undamaged);
    } catch (failure) {
      return { content, fault, damagedRecords, damagedBytes, failure };
    }
    return { content: contentOf(undamaged, marks, name), fault, damagedRecords, damagedBytes, failure: undefined };
  }

  /** Clears a directory whose segments were repaired of what belongs to none. Returns the paths of foreign files. */
  rest(directory: string): readonly string[] {
    const files = this.#files;
    const names = attempt(() => files.list(directory)) ?? [];
    const foreign: string[] = [];
    for (const name of names.filter((each) => parseName(each) === undefined)) {
      const path = join(directory, name);
      const segment = [MARKS_SUFFIX, TEMPORARY_SUFFIX].find((suffix) => parseName(withoutSuffix(name, suffix)));
      if (segment === undefined) {
        foreign.push(path);
        attempt(() => this.#quarantine.move(path));
      } else if (segment === TEMPORARY_SUFFIX || !names.includes(withoutSuffix(name, MARKS_SUFFIX)))
        attempt(() => files.remove(path));
    }
    return foreign;
  }

  /** Replaces a file at once: it is never seen half. */
  async #replace(path: string, content: Buffer): Promise<void> {
    const files = this.#files;
    const temporary = path + TEMPORARY_SUFFIX;
    attempt(() => files.remove(temporary));
    const file = files.create(temporary);
    try {
      const written = files.write(file, content, content.length, 0);
      if (written < content.length) throw noSpace(`${written} of ${content.length} bytes could be written`);
      await files.sync(file);
    } catch (error) {
      attempt(() => files.remove(temporary));
      throw error;
    } finally {
      files.close(file);
    }
    files.rename(temporary, path);
  }

  /** The error of a function. */
  #try(act: () => void): unknown {
    try {
      act();
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

const TEMPORARY_SUFFIX = '.tmp';

function withoutSuffix(name: string, suffix: string): string {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : '';
}

/** The header, unless it is damaged, and the frames. */
function undamagedBytes({ bytes, header, found: { frames } }: SegmentContent): Buffer {
  const head = bytes.subarray(0, header?.length ?? 0);
  return Buffer.concat([head, ...frames.map(({ start, end }) => bytes.subarray(start, end))]);
}
