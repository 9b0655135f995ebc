import { types } from 'node:util';
import { isError, memberNames } from './errors.js';
import { truncate } from './text.js';

/**
 * JSON of any value, as `JSON.stringify` writes it, and of errors, which it writes as `{}`: with `name`, `message`, `stack`,
 * `cause` and `errors` besides their own members. Never throws. Where `JSON.stringify` does, this function writes a cycle as
 * `"[Circular]"`, a BigInt in digits, and `"[Unreadable]"` for a getter, proxy or `toJSON` that throws and for the 101st level
 * of nesting. After about 4,194,304 characters it cuts strings, lists and objects, with a mark.
 *
 * @returns `'null'` for a value that JSON leaves out: undefined, a function, a symbol
 */
export function stringify(value: unknown): string {
  return (
    jsonIfPlain(value, isOrdinary, MAX_CHARS) ?? new JsonWriter(PLAIN, MAX_CHARS).member({ value }, 'value') ?? 'null'
  );
}

/**
 * The primitive that stands for an object in a service that stores text: the result of `toJSON` if that is a primitive (the
 * ISO 8601 string of a date), the Base64 of a buffer's bytes, and JSON of any other object. Never throws.
 *
 * JSON differs from that of {@link stringify}: a set is a list, a map is an object (a list of pairs, if a key is no string),
 * bytes are Base64, a boxed primitive is an object.
 *
 * @param maxChars after about this number of characters strings, lists and objects are cut, with a mark
 * @returns `'[Unreadable]'` for an object whose `toJSON` or proxy throws
 */
export function toPrimitive(value: object, maxChars: number): unknown {
  try {
    const content = richContentOf(value, '', maxChars);
    if (!isObject(content)) return content;
    return (
      jsonIfPlain(content, isNeverOrdinary, maxChars) ??
      new JsonWriter(richContentOf, maxChars).container(value, content)
    );
  } catch {
    return '[Unreadable]';
  }
}

/** The JSON of densely linked objects grows exponentially, and that of long strings blocks the process. */
const MAX_CHARS = 4 * 1024 * 1024;

/** Far less than any stack allows. */
const MAX_DEPTH = 100;

/** What `JSON.stringify` writes, unless it would write something differently, take long or throw. */
function jsonIfPlain(value: unknown, isOrdinary: (object: object) => boolean, maxChars: number): string | undefined {
  try {
    return new Survey(isOrdinary, maxChars).isPlain(value) ? JSON.stringify(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Looks for what `JSON.stringify` would write differently, or take long for. */
class Survey {
  readonly #isOrdinary: (object: object) => boolean;
  #chars: number;
  #objects = MAX_SURVEYED_OBJECTS;

  /** `isOrdinary` is asked about objects of classes. */
  constructor(isOrdinary: (object: object) => boolean, maxChars: number) {
    this.#isOrdinary = isOrdinary;
    this.#chars = maxChars;
  }

  /** May throw, as `JSON.stringify` does. */
  isPlain(value: unknown): boolean {
    if (typeof value === 'string') {
      this.#chars -= value.length;
      return this.#chars >= 0;
    }
    if (!isObject(value) || value instanceof Date) return true;
    if (--this.#objects < 0) return false;
    if (Array.isArray(value)) return value.length <= MAX_CHARS && value.every((each) => this.isPlain(each));
    if (Object.getPrototypeOf(value) !== Object.prototype && !this.#isOrdinary(value)) return false;
    for (const key in value) {
      const member: unknown = value[key as never];
      if (typeof member === 'number') continue;
      if (typeof member === 'function' ? key === 'toJSON' : !this.isPlain(member)) return false;
    }
    return true;
  }
}

function isOrdinary(value: object): boolean {
  return !isError(value) && !ArrayBuffer.isView(value) && !('toJSON' in value);
}

function isNeverOrdinary(): boolean {
  return false;
}

/** More than a record has, and few enough to notice cycles early. */
const MAX_SURVEYED_OBJECTS = 1000;

/** Returns the value to write for an object: the object itself, another object, or a primitive. May throw. */
type ContentOf = (value: object, key: string | number, maxChars: number) => unknown;

const PLAIN: ContentOf = (value, key) => {
  if (types.isTypedArray(value) && value.length > MAX_ELEMENTS) return PLAIN(value.subarray(0, MAX_ELEMENTS), key, 0);
  const { toJSON } = value as { readonly toJSON?: unknown };
  const content: unknown = typeof toJSON === 'function' ? toJSON.call(value, String(key)) : value;
  return types.isBoxedPrimitive(content) ? content.valueOf() : content;
};

/** Most bytes of a buffer, or elements of a typed array: JSON lists them one by one, which takes long. */
const MAX_ELEMENTS = 256 * 1024;

/** Writes JSON of the contents of objects, within a number of characters, and continues after a value that cannot be read. */
class JsonWriter {
  readonly #contentOf: ContentOf;
  #chars: number;
  /** The objects that enclose the current value. */
  readonly #path: object[] = [];

  constructor(contentOf: ContentOf, maxChars: number) {
    this.#contentOf = contentOf;
    this.#chars = maxChars;
  }

  /** JSON of a member; `undefined` for a value that JSON leaves out. */
  member(object: object, key: string | number): string | undefined {
    try {
      return this.#value((object as Readonly<Record<string | number, unknown>>)[key], key);
    } catch {
      return this.#write('"[Unreadable]"');
    }
  }

  /** JSON of a list or an object. `content` stands for `value`, which its members may refer to. */
  container(value: object, content: object): string {
    this.#path.push(value);
    try {
      return Array.isArray(content) ? this.#list(content) : this.#members(content);
    } finally {
      this.#path.pop();
    }
  }

  #value(value: unknown, key: string | number): string | undefined {
    switch (typeof value) {
      case 'object':
        return value === null ? this.#write('null') : this.#object(value, key);
      case 'bigint':
        return this.#write(String(value));
      case 'string':
        return this.#write(JSON.stringify(cut(value, this.#chars)));
      case 'number':
      case 'boolean':
        return this.#write(JSON.stringify(value));
      default:
        return undefined;
    }
  }

  #object(value: object, key: string | number): string | undefined {
    if (this.#path.includes(value)) return this.#write('"[Circular]"');
    if (this.#path.length === MAX_DEPTH) return this.#write('"[Unreadable]"');
    const content = this.#contentOf(value, key, this.#chars);
    return isObject(content) ? this.container(value, content) : this.#value(content, key);
  }

  #list(list: readonly unknown[]): string {
    let json = '';
    for (let index = 0; index < list.length; index++) {
      if (this.#chars <= 0) return `[${json}"… [${list.length - index} more]"]`;
      this.#chars--;
      json += `${this.member(list, index) ?? this.#write('null')},`;
    }
    return `[${json.slice(0, -1)}]`;
  }

  #members(object: object): string {
    let json = '';
    const names = memberNames(object);
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      if (this.#chars <= 0) return `{${json}"…":"[${names.length - index} more]"}`;
      this.#chars -= name.length + KEY_PUNCTUATION;
      const value = this.member(object, name);
      if (value !== undefined) json += `${JSON.stringify(name)}:${value},`;
    }
    return `{${json.slice(0, -1)}}`;
  }

  #write(json: string): string {
    this.#chars -= json.length;
    return json;
  }
}

/** Two quotes, a colon, a comma. */
const KEY_PUNCTUATION = 4;

function cut(text: string, maxChars: number): string {
  return text.length > maxChars ? truncate(text, Math.max(MIN_CUT_BYTES, maxChars)) : text;
}

/** Room for the mark. */
const MIN_CUT_BYTES = 64;

function richContentOf(value: object, _key: string | number, maxChars: number): unknown {
  // Spares most objects the calls out of JavaScript.
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype === Object.prototype || prototype === Array.prototype) && !('toJSON' in value)) return value;
  if (ArrayBuffer.isView(value)) return base64(value.buffer, value.byteOffset, value.byteLength, maxChars);
  if (types.isAnyArrayBuffer(value)) return base64(value, 0, value.byteLength, maxChars);
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON();
  if (types.isSet(value)) return [...value];
  if (!types.isMap(value)) return value;
  const entries = [...value];
  return entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(entries) : entries;
}

function base64(buffer: ArrayBufferLike, start: number, length: number, maxChars: number): string {
  // One byte more than has room, so that the writer marks the text as cut.
  return Buffer.from(buffer, start, Math.min(length, maxChars + 1)).toString('base64');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
