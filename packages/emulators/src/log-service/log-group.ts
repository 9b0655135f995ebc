import { isUtf8 } from 'node:buffer';
import { invalidEncoding, invalidKey, type Tolerate, tooLarge, unparsable, wrongDataType } from './errors.js';
import {
  MAX_KEY_BYTES,
  MAX_LOGS,
  MAX_SOURCE_BYTES,
  MAX_TOPIC_BYTES,
  MAX_VALUE_BYTES,
  RESERVED_KEYS,
  TAG_PREFIX,
} from './rules.js';

type Fields = Readonly<Record<string, string>>;

/** The logs of a request, with the topic, source and tags that they share. */
export interface LogGroup {
  readonly topic: string;
  readonly source: string;
  readonly tags: Fields;
  readonly logs: readonly Fields[];
}

const MEMBERS = ['__topic__', '__source__', '__logs__', '__tags__'];

/** Parses a body and checks it by all rules of the service. Throws a ServiceError even for a single bad log. */
export function readLogGroup(body: Buffer, tolerate: Tolerate): LogGroup {
  if (!isUtf8(body)) throw invalidEncoding('the body is not UTF-8');
  const input = parse(body);
  for (const member of Object.keys(input)) {
    if (!MEMBERS.includes(member)) throw unparsable(`the body has an unknown member "${member}"`);
  }
  const reader = new Reader(tolerate);
  if (input.__source__ === undefined) tolerate(wrongDataType('__source__ is missing'));
  const { __topic__, __source__, __logs__, __tags__ = {} } = input;
  const group = {
    topic: __topic__ === undefined ? '' : reader.text(__topic__, '__topic__', MAX_TOPIC_BYTES),
    source: __source__ === undefined ? '' : reader.text(__source__, '__source__', MAX_SOURCE_BYTES),
    logs: readLogs(__logs__, reader),
    tags: reader.fields(__tags__, '__tags__'),
  };
  if (__source__ === '') throw wrongDataType('__source__ is empty');
  // JSON.parse keeps only the last of equal keys, so a repeated key shows as more strings in the text.
  if (reader.strings + Object.keys(input).length !== countStrings(body))
    throw unparsable('an object has the same key twice');
  return group;
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw unparsable((error as Error).message);
  }
  if (!isObject(value)) throw wrongDataType('the body is not an object');
  return value;
}

function readLogs(value: unknown, reader: Reader): readonly Fields[] {
  if (!Array.isArray(value)) throw wrongDataType('__logs__ is not a list');
  if (value.length === 0) throw wrongDataType('__logs__ is empty');
  if (value.length > MAX_LOGS) throw tooLarge(`${value.length} logs exceed ${MAX_LOGS}`);
  return value.map((log, index) => {
    const path = `__logs__[${index}]`;
    const fields = reader.fields(reader.withoutTime(log, path), path);
    if (Object.keys(fields).length === 0) throw wrongDataType(`${path} is empty`);
    return fields;
  });
}

/** Checks strings and counts them. */
class Reader {
  strings = 0;
  /** Keys that passed the check. Logs share their keys, so each is checked only once. */
  readonly #goodKeys = new Set<string>();
  readonly #tolerate: Tolerate;

  constructor(tolerate: Tolerate) {
    this.#tolerate = tolerate;
  }

  text(value: unknown, path: string, maxBytes: number): string {
    if (typeof value !== 'string') throw wrongDataType(`${path} is ${typeName(value)}`);
    this.strings++;
    if (!value.isWellFormed()) throw invalidEncoding(`${path} has a lone surrogate`);
    // A UTF-16 code unit needs at most 3 bytes, so short texts need no count.
    if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) {
      throw wrongDataType(`${path} has ${Buffer.byteLength(value)} bytes, more than ${maxBytes}`);
    }
    return value;
  }

  fields(value: unknown, path: string): Fields {
    if (!isObject(value)) throw wrongDataType(`${path} is ${typeName(value)}`);
    for (const key of Object.keys(value)) {
      this.#checkKey(key, path);
      this.text(value[key], `${path}.${key}`, MAX_VALUE_BYTES);
    }
    return value as Fields;
  }

  /** The log without `__time__`: the service accepts it as text or number, and overwrites it with the time of receipt. */
  withoutTime(log: unknown, path: string): unknown {
    if (!isObject(log) || !Object.hasOwn(log, '__time__')) return log;
    this.#tolerate(invalidKey(`"__time__" in ${path} is reserved`));
    const { __time__: time, ...fields } = log;
    this.strings++;
    if (typeof time !== 'number') this.text(time, `${path}.__time__`, MAX_VALUE_BYTES);
    return fields;
  }

  #checkKey(key: string, path: string): void {
    this.strings++;
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

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts the strings of valid JSON. Quotes and backslashes never occur inside a multi-byte UTF-8 sequence. */
function countStrings(json: Buffer): number {
  let quotes = 0;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (byte === QUOTE) quotes++;
    else if (byte === BACKSLASH) index++;
  }
  return quotes / 2;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}
