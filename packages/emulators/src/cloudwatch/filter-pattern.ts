import { invalidParameter } from './errors.js';

/** A term, or a phrase in quotes with `\"` and `\\` inside. */
const TERMS = /\s*(?:"((?:[^"\\]|\\.)*)"|([\p{L}\p{N}_]+))(?=\s|$)/uy;

/**
 * The filter patterns that the emulator understands: terms and quoted phrases, all of which a message must contain, in
 * the same case. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function parseFilterPattern(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  const terms: string[] = [];
  TERMS.lastIndex = 0;
  while (TERMS.lastIndex < text.length) {
    const match = TERMS.exec(text);
    if (!match) throw invalidParameter(`Invalid filter pattern, or one that the emulator does not support: ${pattern}`);
    terms.push(match[2] ?? (match[1] ?? '').replace(/\\(.)/g, '$1'));
  }
  return (message) => terms.every((term) => message.includes(term));
}
