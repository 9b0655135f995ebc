import { utf8Bytes } from '@logferry/core';

/** Bytes of UTF-8 within a JSON string, as `JSON.stringify` writes it. */
export function jsonBytes(codePoint: number): number {
  if (codePoint >= 0x20) return codePoint === QUOTE || codePoint === BACKSLASH ? 2 : utf8Bytes(codePoint);
  return SHORT_ESCAPES.includes(codePoint) ? 2 : 6;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** \b \t \n \f \r */
const SHORT_ESCAPES: readonly number[] = [0x08, 0x09, 0x0a, 0x0c, 0x0d];
