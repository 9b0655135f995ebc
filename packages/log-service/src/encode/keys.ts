import { endOfSlice } from '@logferry/core';
import { MAX_KEY_BYTES } from '../limits.js';

/** Whether Log Service takes a field or a tag with this name. */
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
 * Renames the fields of one record whose keys the service does not take. The `:` of `__tag__:` becomes `_`, a key that is too
 * long is cut, and the name ends in `_`; if that name is taken, in `__`, then in `_3`, `_4` and so on.
 */
export class KeyRenamer {
  /** Names of the record's other fields. */
  readonly #taken: Set<string>;
  /** The last attempt for each beginning of a key, so that many keys that begin alike do not take quadratic time. */
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

/** Queries see tags under this prefix, and would take a field with it for a tag. */
const TAG_PREFIX = '__tag__:';
const TAG_PREFIX_AT_START = /^__tag__:/;

/** No object has more keys. */
const MAX_SUFFIX_LENGTH = '_1234567890'.length;

function cut(text: string, maxBytes: number): string {
  return text.slice(0, endOfSlice(text, 0, maxBytes));
}
