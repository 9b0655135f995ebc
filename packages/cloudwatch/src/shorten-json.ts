import { findCap, utf8Bytes } from '@logferry/core';

/** The end of a shortened string: three bytes of UTF-8. */
const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;

/**
 * Shortens the longest strings of a JSON object until it has at most `maxBytes` of UTF-8, and adds the field
 * `"logferry":{"truncatedFromBytes":…}`; `truncatedFromCharacters` of a text of more than 4,194,304 characters, whose bytes take
 * long to count. All other text stays as it is. Returns `undefined` if the text is not a JSON object, if shorter strings alone
 * do not make it fit, or if that takes long to find out.
 */
export function shortenJson(text: string, maxBytes: number): string | undefined {
  if (!/^\s{0,100}\{/.test(text)) return undefined;
  const note = `,"logferry":{${sizeMember(text)}}`;
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

function sizeMember(text: string): string {
  const isLong = text.length > MAX_COUNTED_LENGTH;
  return isLong ? `"truncatedFromCharacters":${text.length}` : `"truncatedFromBytes":${Buffer.byteLength(text)}`;
}

const MAX_COUNTED_LENGTH = 4 * 1024 * 1024;

/**
 * Finds all string values. Returns `undefined` if the text around them has more than `maxOtherBytes`, or has more strings and
 * escaped quotes than a few milliseconds allow. A string that is too large alone has no exact size. Does not check that the text
 * is JSON: `shortenJson` checks the shortened text, which is much smaller.
 */
function scanStrings(
  text: string,
  maxOtherBytes: number,
): { readonly strings: readonly StringValue[]; readonly otherBytes: number } | undefined {
  const strings: StringValue[] = [];
  let otherBytes = 0;
  let steps = MAX_STEPS;
  for (let index = 0; index < text.length; ) {
    otherBytes++;
    if (otherBytes > maxOtherBytes) return undefined;
    if (text.charCodeAt(index++) !== QUOTE) continue;
    const start = index;
    let end = text.indexOf('"', start);
    while (end >= 0 && isEscaped(text, start, end) && steps-- > 0) end = text.indexOf('"', end + 1);
    if (end < 0 || steps-- <= 0) return undefined;
    const bytes = end - start > maxOtherBytes ? end - start : Buffer.byteLength(text.slice(start, end));
    index = end + 1;
    otherBytes++;
    if (isKey(text, index)) otherBytes += bytes;
    else strings.push({ start, end, bytes });
  }
  return { strings, otherBytes };
}

const MAX_STEPS = 500_000;
const MAX_BACKSLASHES = 10_000;

/** Whether the quote at an index belongs to the content of the string: an odd number of backslashes is before it. */
function isEscaped(text: string, start: number, quote: number): boolean {
  const first = Math.max(start, quote - MAX_BACKSLASHES);
  let index = quote;
  while (index > first && text.charCodeAt(index - 1) === BACKSLASH) index--;
  return (quote - index) % 2 === 1;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

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
