import { types } from 'node:util';

/**
 * JSON of any value, as `JSON.stringify` writes it. Never throws. Where `JSON.stringify` does, this function writes a cycle
 * as `"[Circular]"`, a BigInt in digits, and `"[Unreadable]"` for a getter, proxy or `toJSON` that throws and for the 101st
 * level of nesting; lists and objects end early after about 4,194,304 characters.
 *
 * @returns `'null'` for a value that JSON leaves out: undefined, a function, a symbol
 */
export function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return new JsonWriter(PLAIN, PLAIN_BUDGET).member({ value }, 'value') ?? 'null';
  }
}

/**
 * The primitive that stands for an object in a service that stores text: the result of `toJSON` if that is a primitive (the
 * ISO 8601 string of a date), the Base64 of a buffer's bytes, and JSON of any other object. Never throws.
 *
 * JSON differs from that of {@link stringify}: an error has `name`, `message`, `stack`, `cause` and `errors` besides its own
 * members, a set is a list, a map is an object (a list of pairs, if a key is no string), bytes are Base64, a boxed primitive is
 * an object. Nesting is limited by the stack only.
 *
 * @param maxValues lists and objects end early after this number of elements and members
 * @returns `'[Unreadable]'` for an object whose `toJSON` or proxy throws
 */
export function toPrimitive(value: object, maxValues: number): unknown {
  try {
    const content = richContentOf(value);
    return isObject(content) ? new JsonWriter(RICH, maxValues).container(value, content) : content;
  } catch {
    return '[Unreadable]';
  }
}

/** Reads objects for a {@link JsonWriter}, and sets the cost of each part of the text. */
interface JsonDialect {
  /** Returns the value to write for an object: the object itself, another object, or a primitive. May throw. */
  contentOf(value: object, key: string | number): unknown;
  keysOf(content: object): Iterable<string>;
  readonly maxDepth: number;
  /** `item` is the cost of a list element, charged before it, and of a member, charged after it. */
  readonly costs: { readonly char: number; readonly value: number; readonly item: number };
}

/** Writes as `JSON.stringify` does. The budget is in characters: each value takes 32 for its key and punctuation. */
const PLAIN: JsonDialect = {
  contentOf: plainContentOf,
  keysOf: Object.keys,
  // Far less than any stack allows.
  maxDepth: 100,
  costs: { char: 1, value: 32, item: 0 },
};

/** The JSON of densely linked objects grows exponentially. */
const PLAIN_BUDGET = 4 * 1024 * 1024;

/** Writes as {@link toPrimitive} documents. The budget is a number of list elements and members. */
const RICH: JsonDialect = {
  contentOf: richContentOf,
  keysOf: richKeysOf,
  maxDepth: Number.POSITIVE_INFINITY,
  costs: { char: 0, value: 0, item: 1 },
};

/** Writes JSON in a dialect, and continues after a value that cannot be read. */
class JsonWriter {
  readonly #dialect: JsonDialect;
  #budget: number;
  /** The objects that enclose the current value. */
  readonly #path: object[] = [];

  constructor(dialect: JsonDialect, budget: number) {
    this.#dialect = dialect;
    this.#budget = budget;
  }

  /** JSON of a member; `undefined` for a value that JSON leaves out. */
  member(object: object, key: string | number): string | undefined {
    try {
      const json = this.#value((object as Readonly<Record<string | number, unknown>>)[key], key);
      this.#budget -= this.#dialect.costs.value;
      return json;
    } catch {
      return '"[Unreadable]"';
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
    if (isObject(value)) return this.#object(value, key);
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function') return undefined;
    const json = JSON.stringify(value);
    this.#budget -= (json?.length ?? 0) * this.#dialect.costs.char;
    return json;
  }

  #object(value: object, key: string | number): string | undefined {
    if (this.#path.includes(value)) return '"[Circular]"';
    if (this.#path.length === this.#dialect.maxDepth) return '"[Unreadable]"';
    const content = this.#dialect.contentOf(value, key);
    return isObject(content) ? this.container(value, content) : this.#value(content, key);
  }

  #list(list: readonly unknown[]): string {
    let json = '';
    for (let index = 0; index < list.length && this.#budget > 0; index++) {
      this.#budget -= this.#dialect.costs.item;
      json += `,${this.member(list, index) ?? 'null'}`;
    }
    return `[${json.slice(1)}]`;
  }

  #members(object: object): string {
    let json = '';
    for (const key of this.#dialect.keysOf(object)) {
      if (this.#budget <= 0) break;
      const value = this.member(object, key);
      if (value === undefined) continue;
      this.#budget -= this.#dialect.costs.item;
      json += `,${JSON.stringify(key)}:${value}`;
    }
    return `{${json.slice(1)}}`;
  }
}

function plainContentOf(value: object, key: string | number): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  const content: unknown = typeof toJSON === 'function' ? toJSON.call(value, String(key)) : value;
  return types.isBoxedPrimitive(content) ? content.valueOf() : content;
}

function richContentOf(value: object): unknown {
  if (ArrayBuffer.isView(value)) return base64(value.buffer, value.byteOffset, value.byteLength);
  if (types.isAnyArrayBuffer(value)) return base64(value, 0, value.byteLength);
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON();
  if (types.isSet(value)) return [...value];
  if (!types.isMap(value)) return value;
  const entries = [...value];
  return entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(entries) : entries;
}

/** The members of an error that matter most are not enumerable. */
function richKeysOf(object: object): Iterable<string> {
  const keys = Object.keys(object);
  if (!types.isNativeError(object) && !(object instanceof Error)) return keys;
  return new Set(['name', 'message', 'stack', ...keys, 'cause', 'errors']);
}

function base64(buffer: ArrayBufferLike, start: number, length: number): string {
  return Buffer.from(buffer, start, length).toString('base64');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
