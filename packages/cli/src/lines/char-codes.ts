/** The character codes that begin, end and separate the parts of a log line. */
export const Code = {
  tab: 0x09,
  lineFeed: 0x0a,
  escape: 0x1b,
  space: 0x20,
  bang: 0x21,
  quote: 0x22,
  openingParenthesis: 0x28,
  closingParenthesis: 0x29,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  slash: 0x2f,
  colon: 0x3a,
  semicolon: 0x3b,
  less: 0x3c,
  equals: 0x3d,
  greater: 0x3e,
  openingBracket: 0x5b,
  closingBracket: 0x5d,
  openingBrace: 0x7b,
  bar: 0x7c,
  closingBrace: 0x7d,
} as const;

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

export function isLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

export function isLetter(code: number): boolean {
  return isUpper(code) || isLower(code);
}

/** The index after the colour codes (`ESC [ 32 m`) at an index; the index itself if none is there. */
export function afterColours(line: string, at: number): number {
  let end = at;
  while (line.charCodeAt(end) === Code.escape && line.charCodeAt(end + 1) === Code.openingBracket) {
    const last = line.indexOf('m', end);
    if (last < 0 || last - end > MAX_COLOUR_CHARS) break;
    end = last + 1;
  }
  return end;
}

/** `ESC [ 38;2;255;255;255 m` with a margin. */
const MAX_COLOUR_CHARS = 24;
