import { basename, join } from 'node:path';
import { codeOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { isKeyDirectory } from './key.js';
import { isLeft, type Owner, ownerOf } from './owner.js';
import { QUARANTINE } from './quarantine.js';
import { type SegmentName, SPOOL_VERSION } from './segment.js';
import { ForeignSegments, readSegment, type SegmentContent, segmentsAmong } from './segment-reader.js';

/** A segment as it was found. */
export interface FoundSegment {
  readonly name: SegmentName;
  /** `undefined` if it cannot be read, or is of another version. */
  readonly content: SegmentContent | undefined;
  readonly damagedRecords: number;
  /** Bytes that are no records. */
  readonly damagedBytes: number;
  /** Why it cannot be used. */
  readonly fault: string | undefined;
}

/** A writer's directory as it was found. */
export interface FoundDirectory {
  readonly path: string;
  readonly owner: Owner | 'nobody';
  /** Whether the owner is dead, or gave it up. */
  readonly isLeft: boolean;
  readonly heartbeatAgeMs: number;
  /** One after another, so that only one is in memory. Throws the error of the file system if the directory cannot be read. */
  readonly segments: () => AsyncGenerator<FoundSegment>;
}

/** What a spool's directory has of one destination. */
export interface FoundSpool {
  readonly path: string;
  readonly directories: readonly FoundDirectory[];
  /** Files in the quarantine, and their bytes. */
  readonly quarantine: { readonly files: number; readonly bytes: number };
  /** Why it cannot be read. */
  readonly fault: string | undefined;
}

/** Looks at the directory of the option `spool`. Changes nothing. Throws the error of the file system if it cannot be read. */
export function inspect(files: SpoolFiles, root: string, me: Owner, nowMs: number): readonly FoundSpool[] {
  return files
    .list(root)
    .filter(isKeyDirectory)
    .sort()
    .map((name) => lookAtSpool(files, join(root, name), me, nowMs));
}

function lookAtSpool(files: SpoolFiles, path: string, me: Owner, nowMs: number): FoundSpool {
  try {
    const names = [...files.list(path)].sort();
    const directories = names.flatMap((name) => lookAtDirectory(files, join(path, name), me, nowMs));
    return { path, directories, quarantine: sizeOf(files, join(path, QUARANTINE)), fault: undefined };
  } catch (error) {
    return { path, directories: [], quarantine: { files: 0, bytes: 0 }, fault: (error as Error).message };
  }
}

/** One directory, or none for another name, and for one that is gone meanwhile. */
function lookAtDirectory(files: SpoolFiles, path: string, me: Owner, nowMs: number): FoundDirectory[] {
  const owner = ownerOf(basename(path));
  if (owner === undefined) return [];
  return unlessGone(() => {
    const heartbeatAgeMs = nowMs - files.stat(path).mtimeMs;
    const isDead = isLeft(files, path, me, nowMs);
    return [{ path, owner, isLeft: isDead, heartbeatAgeMs, segments: () => readSegments(files, path, isDead) }];
  }, []);
}

async function* readSegments(files: SpoolFiles, directory: string, isDead: boolean): AsyncGenerator<FoundSegment> {
  const names = segmentsAmong(unlessGone(() => files.list(directory), []));
  const foreign = new ForeignSegments(join(directory, '..'));
  for (const name of names) {
    const isWritten = !isDead && name === names.at(-1);
    const found = await read(files, directory, name, foreign, isWritten);
    if (found) yield found;
  }
}

/** `undefined` for a segment whose records met their fate meanwhile: it is gone. `isWritten`: its end may be half written yet. */
async function read(
  files: SpoolFiles,
  directory: string,
  name: SegmentName,
  foreign: ForeignSegments,
  isWritten: boolean,
): Promise<FoundSegment | undefined> {
  const none = { name, content: undefined, damagedRecords: 0, damagedBytes: 0 };
  if (name.version !== SPOOL_VERSION) return { ...none, fault: `it has version ${name.version} of the format` };
  try {
    const content = await readSegment(files, directory, name);
    const { damaged, damagedRecords } = content.found;
    const last = damaged.at(-1);
    const isUnfinished = isWritten && last?.end === content.bytes.length;
    const parts = isUnfinished ? damaged.slice(0, -1) : damaged;
    return {
      name,
      content,
      damagedRecords: damagedRecords - (isUnfinished ? 1 : 0),
      damagedBytes: parts.reduce((sum, { start, end }) => sum + end - start, 0),
      fault: foreign.faultOf(content, name),
    };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    return { ...none, fault: `it cannot be read: ${(error as Error).message}` };
  }
}

function sizeOf(files: SpoolFiles, directory: string): FoundSpool['quarantine'] {
  const names = unlessGone(() => files.list(directory), []);
  const bytes = names.reduce((sum, name) => sum + unlessGone(() => files.stat(join(directory, name)).size, 0), 0);
  return { files: names.length, bytes };
}

/** The result of a function; `gone` if what it looks at is not there. */
function unlessGone<T>(look: () => T, gone: T): T {
  try {
    return look();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return gone;
    throw error;
  }
}
