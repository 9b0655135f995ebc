import { invalidParameter } from './errors.js';

/** One term, or one quoted phrase that may contain `\"` and `\\`. */
const TERMS = /\s*(?:"((?:[^"\\]|\\.)*)"|([\p{L}\p{N}_]+))(?=\s|$)/uy;

/**
 * Makes a predicate of a filter pattern of terms and quoted phrases. A message matches if it contains all of them; case
 * matters. Throws `InvalidParameterException` for other patterns.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function parseFilterPattern(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  const terms: string[] = [];
  TERMS.lastIndex = 0;
  while (TERMS.lastIndex < text.length) {
    const match = TERMS.exec(text);
    if (!match) {
      throw invalidParameter(`The filter pattern is invalid, or the emulator does not support it: ${pattern}`);
    }
    terms.push(match[2] ?? (match[1] ?? '').replace(/\\(.)/g, '$1'));
  }
  return (message) => terms.every((term) => message.includes(term));
}
