import { basename, dirname, join } from 'node:path';
import type { Clock } from '../contract/clock.js';
import { attempt } from '../tools/attempt.js';
import { codeOf, remedyOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { recordOf } from './frame.js';
import { type Marks, readMarks } from './marks.js';
import { directoryOf, isAlive, type Owner, ownerOf } from './owner.js';
import type { Extent } from './replay-queue.js';
import { type Scan, scan } from './scan.js';
import {
  MARKS_SUFFIX,
  MAX_RECORDS,
  parseHeader,
  parseName,
  type SegmentHeader,
  type SegmentName,
  SPOOL_VERSION,
} from './segment.js';
import { type OwnedDirectory, StoredSegment } from './stored-segment.js';

/** Most bytes that are kept of damaged parts of segments. */
const MAX_QUARANTINE_BYTES = 8 * 1024 * 1024;

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
  readonly #told = new Set<string>();
  /** Segments that could not be read. */
  #unread: StoredSegment[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Adopts all directories of dead owners. Never rejects. */
  async run(): Promise<void> {
    const { keyDirectory, isClosed } = this.#settings;
    const unread = this.#unread;
    this.#unread = [];
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
    const unknown = this.#list(from).find((each) => (parseName(each)?.version ?? SPOOL_VERSION) !== SPOOL_VERSION);
    if (unknown !== undefined) {
      this.#tell(join(from, unknown), `it has another version of the format than ${SPOOL_VERSION}`);
      return undefined;
    }
    const path = join(keyDirectory, directoryOf(owner));
    try {
      // Under the new name its heartbeat must not be old.
      files.touch(from, clock.now());
      files.rename(from, path);
    } catch {
      return undefined;
    }
    const directory = { path, isAdopted: true };
    this.#settings.onAdopted(directory);
    return directory;
  }

  /** Whether the owner of a directory is dead, or gave it up. */
  #isLeft(keyDirectory: string, name: string): boolean {
    const { owner: me, files, clock } = this.#settings;
    const owner = ownerOf(name);
    if (owner === undefined) return false;
    if (owner === 'nobody') return true;
    try {
      return !isAlive(owner, me, clock.now() - files.stat(join(keyDirectory, name)).mtimeMs);
    } catch {
      return false;
    }
  }

  #hasSegments(path: string): boolean {
    return this.#list(path).some((name) => parseName(name) !== undefined);
  }

  async #recover(directory: OwnedDirectory): Promise<void> {
    const names = this.#list(directory.path);
    const segments = names
      .flatMap((name) => parseName(name) ?? [])
      .sort((a, b) => a.number - b.number)
      .map((name) => new StoredSegment(name, directory, this.#settings.nextIndex(), 0, false));
    const known = new Set<number>();
    for (const segment of segments) await this.#tryToRecover(segment, known);
    for (const name of names) if (name.endsWith(MARKS_SUFFIX)) this.#removeOrphan(join(directory.path, name));
    this.#settings.onSearched(directory);
  }

  /** A segment that cannot be read now is tried again with the next look: the disk may be well then. */
  async #tryToRecover(segment: StoredSegment, known: Set<number>): Promise<void> {
    if (this.#settings.isClosed()) return;
    try {
      await this.#recoverSegment(segment, known);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      this.#unread.push(segment);
      this.#tell(segment.path, `it cannot be read: ${(error as Error).message} (${remedyOf(error)})`);
    }
  }

  async #recoverSegment(segment: StoredSegment, known: Set<number>): Promise<void> {
    const { files, key, onRecovered, onDamaged } = this.#settings;
    const { name } = segment;
    segment.size = files.stat(segment.path).size;
    const bytes = await files.read(segment.path, 0, segment.size);
    const header = parseHeader(bytes);
    const fault = faultOf(header, name, key, known);
    if (fault !== undefined) {
      onDamaged(1);
      this.#tell(segment.path, fault);
      this.#quarantineWhole(segment);
      return;
    }
    const marks = this.#marksOf(segment);
    const found = scan(bytes, header?.length ?? 0, name.mark);
    if (found.frames.length > 0) known.add(name.mark);
    if (found.damagedRecords > 0) {
      onDamaged(found.damagedRecords);
      this.#quarantine(segment, bytes, found);
    }
    const left = found.frames.filter(({ number }) => !marks.settled.has(number));
    if (left.length === 0) {
      attempt(() => segment.remove(files));
      return;
    }
    for (const frame of left) segment.note(recordOf(bytes, frame).acceptedAt);
    segment.records = MAX_RECORDS;
    segment.unsettled = left.length;
    onRecovered({ segment, start: 0, end: segment.size, records: left.length, firstNumber: 0, marks });
  }

  #marksOf(segment: StoredSegment): Marks {
    const { mark } = segment.name;
    try {
      return readMarks(this.#settings.files.readAll(segment.marksPath), mark);
    } catch {
      return readMarks(Buffer.alloc(0), mark);
    }
  }

  /** Keeps the damaged bytes, as far as there is room. */
  #quarantine({ path }: StoredSegment, bytes: Buffer, { damaged }: Scan): void {
    const { files } = this.#settings;
    const directory = this.#quarantineDirectory();
    try {
      files.makeDirectory(directory);
      let used = this.#list(directory).reduce((sum, name) => sum + files.stat(join(directory, name)).size, 0);
      for (const { start, end } of damaged) {
        used += end - start;
        if (used > MAX_QUARANTINE_BYTES) return;
        files.append(join(directory, `${basename(path)}-${start}.bad`), bytes.subarray(start, end));
      }
    } catch {
      // The records are lost in any case, and counted.
    }
  }

  #quarantineWhole({ path }: StoredSegment): void {
    const { files } = this.#settings;
    const directory = this.#quarantineDirectory();
    try {
      files.makeDirectory(directory);
      files.rename(path, join(directory, `${basename(dirname(path))}-${basename(path)}`));
    } catch {
      // It stays where it is.
    }
  }

  #quarantineDirectory(): string {
    return join(this.#settings.keyDirectory, 'quarantine');
  }

  /** Removes marks whose segment is gone. */
  #removeOrphan(path: string): void {
    const { files } = this.#settings;
    try {
      files.stat(path.slice(0, -MARKS_SUFFIX.length));
    } catch {
      attempt(() => files.remove(path));
    }
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

/** Why a segment cannot belong to this spool. One with a damaged header is known by its name. */
function faultOf(
  header: SegmentHeader | undefined,
  { mark }: SegmentName,
  key: string,
  known: ReadonlySet<number>,
): string | undefined {
  if (known.has(mark)) return 'it is a copy of another segment';
  if (!header) return undefined;
  if (header.key !== key) return 'it belongs to another spool';
  if (header.version !== SPOOL_VERSION) return `it has another version of the format than ${SPOOL_VERSION}`;
  return header.mark !== mark ? 'its name is not its own' : undefined;
}
