import { basename, join } from 'node:path';
import { codeOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import type { Frame } from './frame.js';
import { belongsTo } from './key.js';
import { type Marks, readMarks } from './marks.js';
import { type Scan, scan } from './scan.js';
import {
  MARKS_SUFFIX,
  nameOf,
  parseHeader,
  parseName,
  type SegmentHeader,
  type SegmentName,
  SPOOL_VERSION,
} from './segment.js';
import { toBuffer } from './to-buffer.js';

/** A segment, read whole. */
export interface SegmentContent {
  readonly bytes: Buffer;
  /** `undefined` if it is damaged. */
  readonly header: SegmentHeader | undefined;
  readonly marks: Marks;
  readonly found: Scan;
  /** The frames of records that have not met their fate. */
  readonly left: readonly Frame[];
}

/** The segments among the names in a writer's directory, in order of writing. */
export function segmentsAmong(names: readonly string[]): SegmentName[] {
  return names.flatMap((name) => parseName(name) ?? []).sort((a, b) => a.number - b.number);
}

/** Reads a segment and its marks. Rejects with the error of the file system. */
export async function readSegment(files: SpoolFiles, directory: string, name: SegmentName): Promise<SegmentContent> {
  const path = join(directory, nameOf(name));
  const bytes = toBuffer(await files.read(path, 0, files.stat(path).size));
  const marks = readMarks(toBuffer(readMarksFile(files, path + MARKS_SUFFIX)), name.mark);
  return contentOf(bytes, marks, name);
}

export function contentOf(bytes: Buffer, marks: Marks, { mark }: SegmentName): SegmentContent {
  const header = parseHeader(bytes);
  const found = scan(bytes, header?.length ?? 0, mark);
  return { bytes, header, marks, found, left: found.frames.filter(({ number }) => !marks.settled.has(number)) };
}

/** Finds segments that cannot belong where they are. For the segments of one directory, in order of writing. */
export class ForeignSegments {
  readonly #keyDirectory: string;
  /** Marks of the segments so far. */
  readonly #known = new Set<number>();

  /** `keyDirectory` is the path of the destination's directory. */
  constructor(keyDirectory: string) {
    this.#keyDirectory = basename(keyDirectory);
  }

  /** Why a segment is foreign. One with a damaged header is known by its name. */
  faultOf({ header, found }: SegmentContent, { mark }: SegmentName): string | undefined {
    if (this.#known.has(mark)) return 'it is a copy of another segment';
    if (header && !belongsTo(this.#keyDirectory, header.key)) return 'it belongs to another spool';
    if (header && header.version !== SPOOL_VERSION) return `it has another version of the format than ${SPOOL_VERSION}`;
    if (header && header.mark !== mark) return 'its name is not its own';
    if (found.frames.length > 0) this.#known.add(mark);
    return undefined;
  }
}

function readMarksFile(files: SpoolFiles, path: string): Uint8Array {
  try {
    return files.readAll(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return new Uint8Array();
  }
}
