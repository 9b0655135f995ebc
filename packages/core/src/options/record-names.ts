import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { types } from 'node:util';
import type { ConfigError } from '../contract/errors.js';
import { runDecision } from '../process/feedback.js';
import { isError } from '../tools/errors.js';
import { isThenable } from '../tools/is-thenable.js';
import { parseObject } from '../tools/parse-object.js';
import { stringify } from '../tools/stringify.js';
import { describe, wrongOption } from './checks.js';

/** The part of a record that a template reads. */
export interface NamedRecord {
  /** Epoch milliseconds, a valid date. */
  readonly time: number;
  readonly level: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The rules for the names of one option. */
export interface NameRule {
  /** The option, for errors. */
  readonly option: string;
  /** The end of "expected …" for a value that cannot be a name: `'a log group name (1 to 512 …)'`. */
  readonly expected: string;
  /** The same for text between the tokens of a template. @default `expected` */
  readonly expectedText?: string;
  /** Whether a text without tokens is a name. */
  isName(text: string): boolean;
  /** Whether a text can stand between tokens. */
  isText(text: string): boolean;
  /** Makes a legal name of any text: what comes from records may have any character and length. */
  toName(text: string): string;
  /**
   * The primitive that stands for an object in what is shipped, or its JSON. It decides about the objects that are neither plain nor
   * lists, so that a record has the same name before and after a trip between threads. @default as {@link stringify} writes it
   */
  toText?(value: object): unknown;
}

/** A name that is made of each record. */
export interface RecordName<Readable> {
  /** The name, if it is the same for all records. */
  readonly fixed: string | undefined;
  /** Whether it needs more of a record than time and level. */
  readonly readsFields: boolean;
  /** The legal name for a record. Throws only if a function of the application does, or returns no string. */
  readonly of: (record: Readable) => string;
}

/**
 * Compiles an option that is a name, a template or a function. Throws `ConfigError`.
 *
 * The tokens of a template are `{hostname}`, `{pid}`, `{start}` (start of the process), `{uuid}` (new for each call), `{level}`,
 * `{date:yyyy-MM-dd}` (any pattern of `yyyy MM dd HH mm`, of the record's time in UTC) and `{field:tenant.id}`, with a default
 * `{field:tenant.id|none}`, which is `none` itself if there is none.
 */
export function compileName<Readable extends NamedRecord>(option: unknown, rule: NameRule): RecordName<Readable> {
  if (typeof option === 'function') {
    const call = option as (record: Readable) => unknown;
    const of = (record: Readable): string =>
      nameOf(
        runDecision(() => call(record)),
        rule,
        'a function that returns a string',
      );
    return { fixed: undefined, readsFields: true, of };
  }
  const hasTokens = typeof option === 'string' && BRACE.test(option);
  if (typeof option !== 'string' || (!hasTokens && !rule.isName(option))) throw wrong(rule, rule.expected, option);
  const parts = option
    .split(BRACED)
    .map((text, index) => (index % 2 === 0 ? compileText(text, option, rule) : compileToken(text, option, rule)));
  if (parts.every((part) => typeof part === 'string')) {
    const fixed = hasTokens ? rule.toName(parts.join('')) : option;
    return { fixed, readsFields: false, of: () => fixed };
  }
  const of = (record: NamedRecord): string => {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part.of(record);
    return rule.toName(text);
  };
  const readsFields = parts.some((part) => typeof part !== 'string' && part.readsFields);
  return { fixed: undefined, readsFields, of };
}

/**
 * Calls the option `route` for a record. Throws if the function does, or returns anything but `undefined` and an object with these
 * members.
 */
export function callRoute<Readable>(
  route: (record: Readable) => unknown,
  record: Readable,
  members: readonly string[],
): Readonly<Record<string, unknown>> {
  const names = runDecision(() => route(record));
  if (names === undefined) return NO_NAMES;
  refusePromise(names, 'route');
  if (typeof names !== 'object' || names === null || Array.isArray(names))
    throw new TypeError(`route: expected a function that returns an object or undefined, got ${describe(names)}`);
  for (const name of Object.keys(names))
    if (!members.includes(name))
      throw new TypeError(`route: expected an object with ${members.join(', ')}, got one with "${name}"`);
  return names as Readonly<Record<string, unknown>>;
}

/** The legal name of what a function of the application returned. Throws `TypeError` for anything but a string. */
export function nameOf(returned: unknown, { option, toName }: NameRule, expected = 'a string from route'): string {
  if (typeof returned === 'string') return toName(returned);
  refusePromise(returned, option);
  throw new TypeError(`${option}: expected ${expected}, got ${describe(returned)}`);
}

/** Cuts a name to `maxLength` UTF-16 units. A lone surrogate becomes U+FFFD. */
export function cutName(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed();
}

const NO_NAMES: Readonly<Record<string, unknown>> = Object.freeze({});

const BRACE = /[{}]/;
const BRACED = /\{([^{}]*)\}/g;
const DATE_TOKEN = /^date:(.+)$/s;
const FIELD_TOKEN = /^field:([^|]+)(?:\|(.*))?$/s;

/** The name of a record without the field, unless the template has another. */
const NO_FIELD = 'none';

/** A token whose text depends on the record. */
interface Token {
  readonly readsFields: boolean;
  readonly of: (record: NamedRecord) => string;
}

const TOKENS = new Map<string, () => string | Token>([
  ['hostname', hostname],
  ['pid', () => String(process.pid)],
  ['start', startOfProcess],
  ['uuid', randomUUID],
  ['level', () => ({ readsFields: false, of: ({ level }) => level })],
]);

const KNOWN =
  '{hostname}, {pid}, {start}, {uuid}, {level}, {date:…} with yyyy, MM, dd, HH and mm, and {field:…} with the path of a field';

const DATE_FIELDS: Readonly<Record<string, (date: Date) => number>> = {
  yyyy: (date) => date.getUTCFullYear(),
  MM: (date) => date.getUTCMonth() + 1,
  dd: (date) => date.getUTCDate(),
  HH: (date) => date.getUTCHours(),
  mm: (date) => date.getUTCMinutes(),
};
const DATE_FIELD = new RegExp(Object.keys(DATE_FIELDS).join('|'), 'g');

/** The finest unit of a date. */
const MINUTE_MS = 60_000;

function compileText(text: string, template: string, rule: NameRule): string {
  if (BRACE.test(text)) throw wrong(rule, 'a template with every brace closed', template);
  return checkText(text, template, rule);
}

function checkText(text: string, template: string, rule: NameRule): string {
  if (rule.isText(text)) return text;
  throw wrong(rule, rule.expectedText ?? rule.expected, template);
}

/** `token` is the text between two braces. */
function compileToken(token: string, template: string, rule: NameRule): string | Token {
  const make = TOKENS.get(token);
  if (make) return make();
  const pattern = DATE_TOKEN.exec(token)?.[1];
  if (pattern !== undefined && !/[A-Za-z]/.test(pattern.replace(DATE_FIELD, ''))) {
    checkText(pattern.replace(DATE_FIELD, '0'), template, rule);
    return dateToken(pattern);
  }
  const [, field, fallback = NO_FIELD] = FIELD_TOKEN.exec(token) ?? [];
  const path = field?.split('.');
  if (path === undefined || path.includes('')) throw wrong(rule, `a template of ${KNOWN} (not {${token}})`, template);
  return fieldToken(path, checkText(fallback, template, rule), rule.toText ?? textOfJson);
}

function wrong({ option }: NameRule, expected: string, template: unknown): ConfigError {
  return wrongOption(option, expected, template);
}

function refusePromise(returned: unknown, option: string): void {
  if (!isThenable(returned)) return;
  returned.then(undefined, () => {});
  throw new TypeError(`${option}: expected a synchronous function, got one that returns a promise`);
}

/** `20261122T210106Z` */
function startOfProcess(): string {
  const start = new Date(Date.now() - process.uptime() * 1000);
  return start.toISOString().replace(/[-:]|\.\d+/g, '');
}

/** It caches the last minute, so that most records format no date. */
function dateToken(pattern: string): Token {
  let minute = Number.NaN;
  let text = '';
  const of = ({ time }: NamedRecord): string => {
    const minuteOfRecord = Math.floor(time / MINUTE_MS);
    if (minuteOfRecord !== minute) {
      minute = minuteOfRecord;
      text = formatDate(pattern, new Date(time));
    }
    return text;
  };
  return { readsFields: false, of };
}

function formatDate(pattern: string, date: Date): string {
  return pattern.replace(DATE_FIELD, (field) => String(DATE_FIELDS[field]?.(date)).padStart(field.length, '0'));
}

type ToText = NonNullable<NameRule['toText']>;

function fieldToken(path: readonly string[], fallback: string, toText: ToText): Token {
  const of = ({ fields }: NamedRecord): string => {
    try {
      return textOf(valueAt(fields, path, toText), toText) ?? fallback;
    } catch {
      // A getter or a proxy throws.
      return fallback;
    }
  };
  return { readsFields: true, of };
}

/** The value at a path of own members; `undefined` if there is none. May throw, as getters and proxies do. */
function valueAt(fields: unknown, path: readonly string[], toText: ToText): unknown {
  const visited: object[] = [];
  let value: unknown = fields;
  for (const name of path) {
    const object = visited.length === 0 && isObject(value) ? value : objectOf(value, toText);
    // A cycle ends on the way between threads, and so it does here.
    if (!object || visited.includes(object) || !Object.prototype.propertyIsEnumerable.call(object, name))
      return undefined;
    visited.push(object);
    value = (object as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** The object to look into: the value itself, or the one whose JSON it is. None for lists. */
function objectOf(value: unknown, toText: ToText): object | undefined {
  if (typeof value === 'string') return parseObject(value);
  if (!isObject(value) || Array.isArray(value)) return undefined;
  if (isOrdinary(value)) return value;
  const text = toText(value);
  return typeof text === 'string' ? parseObject(text) : undefined;
}

/** The text by which a value names something; `undefined` for one without. */
function textOf(value: unknown, toText: ToText): string | undefined {
  switch (typeof value) {
    case 'string':
      return NO_TEXTS.has(value) || isJsonOfObject(value) ? undefined : value;
    case 'number':
      return Number.isFinite(value) ? String(value) : undefined;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object': {
      if (value === null || Array.isArray(value) || isOrdinary(value)) return undefined;
      const text = toText(value);
      return isObject(text) ? undefined : textOf(text, toText);
    }
    default:
      return undefined;
  }
}

/** What values without a text are after a trip between threads. */
const NO_TEXTS: ReadonlySet<string> = new Set(['', 'NaN', 'Infinity', '-Infinity', '[Unreadable]', '[Circular]']);

/** Whether JSON has the own members of an object as they are. */
function isOrdinary(value: object): boolean {
  if ('toJSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  const isOther = isError(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
  return !isOther && !types.isMap(value) && !types.isSet(value) && !types.isBoxedPrimitive(value);
}

function isJsonOfObject(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** The text of a primitive, or the JSON of an object or a list, as {@link stringify} writes it. */
function textOfJson(value: object): unknown {
  const json = stringify(value);
  if (json === 'null') return undefined;
  return json.startsWith('"') ? JSON.parse(json) : json;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
