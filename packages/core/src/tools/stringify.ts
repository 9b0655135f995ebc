import { types } from 'node:util';

/** Stands for what cannot be read: a getter, a proxy or a `toJSON` that throws, what is too deep. */
const UNREADABLE = '"[Unreadable]"';

/** An object whose parts all know each other would take for ever, and fill any memory. */
const MAX_CHARS = 4 * 1024 * 1024;
/** What a value costs besides its own characters. */
const VALUE_CHARS = 32;
/** No stack ends sooner. */
const MAX_DEPTH = 100;

/** JSON of any value, also with cycles, BigInt, and getters, proxies or `toJSON` that throw. Never throws. */
export function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return new SafeWriter().member({ value }, 'value') ?? 'null';
  }
}

/** Writes as `JSON.stringify` does, and goes on where that throws. */
class SafeWriter {
  /** The objects that we are in. */
  readonly #path = new Set<object>();
  #charsLeft = MAX_CHARS;

  /** `undefined` for what JSON leaves out. */
  member(object: object, key: string | number): string | undefined {
    try {
      const json = this.#value((object as Readonly<Record<string | number, unknown>>)[key], String(key));
      this.#charsLeft -= VALUE_CHARS;
      return json;
    } catch {
      return UNREADABLE;
    }
  }

  #value(value: unknown, key: string): string | undefined {
    if (typeof value === 'object' && value !== null) return this.#object(value, key);
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function') return undefined;
    const json = JSON.stringify(value);
    this.#charsLeft -= json?.length ?? 0;
    return json;
  }

  #object(value: object, key: string): string | undefined {
    if (this.#path.has(value)) return '"[Circular]"';
    if (this.#path.size === MAX_DEPTH) return UNREADABLE;
    this.#path.add(value);
    try {
      const { toJSON } = value as { readonly toJSON?: unknown };
      const content: unknown = typeof toJSON === 'function' ? toJSON.call(value, key) : value;
      if (typeof content !== 'object' || content === null) return this.#value(content, key);
      if (types.isBoxedPrimitive(content)) return this.#value(content.valueOf(), key);
      return Array.isArray(content) ? this.#list(content) : this.#members(content);
    } finally {
      this.#path.delete(value);
    }
  }

  #list(list: readonly unknown[]): string {
    let json = '';
    for (let index = 0; index < list.length && this.#charsLeft > 0; index++) {
      json += `,${this.member(list, index) ?? 'null'}`;
    }
    return `[${json.slice(1)}]`;
  }

  #members(object: object): string {
    let json = '';
    for (const key of Object.keys(object)) {
      if (this.#charsLeft <= 0) break;
      const value = this.member(object, key);
      if (value !== undefined) json += `,${JSON.stringify(key)}:${value}`;
    }
    return `{${json.slice(1)}}`;
  }
}
