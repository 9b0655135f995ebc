import { invalidEncoding, invalidKey, wrongDataType } from './errors.js';
import { MAX_KEY_BYTES, RESERVED_KEYS, TAG_PREFIX } from './rules.js';

/** Texts by key. */
export type Fields = Readonly<Record<string, string>>;

/** The time that a log states. */
export interface LogTime {
  /** Seconds since 1970. */
  readonly seconds: number;
  /** Nanoseconds within the second; undefined if the log has only seconds. */
  readonly nanoseconds: number | undefined;
}

/** One log of a request. */
export interface Log {
  readonly fields: Fields;
  /** Undefined for web tracking: the log has the time of its receipt. */
  readonly time: LogTime | undefined;
}

/** The logs of a request, with the topic, source and tags that they share. */
export interface LogGroup {
  readonly topic: string;
  readonly source: string;
  readonly tags: Fields;
  readonly logs: readonly Log[];
}

/** Checks the texts of a request, in whichever format it is. */
export class TextChecks {
  /** Keys that passed the check. Logs share their keys, so each is checked only once. */
  readonly #goodKeys = new Set<string>();

  /** Throws a ServiceError unless the text is well formed and has at most so many bytes. */
  text(value: string, path: string, maxBytes: number): void {
    if (!value.isWellFormed()) throw invalidEncoding(`${path} has a lone surrogate`);
    // A UTF-16 code unit needs at most 3 bytes, so short texts need no count.
    if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) {
      throw wrongDataType(`${path} has ${Buffer.byteLength(value)} bytes, more than ${maxBytes}`);
    }
  }

  /** Throws a ServiceError unless the text can be the key of a field or tag. */
  key(key: string, path: string): void {
    if (this.#goodKeys.has(key)) return;
    if (!key.isWellFormed()) throw invalidEncoding(`a key in ${path} has a lone surrogate`);
    const bytes = Buffer.byteLength(key);
    if (bytes < 1 || bytes > MAX_KEY_BYTES) {
      throw invalidKey(`a key in ${path} has ${bytes} bytes, not 1 to ${MAX_KEY_BYTES}`);
    }
    if (RESERVED_KEYS.has(key) || key.startsWith(TAG_PREFIX)) throw invalidKey(`"${key}" in ${path} is reserved`);
    this.#goodKeys.add(key);
  }
}
