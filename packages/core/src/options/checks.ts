import { ConfigError } from '../contract/errors.js';
import { parseProxy } from '../tools/proxy.js';
import { asNamedElsewhere, type OtherPackages } from './other-packages.js';

/**
 * The `ConfigError` for a wrong value. It names the option, the expectation and the value that came, without the user name,
 * password and query of a URL.
 */
export function wrongOption(option: string, expected: string, got: unknown): ConfigError {
  return new ConfigError(option, `${option}: expected ${expected}, got ${describe(got)}`);
}

/** The same for an option that can hold a secret: of the value it names the type only. */
export function wrongSecret(option: string, expected: string, got: unknown): ConfigError {
  const hasContent = got !== '' && ['string', 'number', 'bigint', 'symbol'].includes(typeof got);
  return new ConfigError(
    option,
    `${option}: expected ${expected}, got ${hasContent ? `a ${typeof got}` : describe(got)}`,
  );
}

/**
 * The names of an options type, as an object with each name once: the compiler refuses a missing one. Used for
 * {@link refuseUnknownOptions} and {@link splitOptions}.
 */
export function optionNames<Options extends object>(
  names: Readonly<Record<keyof Options, true>>,
): readonly (keyof Options & string)[] {
  return Object.keys(names) as (keyof Options & string)[];
}

/**
 * Throws `ConfigError` for an option that is not `known`, with the name that was probably meant. `path` goes before the name. A name of
 * one of the `others` is answered with what it is here.
 */
export function refuseUnknownOptions(
  options: object,
  known: readonly string[],
  path = '',
  others: OtherPackages = {},
): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const hint = asNamedElsewhere(name, others) ?? nearestHint(name, known, path);
    throw new ConfigError(path + name, `unknown option "${path}${name}": ${hint}`);
  }
}

function nearestHint(name: string, known: readonly string[], path: string): string {
  const meant = nearestName(name, known);
  return meant === undefined ? `known are ${known.join(', ')}` : `did you mean "${path}${meant}"?`;
}

/**
 * Splits options between two layers, a destination and a transport, by the names that each of them reads. A name may belong
 * to both. Throws `ConfigError` for a name that neither knows; a name of one of the `others` is answered with what it is here.
 */
export function splitOptions<T extends object, A extends keyof T & string, B extends keyof T & string>(
  options: T,
  first: readonly A[],
  second: readonly B[],
  others?: OtherPackages<keyof T & string>,
): readonly [Pick<T, A>, Pick<T, B>] {
  const raw = objectOption('options', options) as T;
  refuseUnknownOptions(raw, [...new Set<string>([...first, ...second])], '', others);
  return [pick(raw, first), pick(raw, second)];
}

/**
 * Checks an options object. Throws `ConfigError` for any other value, as all checks below.
 *
 * @param expected what the message asks for
 * @returns `{}` if it is absent
 */
export function objectOption(
  option: string,
  value: unknown,
  expected = 'an object',
): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongOption(option, expected, value);
  return value as Readonly<Record<string, unknown>>;
}

/**
 * Checks an integer, or with `integer: false` any number, from `min` to `max`.
 *
 * @returns `fallback` if it is absent, as all checks below
 */
export function numberOption(
  option: string,
  value: unknown,
  fallback: number,
  { min, max = Number.MAX_SAFE_INTEGER, integer = true }: { min: number; max?: number; integer?: boolean },
): number {
  if (value === undefined) return fallback;
  const valid = typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value));
  if (valid) return value;
  const kind = integer ? 'an integer' : 'a number';
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw wrongOption(option, `${kind} ${range}`, value);
}

/** Checks one of a few words. */
export function choiceOption<T extends string>(option: string, value: unknown, fallback: T, choices: readonly T[]): T {
  if (value === undefined) return fallback;
  if (choices.includes(value as T)) return value as T;
  throw wrongOption(option, choices.map((choice) => JSON.stringify(choice)).join(' or '), value);
}

/** Checks true or false. */
export function booleanOption(option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw wrongOption(option, 'true or false', value);
}

/** Checks a string that is not empty. */
export function stringOption<T extends string | undefined>(option: string, value: unknown, fallback: T): string | T {
  if (value === undefined) return fallback;
  if (typeof value === 'string' && value !== '') return value;
  throw wrongOption(option, 'a string that is not empty', value);
}

/**
 * Checks the option `proxy`: the URL of an HTTP proxy, or `false`, also as `''`, for none. The error shows no part of the URL, which may
 * have a password in it.
 */
export function proxyOption(option: string, value: unknown): string | false | undefined {
  if (value === undefined) return undefined;
  if (value === false || value === '') return false;
  if (typeof value === 'string' && parseProxy(value)) return value;
  throw wrongSecret(option, 'the URL of a proxy, with http:// or https://, or false', value);
}

/** Checks a function. */
export function functionOption<T>(option: string, value: T | undefined, fallback: T): T {
  if (value === undefined) return fallback;
  if (typeof value === 'function') return value;
  throw wrongOption(option, 'a function', value);
}

/** A member of some credentials that cannot be used, and what it has to be. */
export interface KeyFault {
  readonly name: string;
  readonly expected: string;
  readonly got: unknown;
}

/**
 * Checks the form of credentials: the members `required`, and `token` unless it is absent or empty, have to fit into a header. Does not
 * throw.
 */
export function faultOfKeys(credentials: unknown, required: readonly string[], token: string): KeyFault | undefined {
  const given = Object(credentials) as Readonly<Record<string, unknown>>;
  for (const name of [...required, token]) {
    const key = given[name];
    // An empty one is none, as to the libraries of the clouds: a profile may name it without a value.
    if (name === token && (key === undefined || key === null || key === '')) continue;
    if (typeof key !== 'string' || key === '') return { name, expected: 'a string that is not empty', got: key };
    if (!KEY.test(key)) return { name, expected: 'a string without blanks and line ends', got: key };
  }
  return undefined;
}

/** A header takes no line end: that is what remains of a file that a key was read from. */
const KEY = /^[\x21-\x7e]+$/;

/** Before the host of a URL, with or without a scheme: `user:password@`. */
const USER_INFO = /(^|\/\/)[^/\s]*@/;
const QUERY = /\?.+/s;

function pick<T extends object, K extends keyof T>(options: T, names: readonly K[]): Pick<T, K> {
  const picked: Partial<Pick<T, K>> = {};
  for (const name of names) if (options[name] !== undefined) picked[name] = options[name];
  return picked as Pick<T, K>;
}

/** A value in an error: no content of an object, and of a text the beginning, without the secrets of a URL. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    const shown = value.replace(USER_INFO, '$1…@').replace(QUERY, '?…');
    return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 100)}…` : shown);
  }
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** The known name that is closest to a misspelt one; none when nothing is close. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    const related = other.startsWith(wanted) || wanted.startsWith(other);
    const distance = related ? 1 : editDistance(wanted, other);
    if (distance <= Math.max(2, wanted.length / 3) && (!best || distance < best.distance)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
