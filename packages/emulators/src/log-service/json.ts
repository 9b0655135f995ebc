import { isUtf8 } from 'node:buffer';
import { invalidEncoding, invalidKey, invalidTimestamp, type Tolerate, unparsable, wrongDataType } from './errors.js';
import { type Fields, type Log, type LogGroup, type LogTime, TextChecks } from './log-group.js';
import { MAX_SOURCE_BYTES, MAX_TOPIC_BYTES, MAX_VALUE_BYTES } from './rules.js';

const MEMBERS = ['__topic__', '__source__', '__logs__', '__tags__'];
const TIME = '__time__';
const NANOSECONDS = '__time_ns_part__';

/**
 * Parses a JSON body and checks it by all rules of the service but the number of logs. `times` says whether the logs state
 * their time, or have that of their receipt. Throws a ServiceError even for a single bad log.
 */
export function readJsonGroup(body: Buffer, times: 'stated' | 'received', tolerate: Tolerate): LogGroup {
  if (!isUtf8(body)) throw invalidEncoding('the body is not UTF-8');
  const input = parse(body);
  for (const member of Object.keys(input)) {
    if (!MEMBERS.includes(member)) throw unparsable(`the body has an unknown member "${member}"`);
  }
  const reader = new Reader(times, tolerate);
  if (input.__source__ === undefined) tolerate(wrongDataType('__source__ is missing'));
  const { __topic__, __source__, __logs__, __tags__ = {} } = input;
  const group = {
    topic: __topic__ === undefined ? '' : reader.text(__topic__, '__topic__', MAX_TOPIC_BYTES),
    source: __source__ === undefined ? '' : reader.text(__source__, '__source__', MAX_SOURCE_BYTES),
    logs: reader.logs(__logs__),
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

/** Checks strings and counts them. */
class Reader {
  strings = 0;
  readonly #checks = new TextChecks();
  readonly #times: 'stated' | 'received';
  readonly #tolerate: Tolerate;

  constructor(times: 'stated' | 'received', tolerate: Tolerate) {
    this.#times = times;
    this.#tolerate = tolerate;
  }

  logs(value: unknown): readonly Log[] {
    if (!Array.isArray(value)) throw wrongDataType('__logs__ is not a list');
    if (value.length === 0) throw wrongDataType('__logs__ is empty');
    return value.map((log, index) => {
      const path = `__logs__[${index}]`;
      const { time, rest } =
        this.#times === 'stated' ? this.#takeTime(log, path) : { time: undefined, rest: this.#withoutTime(log, path) };
      const fields = this.fields(rest, path);
      if (Object.keys(fields).length === 0) throw wrongDataType(`${path} is empty`);
      return { fields, time };
    });
  }

  text(value: unknown, path: string, maxBytes: number): string {
    if (typeof value !== 'string') throw wrongDataType(`${path} is ${typeName(value)}`);
    this.strings++;
    this.#checks.text(value, path, maxBytes);
    return value;
  }

  fields(value: unknown, path: string): Fields {
    if (!isObject(value)) throw wrongDataType(`${path} is ${typeName(value)}`);
    for (const key of Object.keys(value)) {
      this.strings++;
      this.#checks.key(key, path);
      this.text(value[key], `${path}.${key}`, MAX_VALUE_BYTES);
    }
    return value as Fields;
  }

  /** The log without `__time__`: the service accepts it as text or number, and overwrites it with the time of receipt. */
  #withoutTime(log: unknown, path: string): unknown {
    if (!isObject(log) || !Object.hasOwn(log, TIME)) return log;
    this.#tolerate(invalidKey(`"${TIME}" in ${path} is reserved`));
    const { [TIME]: time, ...fields } = log;
    this.strings++;
    if (typeof time !== 'number') this.text(time, `${path}.${TIME}`, MAX_VALUE_BYTES);
    return fields;
  }

  /** The log's time, as the official clients for Java, Android and browsers state it, and the log without it. */
  #takeTime(log: unknown, path: string): { time: LogTime; rest: unknown } {
    if (!isObject(log)) throw wrongDataType(`${path} is ${typeName(log)}`);
    const { [TIME]: seconds, [NANOSECONDS]: nanoseconds, ...rest } = log;
    if (typeof seconds !== 'number') throw wrongDataType(`${path}.${TIME} is ${typeName(seconds)}`);
    if (nanoseconds !== undefined && typeof nanoseconds !== 'number') {
      throw wrongDataType(`${path}.${NANOSECONDS} is ${typeName(nanoseconds)}`);
    }
    this.strings += nanoseconds === undefined ? 1 : 2;
    if (!Number.isInteger(seconds)) throw invalidTimestamp(`${path}.${TIME} is ${seconds}`);
    if (nanoseconds !== undefined && !(Number.isInteger(nanoseconds) && nanoseconds >= 0 && nanoseconds < 1e9)) {
      throw invalidTimestamp(`${path}.${NANOSECONDS} is ${nanoseconds}`);
    }
    return { time: { seconds, nanoseconds }, rest };
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
