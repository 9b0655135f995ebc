import { join } from 'node:path';
import { codeOf } from './disk-errors.js';
import type { SpoolFiles } from './files.js';
import type { Frame } from './frame.js';
import { type Marks, readMarks } from './marks.js';
import { type Scan, scan } from './scan.js';
import { MARKS_SUFFIX, nameOf, parseHeader, type SegmentHeader, type SegmentName, SPOOL_VERSION } from './segment.js';
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

/** Reads a segment and its marks. Rejects with the error of the file system. */
export async function readSegment(files: SpoolFiles, directory: string, name: SegmentName): Promise<SegmentContent> {
  const path = join(directory, nameOf(name));
  const bytes = toBuffer(await files.read(path, 0, files.stat(path).size));
  const header = parseHeader(bytes);
  const marks = readMarks(toBuffer(readMarksFile(files, path + MARKS_SUFFIX)), name.mark);
  const found = scan(bytes, header?.length ?? 0, name.mark);
  return { bytes, header, marks, found, left: found.frames.filter(({ number }) => !marks.settled.has(number)) };
}

/** Why a segment cannot belong to the spool with this key. One with a damaged header is known by its name. */
export function faultOf({ header }: SegmentContent, { mark }: SegmentName, key: string): string | undefined {
  if (!header) return undefined;
  if (header.key !== key) return 'it belongs to another spool';
  if (header.version !== SPOOL_VERSION) return `it has another version of the format than ${SPOOL_VERSION}`;
  return header.mark !== mark ? 'its name is not its own' : undefined;
}

function readMarksFile(files: SpoolFiles, path: string): Uint8Array {
  try {
    return files.readAll(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return new Uint8Array();
  }
}
