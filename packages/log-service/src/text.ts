import { types } from 'node:util';
import { MAX_VALUE_BYTES } from './limits.js';

/** Stands for a value that cannot be read: a getter, a proxy or a `toJSON` that throws. */
const UNREADABLE = '[Unreadable]';

/**
 * The text of a field's value: strings as they are, numbers, booleans and BigInts in digits and words, objects as JSON.
 * `undefined` for what has no text: null, undefined, functions, symbols. Never throws.
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
      return value === null ? undefined : new JsonWriter().textOf(value);
    default:
      return undefined;
  }
}

/** Reads a member, whatever happens. */
export function read(object: object, key: string | number): unknown {
  try {
    return (object as Readonly<Record<string | number, unknown>>)[key];
  } catch {
    return UNREADABLE;
  }
}

/** Each value takes at least two bytes, with its comma: what comes after so many would be cut from the text. */
const MAX_VALUES = MAX_VALUE_BYTES / 2;

/** JSON of one value, also of what `JSON.stringify` fails on or leaves empty. */
class JsonWriter {
  /** The objects that we are in. */
  readonly #path: object[] = [];
  #valuesLeft = MAX_VALUES;

  /** What stands for a string, such as a date, comes without quotes. */
  textOf(value: object): string | undefined {
    try {
      const content = contentOf(value);
      return isObject(content) ? this.#container(value, content) : textOf(content);
    } catch {
      return UNREADABLE;
    }
  }

  /** `undefined` for what JSON leaves out. */
  #json(value: unknown): string | undefined {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value);
      case 'number':
        return Number.isFinite(value) ? String(value) : 'null';
      case 'boolean':
      case 'bigint':
        return String(value);
      case 'object':
        return value === null ? 'null' : this.#object(value);
      default:
        return undefined;
    }
  }

  #object(value: object): string | undefined {
    if (this.#path.includes(value)) return '"[Circular]"';
    try {
      const content = contentOf(value);
      return isObject(content) ? this.#container(value, content) : this.#json(content);
    } catch {
      return `"${UNREADABLE}"`;
    }
  }

  /** A list or an object; `value` is what the content was made from. */
  #container(value: object, content: object): string {
    this.#path.push(value);
    try {
      return Array.isArray(content) ? this.#list(content) : this.#members(content);
    } finally {
      this.#path.pop();
    }
  }

  #list(list: readonly unknown[]): string {
    let json = '';
    for (let index = 0; index < list.length && this.#valuesLeft-- > 0; index++) {
      json += `,${this.#json(read(list, index)) ?? 'null'}`;
    }
    return `[${json.slice(1)}]`;
  }

  #members(object: object): string {
    let json = '';
    for (const key of keysOf(object)) {
      if (this.#valuesLeft <= 0) break;
      const value = this.#json(read(object, key));
      if (value === undefined) continue;
      this.#valuesLeft--;
      json += `,${JSON.stringify(key)}:${value}`;
    }
    return `{${json.slice(1)}}`;
  }
}

/** What is written in an object's place. */
function contentOf(value: object): unknown {
  if (ArrayBuffer.isView(value)) return base64(value.buffer, value.byteOffset, value.byteLength);
  if (types.isAnyArrayBuffer(value)) return base64(value, 0, value.byteLength);
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON();
  if (types.isSet(value)) return [...value];
  if (types.isMap(value)) {
    const entries = [...value];
    return entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(entries) : entries;
  }
  return value;
}

function base64(buffer: ArrayBufferLike, start: number, length: number): string {
  return Buffer.from(buffer, start, length).toString('base64');
}

/** Those of an error that matter are not enumerable. */
function keysOf(object: object): Iterable<string> {
  const keys = Object.keys(object);
  if (!types.isNativeError(object) && !(object instanceof Error)) return keys;
  return new Set(['name', 'message', 'stack', ...keys, 'cause', 'errors']);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
