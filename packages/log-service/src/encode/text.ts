import { toPrimitive, truncate } from '@logferry/core';

/**
 * The text of a field's value: a string with lone surrogates replaced, a number, boolean or BigInt in digits and words, an
 * object as {@link toPrimitive} writes it. `undefined` for null, undefined, functions and symbols. Never throws.
 *
 * @param maxChars a longer text is cut to as many bytes, before it costs anything, and ends in a mark
 */
export function textOf(value: unknown, maxChars: number): string | undefined {
  switch (typeof value) {
    case 'string': {
      const text = value.length > maxChars ? truncate(value, maxChars) : value;
      return text.isWellFormed() ? text : text.toWellFormed();
    }
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? undefined : textOf(toPrimitive(value, maxChars - MARK_ROOM_CHARS), maxChars);
    default:
      return undefined;
  }
}

/**
 * The text of a field's value, as {@link textOf} makes it, as a JSON string. Most values need no escapes, and are quoted at half
 * the cost of `JSON.stringify`.
 */
export function quotedTextOf(value: unknown, maxChars: number): string | undefined {
  if (typeof value === 'number') return `"${value}"`;
  if (typeof value === 'string' && value.length <= maxChars && !UNUSUAL.test(value)) return `"${value}"`;
  const text = textOf(value, maxChars);
  return text === undefined ? undefined : JSON.stringify(text);
}

/** Other characters than those of ASCII that JSON writes as they are. */
const UNUSUAL = /[^ !#-[\]-~]/;

/** Room for the mark of a cut string and the brackets around it, so that the JSON is not cut once more. */
const MARK_ROOM_CHARS = 1000;

/** The member of an object; `'[Unreadable]'` if a getter or a proxy throws. */
export function read(object: object, key: string): unknown {
  try {
    return (object as Readonly<Record<string, unknown>>)[key];
  } catch {
    return '[Unreadable]';
  }
}
