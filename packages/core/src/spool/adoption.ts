import { dirname, join } from 'node:path';
import type { Clock } from '../contract/clock.js';
import { attempt } from '../tools/attempt.js';
import { codeOf, remedyOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { recordOf } from './frame.js';
import { directoryOf, isLeft, type Owner } from './owner.js';
import { Quarantine } from './quarantine.js';
import type { Extent } from './replay-queue.js';
import { MARKS_SUFFIX, MAX_RECORDS, parseName, SPOOL_VERSION } from './segment.js';
import { faultOf, readSegment } from './segment-reader.js';
import { type OwnedDirectory, StoredSegment } from './stored-segment.js';

interface Settings {
  /** The directory of the option. */
  readonly root: string;
  readonly keyDirectory: string;
  readonly key: string;
  readonly owner: Owner;
  readonly files: SpoolFiles;
  readonly clock: Clock;
  readonly nextIndex: () => number;
  /** Whether the spool has been closed. */
  readonly isClosed: () => boolean;
  readonly onAdopted: (directory: OwnedDirectory) => void;
  /** All segments of a directory were read, as far as they can be. */
  readonly onSearched: (directory: OwnedDirectory) => void;
  /** A segment of a dead owner is ours, and has records that have not met their fate. */
  readonly onRecovered: (extent: Extent) => void;
  readonly onDamaged: (records: number) => void;
  /** Something on disk is left alone. Told once for each path. */
  readonly onLeftAlone: (path: string, why: string) => void;
}

/** Takes over what dead owners left. */
export class Adoption {
  readonly #settings: Settings;
  readonly #quarantine: Quarantine;
  readonly #told = new Set<string>();
  /** Segments that could not be read, and directories of ours that could not be listed. */
  #unread: StoredSegment[] = [];
  #unlisted: OwnedDirectory[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#quarantine = new Quarantine(settings.keyDirectory, settings.files);
  }

  /** Adopts all directories of dead owners. Never rejects. */
  async run(): Promise<void> {
    const { keyDirectory, isClosed } = this.#settings;
    const unread = this.#unread;
    const unlisted = this.#unlisted;
    this.#unread = [];
    this.#unlisted = [];
    for (const directory of unlisted) await this.#recover(directory);
    for (const segment of unread) await this.#tryToRecover(segment, new Set());
    for (const name of this.#list(keyDirectory)) {
      if (isClosed()) return;
      const directory = this.#claim(name);
      if (directory) await this.#recover(directory);
    }
  }

  /** Names directories of other destinations that hold records of nobody. */
  tellForeign(): void {
    const { root, keyDirectory } = this.#settings;
    for (const name of this.#list(root)) {
      const path = join(root, name);
      if (path === keyDirectory) continue;
      const isLeft = this.#list(path).some((each) => this.#isLeft(path, each) && this.#hasSegments(join(path, each)));
      if (isLeft)
        this.#tell(path, 'it holds records of another destination, endpoint, region, project or payload format');
    }
  }

  /** Renames the directory of a dead owner to one of ours. `undefined` if it lives, or another process was faster. */
  #claim(name: string): OwnedDirectory | undefined {
    const { keyDirectory, owner, files, clock } = this.#settings;
    const from = join(keyDirectory, name);
    if (!this.#isLeft(keyDirectory, name)) return undefined;
    const names = attempt(() => files.list(from));
    const unknown = names?.find((each) => (parseName(each)?.version ?? SPOOL_VERSION) !== SPOOL_VERSION);
    if (unknown !== undefined) {
      this.#tell(join(from, unknown), `it has another version of the format than ${SPOOL_VERSION}`);
      return undefined;
    }
    // What it has is not known now.
    if (!names) return undefined;
    const path = claim(files, from, owner, clock.now());
    if (path === undefined) return undefined;
    const directory = { path, isAdopted: true };
    this.#settings.onAdopted(directory);
    return directory;
  }

  #isLeft(keyDirectory: string, name: string): boolean {
    const { owner, files, clock } = this.#settings;
    return isLeft(files, join(keyDirectory, name), owner, clock.now());
  }

  #hasSegments(path: string): boolean {
    return this.#list(path).some((name) => parseName(name) !== undefined);
  }

  async #recover(directory: OwnedDirectory): Promise<void> {
    if (this.#settings.isClosed()) return;
    const names = this.#namesIn(directory);
    if (!names) return;
    const segments = names
      .flatMap((name) => parseName(name) ?? [])
      .sort((a, b) => a.number - b.number)
      .map((name) => new StoredSegment(name, directory, this.#settings.nextIndex(), 0, false));
    const known = new Set<number>();
    for (const segment of segments) await this.#tryToRecover(segment, known);
    for (const name of names) if (name.endsWith(MARKS_SUFFIX)) this.#removeOrphan(join(directory.path, name));
    this.#settings.onSearched(directory);
  }

  /** `undefined` if they cannot be listed now: they are with the next look. */
  #namesIn(directory: OwnedDirectory): readonly string[] | undefined {
    try {
      return this.#settings.files.list(directory.path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        this.#unlisted.push(directory);
        this.#tellUnreadable(directory.path, error);
      }
      return undefined;
    }
  }

  /** A segment that cannot be read now is tried again with the next look: the disk may be well then. */
  async #tryToRecover(segment: StoredSegment, known: Set<number>): Promise<void> {
    if (this.#settings.isClosed()) return;
    try {
      await this.#recoverSegment(segment, known);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      this.#unread.push(segment);
      this.#tellUnreadable(segment.path, error);
    }
  }

  async #recoverSegment(segment: StoredSegment, known: Set<number>): Promise<void> {
    const { files, key, onRecovered, onDamaged } = this.#settings;
    const { name, path } = segment;
    const content = await readSegment(files, segment.directory.path, name);
    if (this.#settings.isClosed()) return;
    const { bytes, found, left, marks } = content;
    const fault = known.has(name.mark) ? 'it is a copy of another segment' : faultOf(content, name, key);
    if (fault !== undefined) {
      onDamaged(1);
      this.#tell(path, fault);
      this.#quarantine.move(path);
      return;
    }
    if (found.frames.length > 0) known.add(name.mark);
    if (found.damagedRecords > 0) {
      onDamaged(found.damagedRecords);
      this.#quarantine.keepParts(path, bytes, found);
    }
    if (left.length === 0) {
      segment.remove(files);
      return;
    }
    for (const frame of left) segment.note(recordOf(bytes, frame).acceptedAt);
    segment.size = bytes.length;
    segment.records = MAX_RECORDS;
    segment.unsettled = left.length;
    onRecovered({ segment, start: 0, end: segment.size, records: left.length, firstNumber: 0, marks });
  }

  /** Removes marks whose segment is gone. */
  #removeOrphan(path: string): void {
    const { files } = this.#settings;
    try {
      files.stat(path.slice(0, -MARKS_SUFFIX.length));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') attempt(() => files.remove(path));
    }
  }

  #tellUnreadable(path: string, error: unknown): void {
    this.#tell(path, `it cannot be read: ${(error as Error).message} (${remedyOf(error)})`);
  }

  #tell(path: string, why: string): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    this.#settings.onLeftAlone(path, why);
  }

  #list(path: string): readonly string[] {
    return attempt(() => this.#settings.files.list(path)) ?? [];
  }
}

/** Renames a directory that is left to one of `owner`. Returns its path; `undefined` if another process was faster. */
export function claim(files: SpoolFiles, from: string, owner: Owner, nowMs: number): string | undefined {
  const path = join(dirname(from), directoryOf(owner));
  return attempt(() => {
    // Under the new name its heartbeat must not be old.
    files.touch(from, nowMs);
    files.rename(from, path);
    return path;
  });
}
