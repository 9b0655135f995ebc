/** Checks a value that may come from JavaScript without types. Throws a TypeError with its path, the expectation and the value. */
export type Check = (path: string, value: unknown) => void;

/** A check for each member of a type: the compiler refuses a missing one. */
export type Checks<T> = { readonly [Name in keyof T]-?: Check };

/**
 * Checks the options of a function, before it does anything: `startSts: roles[0].roleArn: expected …`. An unknown name is refused
 * with the known one that is nearest. Options that are absent are `{}`.
 */
export function checkOptions<Options extends object>(caller: string, options: unknown, checks: Checks<Options>): void {
  object(checks)(`${caller}:`, options === undefined ? {} : options);
}

/** A value that may be `undefined`. */
export function optional(check: Check): Check {
  return (path, value) => {
    if (value !== undefined) check(path, value);
  };
}

/** An object with these members and no others. */
export function object(checks: Readonly<Record<string, Check>>): Check {
  const known = Object.keys(checks);
  return (path, value) => {
    const given = membersOf(path, value, known);
    for (const name of Object.keys(given)) {
      if (known.includes(name)) continue;
      const meant = nearest(name, known);
      throw unknownName(memberPath(path, name), meant ? `did you mean "${meant}"?` : `known are ${known.join(', ')}`);
    }
    for (const [name, check] of Object.entries(checks)) check(memberPath(path, name), given[name]);
  };
}

/**
 * An access key, by the names of its cloud. Members that a client of the cloud adds, such as `accountId`, are ignored; a misspelt name
 * is refused. Errors do not show the key.
 */
export function accessKey(names: { readonly id: string; readonly secret: string; readonly token: string }): Check {
  const { id, secret, token } = names;
  const checks = { [id]: secretText, [secret]: secretText, [token]: optional(secretText), expiration: optional(date) };
  const known = Object.keys(checks);
  return (path, value) => {
    const given = membersOf(path, value, [id, secret]);
    for (const name of Object.keys(given)) {
      const meant = known.includes(name) ? undefined : nearest(name, known);
      if (meant) throw unknownName(memberPath(path, name), `did you mean "${meant}"?`);
    }
    for (const [name, check] of Object.entries(checks)) check(memberPath(path, name), given[name]);
  };
}

/** A list, with at least one value if `minLength` is 1. */
export function list(check: Check, minLength: 0 | 1 = 0): Check {
  return (path, value) => {
    if (!Array.isArray(value)) throw wrong(path, 'an array', value);
    if (value.length < minLength) throw wrong(path, 'an array that is not empty', value);
    for (const [index, entry] of value.entries()) check(`${path}[${index}]`, entry);
  };
}

/** One value, or a list of them as in {@link list}. */
export function oneOrList(check: Check, minLength: 0 | 1 = 0): Check {
  return (path, value) => (Array.isArray(value) ? list(check, minLength) : check)(path, value);
}

/** A number from `min` to `max`. */
export function number(min: number, max: number = Number.POSITIVE_INFINITY): Check {
  const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
  return (path, value) => {
    if (typeof value !== 'number' || !(value >= min && value <= max)) throw wrong(path, `a number ${range}`, value);
  };
}

/** An integer from `min` to `max`. */
export function integer(min: number, max: number): Check {
  return (path, value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw wrong(path, `an integer from ${min} to ${max}`, value);
  };
}

/** One of a few words. */
export function choice(words: readonly string[]): Check {
  return (path, value) => {
    if (words.includes(value as string)) return;
    throw wrong(path, words.map((word) => JSON.stringify(word)).join(' or '), value);
  };
}

/** A text that keeps a rule of the service. */
export function matching(rule: RegExp): Check {
  return (path, value) => {
    if (typeof value !== 'string' || !rule.test(value)) throw wrong(path, `a string as ${rule.source}`, value);
  };
}

export const string: Check = (path, value) => {
  if (typeof value !== 'string') throw wrong(path, 'a string', value);
};

export const text: Check = (path, value) => {
  if (!isText(value)) throw wrong(path, TEXT, value);
};

/** The same for a text that an error must not show. */
export const secretText: Check = (path, value) => {
  if (!isText(value)) throw new TypeError(`${path}: expected ${TEXT}, got ${value === '' ? '""' : typeOf(value)}`);
};

export const flag: Check = (path, value) => {
  if (typeof value !== 'boolean') throw wrong(path, 'true or false', value);
};

export const callable: Check = (path, value) => {
  if (typeof value !== 'function') throw wrong(path, 'a function', value);
};

/** Of a random generator. */
export const seedNumber: Check = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

/** To listen on; 0 takes a free one. */
export const portNumber: Check = integer(0, 65_535);

const date: Check = (path, value) => {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrong(path, 'a valid Date', value);
};

const TEXT = 'a string that is not empty';

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function membersOf(path: string, value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  // The value may be a secret: "user:password".
  throw new TypeError(`${within(path)} expected an object with ${names.join(', ')}, got ${typeOf(value)}`);
}

/** `startSts: roles`, and then `startSts: roles.name`. */
function memberPath(path: string, name: string): string {
  return path.endsWith(':') ? `${path} ${name}` : `${path}.${name}`;
}

function within(path: string): string {
  return path.endsWith(':') ? path : `${path}:`;
}

function unknownName(path: string, hint: string): TypeError {
  return new TypeError(`${path}: unknown name; ${hint}`);
}

function wrong(path: string, expected: string, got: unknown): TypeError {
  return new TypeError(`${path}: expected ${expected}, got ${describe(got)}`);
}

function describe(value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return 'an empty array';
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  return typeof value === 'object' || typeof value === 'function' ? typeOf(value) : String(value);
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The known name that is closest to a misspelt one; none when nothing is close. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const [best] = known
    .map((candidate) => ({ candidate, distance: distance(wanted, candidate.toLowerCase()) }))
    .filter((each) => each.distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance);
  return best?.candidate;
}

/** 1 if one begins with the other: `host` and `hostname`. Else that of Levenshtein. */
function distance(a: string, b: string): number {
  if (a !== '' && (a.startsWith(b) || b.startsWith(a))) return 1;
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
