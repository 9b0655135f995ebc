/** Where a slice from `start` ends that has at most `maxBytes` of UTF-8. Never between the halves of a surrogate pair. */
export function endOfSlice(text: string, start: number, maxBytes: number): number {
  let index = start;
  let bytes = 0;
  while (index < text.length) {
    const codePoint = text.codePointAt(index) ?? 0;
    bytes += utf8Bytes(codePoint);
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
