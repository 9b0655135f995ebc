/**
 * Where a slice of `text` from `start` ends that has at most `maxBytes`, as `bytesOf` counts each code point. Never
 * between the halves of a surrogate pair. For destinations that shorten or split what is too large.
 */
export function endOfSlice(
  text: string,
  start: number,
  maxBytes: number,
  bytesOf: (codePoint: number) => number = utf8Bytes,
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

/** Bytes of a code point in UTF-8. */
export function utf8Bytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
