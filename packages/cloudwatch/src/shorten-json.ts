import { findCap, utf8Bytes } from '@logferry/core';

/** The end of a shortened string: three bytes of UTF-8. */
const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;

/**
 * Shortens the longest strings of a JSON object until it has at most `maxBytes` of UTF-8, and adds the field
 * `"logferry":{"truncatedFromBytes":…}`. All other text stays as it is. Returns `undefined` if the text is not a JSON object,
 * or if shorter strings alone do not make it fit.
 */
export function shortenJson(text: string, maxBytes: number): string | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  const note = `,"logferry":{"truncatedFromBytes":${Buffer.byteLength(text)}}`;
  const scan = scanStrings(text, maxBytes - note.length);
  if (!scan) return undefined;
  const sizes = scan.strings.map(({ bytes }) => bytes);
  const capBytes = findCap(sizes, maxBytes - note.length - scan.otherBytes);
  if (capBytes === undefined || capBytes < ELLIPSIS_BYTES) return undefined;
  const pieces: string[] = [];
  let copied = 0;
  for (const { start, end, bytes } of scan.strings) {
    if (bytes <= capBytes) continue;
    pieces.push(text.slice(copied, endOfContent(text, start, capBytes - ELLIPSIS_BYTES)), ELLIPSIS);
    copied = end;
  }
  const brace = text.lastIndexOf('}');
  pieces.push(text.slice(copied, brace), note, text.slice(brace));
  const shortened = pieces.join('');
  return isJson(shortened) ? shortened : undefined;
}

/** The content of a string value, between its quotes. */
interface StringValue {
  readonly start: number;
  readonly end: number;
  /** Bytes of UTF-8, where an escape counts as it is written. */
  readonly bytes: number;
}

/**
 * Finds all string values. Returns `undefined` if the text around them has more than `maxOtherBytes`. Does not check that the
 * text is JSON: `shortenJson` checks the shortened text, which is much smaller.
 */
function scanStrings(
  text: string,
  maxOtherBytes: number,
): { readonly strings: readonly StringValue[]; readonly otherBytes: number } | undefined {
  const strings: StringValue[] = [];
  let otherBytes = 0;
  let index = 0;
  while (index < text.length) {
    otherBytes++;
    if (otherBytes > maxOtherBytes) return undefined;
    if (text.charCodeAt(index++) !== QUOTE) continue;
    const start = index;
    let bytes = 0;
    for (let code = text.charCodeAt(index); code !== QUOTE; code = text.charCodeAt(index)) {
      if (index >= text.length) return undefined;
      const escapes = code === BACKSLASH;
      bytes += escapes ? 2 : bytesOfCodeUnit(code);
      index += escapes ? 2 : 1;
    }
    const end = index++;
    otherBytes++;
    if (isKey(text, index)) otherBytes += bytes;
    else strings.push({ start, end, bytes });
  }
  return { strings, otherBytes };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Each half of a surrogate pair has half of its four bytes. */
function bytesOfCodeUnit(code: number): number {
  return code >= 0xd800 && code <= 0xdfff ? 2 : utf8Bytes(code);
}

/** Whether a colon follows. */
function isKey(text: string, index: number): boolean {
  while (/\s/.test(text.charAt(index))) index++;
  return text.charAt(index) === ':';
}

/** The end of the longest slice of a string's content with at most `maxBytes` of UTF-8 and no broken character or escape. */
function endOfContent(text: string, start: number, maxBytes: number): number {
  let index = start;
  let bytes = 0;
  for (;;) {
    const codePoint = text.codePointAt(index) ?? 0;
    const escapeLength = codePoint === BACKSLASH ? lengthOfEscape(text, index) : 0;
    bytes += escapeLength || utf8Bytes(codePoint);
    if (bytes > maxBytes) return index;
    index += escapeLength || (codePoint < 0x10000 ? 1 : 2);
  }
}

/** Two escapes that stand for a surrogate pair count as one. */
function lengthOfEscape(text: string, index: number): number {
  if (text.charAt(index + 1) !== 'u') return 2;
  return ESCAPED_PAIR.test(text.slice(index, index + 12)) ? 12 : 6;
}

const ESCAPED_PAIR = /^\\ud[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}$/i;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
