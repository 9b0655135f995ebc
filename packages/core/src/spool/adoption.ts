import { join } from 'node:path';
import type { Clock } from '../contract/clock.js';
import { attempt } from '../tools/attempt.js';
import { codeOf, remedyOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { recordOf } from './frame.js';
import { isLeft, type Owner } from './owner.js';
import { QUARANTINE } from './quarantine.js';
import { claim, Repair } from './repair.js';
import type { Extent } from './replay-queue.js';
import { MAX_RECORDS, nameOf, parseName, SPOOL_VERSION } from './segment.js';
import { ForeignSegments, segmentsAmong } from './segment-reader.js';
import { type OwnedDirectory, StoredSegment } from './stored-segment.js';

interface Settings {
  /** The directory of the option. */
  readonly root: string;
  readonly keyDirectory: string;
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
  /** Something on disk needs a look. Told once for each path. */
  readonly onNotice: (text: string) => void;
}

/** Takes over what dead owners left. */
export class Adoption {
  readonly #settings: Settings;
  readonly #repair: Repair;
  readonly #told = new Set<string>();
  /** Segments that could not be read, and directories of ours that could not be listed. */
  #unread: StoredSegment[] = [];
  #unlisted: OwnedDirectory[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#repair = new Repair(settings.keyDirectory, settings.files);
  }

  /** Adopts all directories of dead owners: first those whose owners died first. Never rejects. */
  async run(): Promise<void> {
    const { keyDirectory, isClosed } = this.#settings;
    const unread = this.#unread;
    const unlisted = this.#unlisted;
    this.#unread = [];
    this.#unlisted = [];
    for (const directory of unlisted) await this.#recover(directory);
    for (const segment of unread) await this.#tryToRecover(segment, new ForeignSegments(keyDirectory));
    for (const name of this.#listLeft()) {
      if (isClosed()) return;
      const directory = this.#claim(name);
      if (directory) await this.#recover(directory);
    }
  }

  /** Bytes of the segments of dead owners, which nobody has adopted. */
  get leftBytes(): number {
    const { keyDirectory, files } = this.#settings;
    const paths = this.#listLeft().flatMap((name) => {
      const directory = join(keyDirectory, name);
      return segmentsAmong(this.#list(directory)).map((segment) => join(directory, nameOf(segment)));
    });
    return paths.reduce((sum, path) => sum + (attempt(() => files.stat(path).size) ?? 0), 0);
  }

  /** Names directories of other destinations that hold records of nobody. */
  tellForeign(): void {
    const { root, keyDirectory } = this.#settings;
    for (const name of this.#list(root)) {
      const path = join(root, name);
      if (path === keyDirectory) continue;
      const isLeft = this.#list(path).some((each) => this.#isLeft(path, each) && this.#hasSegments(join(path, each)));
      if (isLeft)
        this.#tellLeftAlone(
          path,
          'it holds records of another destination, endpoint, region, project or payload format ' +
            '(a process with those settings delivers them; "npx logferry spool" shows them)',
        );
    }
  }

  /** Names of the directories of dead owners, in order of their last signs of life. */
  #listLeft(): readonly string[] {
    const { keyDirectory, files } = this.#settings;
    const seenAt = (name: string): number => attempt(() => files.stat(join(keyDirectory, name)).mtimeMs) ?? 0;
    return this.#list(keyDirectory)
      .filter((name) => this.#isLeft(keyDirectory, name))
      .map((name) => ({ name, seenAtMs: seenAt(name) }))
      .sort((a, b) => a.seenAtMs - b.seenAtMs)
      .map(({ name }) => name);
  }

  /** Renames the directory of a dead owner to one of ours. `undefined` if it lives, or another process was faster. */
  #claim(name: string): OwnedDirectory | undefined {
    const { keyDirectory, owner, files, clock } = this.#settings;
    if (!this.#isLeft(keyDirectory, name)) return undefined;
    const claimed = claim(files, join(keyDirectory, name), owner, clock.now());
    if (claimed?.unknown !== undefined)
      this.#tellLeftAlone(
        claimed.unknown,
        `it has another version of the format than ${SPOOL_VERSION} (the version of Logferry that wrote it delivers it)`,
      );
    if (claimed?.path === undefined) return undefined;
    const directory = { path: claimed.path, isAdopted: true };
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
    const { keyDirectory, nextIndex, isClosed, onSearched } = this.#settings;
    if (isClosed()) return;
    const names = this.#namesIn(directory);
    if (!names) return;
    const foreign = new ForeignSegments(keyDirectory);
    for (const name of segmentsAmong(names))
      await this.#tryToRecover(new StoredSegment(name, directory, nextIndex(), 0, false), foreign);
    // It may be another owner's already.
    if (isClosed()) return;
    for (const path of this.#repair.rest(directory.path)) this.#tellLeftAlone(path, 'it is no file of a spool');
    onSearched(directory);
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
  async #tryToRecover(segment: StoredSegment, foreign: ForeignSegments): Promise<void> {
    if (this.#settings.isClosed()) return;
    try {
      await this.#recoverSegment(segment, foreign);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      this.#unread.push(segment);
      this.#tellUnreadable(segment.path, error);
    }
  }

  async #recoverSegment(segment: StoredSegment, foreign: ForeignSegments): Promise<void> {
    const { onRecovered, onDamaged, isClosed } = this.#settings;
    const { content, fault, damagedRecords } = await this.#repair.segment(
      segment.directory.path,
      segment.name,
      foreign,
    );
    if (fault !== undefined) this.#tellLeftAlone(segment.path, fault);
    else if (damagedRecords > 0) this.#tellDamaged(segment.path, damagedRecords);
    if (fault !== undefined || damagedRecords > 0) onDamaged(fault === undefined ? damagedRecords : 1);
    // Once its directory is given up, the next owner counts it.
    if (!content || isClosed()) return;
    const { bytes, left, marks } = content;
    for (const frame of left) segment.note(recordOf(bytes, frame).acceptedAt);
    segment.size = bytes.length;
    segment.records = MAX_RECORDS;
    segment.unsettled = left.length;
    onRecovered({ segment, start: 0, end: segment.size, records: left.length, firstNumber: 0, marks });
  }

  #tellUnreadable(path: string, error: unknown): void {
    this.#tellLeftAlone(path, `it cannot be read: ${(error as Error).message} (${remedyOf(error)})`);
  }

  #tellLeftAlone(path: string, why: string): void {
    this.#tell(path, `is left alone: ${why}`);
  }

  #tellDamaged(path: string, records: number): void {
    const what = records === 1 ? 'a damaged record' : `${records} damaged records`;
    const why = 'a kill or the loss of power cut the last write off, or the disk is bad';
    this.#tell(path, `had ${what} (${why}; the bytes are in the directory ${QUARANTINE})`);
  }

  #tell(path: string, what: string): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    this.#settings.onNotice(`${path} ${what}`);
  }

  #list(path: string): readonly string[] {
    return attempt(() => this.#settings.files.list(path)) ?? [];
  }
}
