import { join } from 'node:path';
import { attempt } from '../tools/attempt.js';
import { codeOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import { isLeft, type Owner, ownerOf } from './owner.js';
import { nameOf, parseName, type SegmentName, SPOOL_VERSION } from './segment.js';
import { faultOf, readSegment, type SegmentContent } from './segment-reader.js';

/** A directory of one destination: `cloudwatch-3f0c9a1be2d4`. */
const KEY_DIRECTORY = /^.+-[0-9a-f]{12}$/;

/** A segment as it was found. */
export interface FoundSegment {
  readonly name: SegmentName;
  readonly path: string;
  /** `undefined` if it cannot be read, or is of another version. */
  readonly content: SegmentContent | undefined;
  /** Why it cannot be used. */
  readonly fault: string | undefined;
}

/** A writer's directory as it was found. */
export interface FoundDirectory {
  readonly path: string;
  readonly owner: Owner | 'nobody';
  readonly isLeft: boolean;
  readonly segments: () => AsyncGenerator<FoundSegment>;
}

/** What a spool's directory has of one destination. */
export interface FoundSpool {
  readonly path: string;
  readonly directories: readonly FoundDirectory[];
}

/** Looks at the directory of the option `spool`. Changes nothing. Throws the error of the file system if it cannot be read. */
export function inspect(files: SpoolFiles, root: string, me: Owner, nowMs: number): readonly FoundSpool[] {
  return files
    .list(root)
    .filter((name) => KEY_DIRECTORY.test(name))
    .sort()
    .map((name) => {
      const path = join(root, name);
      const names = attempt(() => files.list(path)) ?? [];
      return { path, directories: [...names].sort().flatMap((each) => look(files, join(path, each), each, me, nowMs)) };
    });
}

function look(files: SpoolFiles, path: string, name: string, me: Owner, nowMs: number): FoundDirectory[] {
  const owner = ownerOf(name);
  if (owner === undefined) return [];
  return [{ path, owner, isLeft: isLeft(files, path, me, nowMs), segments: () => readSegments(files, path) }];
}

/** Reads the segments of a writer's directory, one after another, so that only one is in memory. */
export async function* readSegments(files: SpoolFiles, path: string): AsyncGenerator<FoundSegment> {
  const names = (attempt(() => files.list(path)) ?? []).flatMap((each) => parseName(each) ?? []);
  let key: string | undefined;
  for (const name of names.sort((a, b) => a.number - b.number)) {
    const found = await read(files, path, name, key);
    if (found) {
      key ??= found.content?.header?.key;
      yield found;
    }
  }
}

/** `undefined` for a segment whose records met their fate meanwhile: it is gone. */
async function read(
  files: SpoolFiles,
  directory: string,
  name: SegmentName,
  key: string | undefined,
): Promise<FoundSegment | undefined> {
  const path = join(directory, nameOf(name));
  const found = { name, path };
  if (name.version !== SPOOL_VERSION) return { ...found, content: undefined, fault: `version ${name.version}` };
  try {
    const content = await readSegment(files, directory, name);
    return { ...found, content, fault: faultOf(content, name, key ?? content.header?.key ?? '') };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    return { ...found, content: undefined, fault: (error as Error).message };
  }
}
