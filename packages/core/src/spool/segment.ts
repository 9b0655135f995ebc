import { crc32 } from '../tools/crc32.js';

/** The version of the format, which SPOOL.md describes. */
export const SPOOL_VERSION = 1;

/** Most records of a segment. */
export const MAX_RECORDS: number = 2 ** 20;

const MAGIC = 'LOGFERRY';

/** The bytes of a header besides the key: magic, version (u16), length (u16), mark (u32), number (u32), 0 (u32), time (f64), CRC-32. */
const HEADER_BYTES = 36;
const KEY_FROM = 32;

/** `00000001-5f3a9c21.v1`: number and mark stand in the name, too, so that a damaged header costs no record. */
const NAME = /^(\d{8,})-([0-9a-f]{8})\.v(\d+)$/;

/** Added to the name of a segment: the file of its marks. */
export const MARKS_SUFFIX = '.marks';

/** What the name of a segment says. */
export interface SegmentName {
  readonly number: number;
  readonly mark: number;
  readonly version: number;
}

export function nameOf({ number, mark, version }: SegmentName): string {
  return `${String(number).padStart(8, '0')}-${mark.toString(16).padStart(8, '0')}.v${version}`;
}

/** `undefined` for a file that is no segment. */
export function parseName(name: string): SegmentName | undefined {
  const match = NAME.exec(name);
  if (!match) return undefined;
  const [, number, mark, version] = match;
  return { number: Number(number), mark: Number.parseInt(mark as string, 16), version: Number(version) };
}

/** The first bytes of a segment. */
export function headerOf({ number, mark, version }: SegmentName, key: string, createdAt: number): Uint8Array {
  const keyBytes = Buffer.from(key);
  const header = Buffer.alloc(HEADER_BYTES + keyBytes.length);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt16LE(version, 8);
  header.writeUInt16LE(header.length, 10);
  header.writeUInt32LE(mark, 12);
  header.writeUInt32LE(number, 16);
  header.writeDoubleLE(createdAt, 24);
  header.set(keyBytes, KEY_FROM);
  header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4);
  return header;
}

/** What the header of a segment says. */
export interface SegmentHeader extends SegmentName {
  readonly key: string;
  readonly createdAt: number;
  /** Bytes of the header. */
  readonly length: number;
}

/** `undefined` for a header that is damaged, or cut off. */
export function parseHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined;
  const length = bytes.readUInt16LE(10);
  if (length < HEADER_BYTES || length > bytes.length) return undefined;
  if (bytes.readUInt32LE(length - 4) !== crc32(bytes.subarray(0, length - 4))) return undefined;
  return {
    version: bytes.readUInt16LE(8),
    mark: bytes.readUInt32LE(12),
    number: bytes.readUInt32LE(16),
    createdAt: bytes.readDoubleLE(24),
    key: bytes.toString('utf8', KEY_FROM, length - 4),
    length,
  };
}
