import { toPrimitive } from '@logferry/core';
import { MAX_VALUE_BYTES } from './limits.js';

/**
 * The text of a field's value: a string with lone surrogates replaced, a number, boolean or BigInt in digits and words, an
 * object as {@link toPrimitive} writes it. `undefined` for null, undefined, functions and symbols. Never throws.
 */
export function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : value.toWellFormed();
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? undefined : textOf(toPrimitive(value, MAX_VALUES));
    default:
      return undefined;
  }
}

/** The member of an object; `'[Unreadable]'` if a getter or a proxy throws. */
export function read(object: object, key: string): unknown {
  try {
    return (object as Readonly<Record<string, unknown>>)[key];
  } catch {
    return '[Unreadable]';
  }
}

/** A value takes at least two bytes with its comma, so the text of more values would be cut anyway. */
const MAX_VALUES = MAX_VALUE_BYTES / 2;
