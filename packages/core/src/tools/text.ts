import { randomUUID } from 'node:crypto';

/** The size of a code point by one measure, in bytes. */
export type BytesOf = (codePoint: number) => number;

/** Bytes of a code point in UTF-8: 1 to 4. */
export function utf8Bytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/**
 * Finds the longest slice of `text` from the index `start` that has at most `maxBytes`, as `bytesOf` counts code points.
 *
 * @returns the index where the slice ends, never between the halves of a surrogate pair; `start` if no code point fits
 */
export function endOfSlice(text: string, start: number, maxBytes: number, bytesOf: BytesOf = utf8Bytes): number {
  let index = start;
  let bytes = 0;
  // Counts long slices natively. A slice has at most three bytes a code unit, so it fits.
  while (bytesOf === utf8Bytes && index < text.length && maxBytes - bytes > MIN_COUNTED_BYTES) {
    const end = endOfCharacter(text, Math.min(index + Math.floor((maxBytes - bytes) / 3), text.length));
    bytes += Buffer.byteLength(text.slice(index, end));
    index = end;
  }
  while (index < text.length) {
    const codePoint = text.codePointAt(index) ?? 0;
    bytes += bytesOf(codePoint);
    if (bytes > maxBytes) return index;
    index += codePoint < 0x10000 ? 1 : 2;
  }
  return index;
}

const MIN_COUNTED_BYTES = 200;

/** The index itself, or the one before it if it is between the halves of a surrogate pair. */
function endOfCharacter(text: string, index: number): number {
  return (text.codePointAt(index - 1) ?? 0) > 0xffff ? index - 1 : index;
}

/**
 * Cuts a text to at most `maxBytes`, as `bytesOf` counts code points, and appends the mark
 * `… [truncated from 12345 bytes]` with the text's own size in bytes of UTF-8; of a text of more than 4,194,304 characters, whose
 * bytes take long to count, `… [truncated from 12345678 characters]`. A text that has a mark keeps it. `maxBytes` has to leave
 * room for the mark: 64 are enough.
 */
export function truncate(text: string, maxBytes: number, bytesOf: BytesOf = utf8Bytes): string {
  const mark = MARK.exec(text.slice(-MAX_MARK_LENGTH))?.[0] ?? `… [truncated from ${sizeLabel(text)}]`;
  return text.slice(0, endOfSlice(text, 0, maxBytes - Buffer.byteLength(mark), bytesOf)) + mark;
}

/** A text's size for a message: `12345 bytes`, or `12345678 characters`. */
function sizeLabel(text: string): string {
  return text.length > MAX_COUNTED_LENGTH ? `${text.length} characters` : `${Buffer.byteLength(text)} bytes`;
}

const MARK = /… \[truncated from \d+ (?:bytes|characters)\]$/;
const MAX_MARK_LENGTH = 64;
const MAX_COUNTED_LENGTH = 4 * 1024 * 1024;

/** The most that one part of a split text may have, as `bytesOf` counts code points: by default bytes of UTF-8. */
export interface PartLimit {
  readonly maxBytes: number;
  readonly bytesOf?: BytesOf;
}

/** Most bytes of the header that {@link split} puts before a part. No string has parts enough for an eighth digit. */
export const MAX_PART_HEADER_BYTES: number = '[1234567/1234567 01234567] '.length;

/**
 * Splits a text into parts that keep all limits. Each part begins with a header like `[2/3 0f3a9c51] `: its number, the
 * number of parts, and an id that the parts share. Each limit has to leave room for the header
 * ({@link MAX_PART_HEADER_BYTES}) and a code point. An empty text has no parts.
 */
export function split(text: string, ...limits: readonly PartLimit[]): string[] {
  const id = randomUUID().slice(0, 8);
  const contents: string[] = [];
  for (let start = 0; start < text.length; ) {
    const ends = limits.map(({ maxBytes, bytesOf }) =>
      endOfSlice(text, start, maxBytes - MAX_PART_HEADER_BYTES, bytesOf),
    );
    const end = Math.min(...ends);
    contents.push(text.slice(start, end));
    start = end;
  }
  return contents.map((content, index) => `[${index + 1}/${contents.length} ${id}] ${content}`);
}

/**
 * Finds the largest size to which the larger of `sizes` have to be cut, so that the sum of all is at most `room`. Sizes and
 * room are in bytes.
 *
 * @returns `undefined` if the sizes have room as they are
 */
export function findCap(sizes: readonly number[], room: number): number | undefined {
  const ascending = Float64Array.from(sizes).sort();
  let left = room;
  for (const [index, size] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (size > share) return share;
    left -= size;
  }
  return undefined;
}
