/**
 * Where a slice from `start` ends that has at most `maxBytes`, as `bytesOf` counts each character. Never between the
 * halves of a surrogate pair.
 */
export function endOfSlice(
  text: string,
  start: number,
  maxBytes: number,
  bytesOf: (codePoint: number) => number,
): number {
  let index = start;
  let bytes = 0;
  while (index < text.length) {
    const codePoint = text.codePointAt(index) ?? 0;
    bytes += bytesOf(codePoint);
    if (bytes > maxBytes) return index;
    index += codePoint < 0x10000 ? 1 : 2;
  }
  return index;
}

export function utf8Bytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** Bytes of UTF-8 within a JSON string, as `JSON.stringify` writes it. */
export function jsonBytes(codePoint: number): number {
  if (codePoint >= 0x20) return codePoint === QUOTE || codePoint === BACKSLASH ? 2 : utf8Bytes(codePoint);
  return SHORT_ESCAPES.includes(codePoint) ? 2 : 6;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** \b \t \n \f \r */
const SHORT_ESCAPES: readonly number[] = [0x08, 0x09, 0x0a, 0x0c, 0x0d];
