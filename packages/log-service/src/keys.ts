import { endOfSlice } from '@logferry/core';
import { MAX_KEY_BYTES } from './limits.js';

/** Whether Log Service takes a field, or a tag, of this name. */
export function isValidKey(key: string): boolean {
  return (
    key !== '' &&
    !RESERVED_KEYS.has(key) &&
    !key.startsWith(TAG_PREFIX) &&
    key.isWellFormed() &&
    Buffer.byteLength(key) <= MAX_KEY_BYTES
  );
}

/**
 * Finds names for the fields of one record that cannot have their own: the key, with the `:` of `__tag__:` made `_` and
 * cut where it is too long, gets `_` at its end; `__` if that name is taken, then `_3`, `_4` and so on.
 */
export class KeyRenamer {
  /** Names that other fields of the record have. */
  readonly #taken: Set<string>;
  /** How many times a key that begins like this was renamed, so that many of them do not take quadratic time. */
  readonly #attempts = new Map<string, number>();

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  rename(key: string): string {
    const base = key.replace(TAG_PREFIX_AT_START, '__tag___').toWellFormed();
    const beginning = cut(base, MAX_KEY_BYTES - MAX_SUFFIX_LENGTH);
    for (let attempt = (this.#attempts.get(beginning) ?? 0) + 1; ; attempt++) {
      const suffix = attempt <= 2 ? '_'.repeat(attempt) : `_${attempt}`;
      const name = cut(base, MAX_KEY_BYTES - suffix.length) + suffix;
      if (this.#taken.has(name) || !isValidKey(name)) continue;
      this.#taken.add(name);
      this.#attempts.set(beginning, attempt);
      return name;
    }
  }
}

/** https://www.alibabacloud.com/help/en/sls/reserved-fields */
const RESERVED_KEYS: ReadonlySet<string> = new Set([
  '__time__',
  '__source__',
  '__topic__',
  '__partition_time__',
  '_extract_others_',
  '__extract_others__',
]);

/** Queries see tags under this prefix, so that a field of such a name would be taken for one. */
const TAG_PREFIX = '__tag__:';
const TAG_PREFIX_AT_START = /^__tag__:/;

/** Enough for any number of keys that an object can have. */
const MAX_SUFFIX_LENGTH = '_1234567890'.length;

function cut(text: string, maxBytes: number): string {
  return text.slice(0, endOfSlice(text, 0, maxBytes));
}
