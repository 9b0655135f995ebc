import { randomUUID } from 'node:crypto';
import { isKept, membersOf, replaceInexactNumbers } from './parse-object.js';
import { toPrimitive } from './stringify.js';

/**
 * A number that JavaScript cannot hold as JSON has it: `9007199254740993`, `1.0`, `1E400`. `String(value)` is the number as it was,
 * `Number(value)` the nearest one of JavaScript.
 */
class ExactNumber {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  valueOf(): number {
    return Number(this.#source);
  }

  toString(): string {
    return this.#source;
  }

  toJSON(): string {
    return MARK + this.#source;
  }
}

/** Begins a string that stands for a number. Nobody else can write it. */
const MARK = `${randomUUID()}:`;

/** A function of the application's may have put JSON into a string: then backslashes are before both quotes. */
const MARKED = new RegExp(`(?<!\\\\)(\\\\*)"${MARK}([^"\\\\]*)\\1"`, 'g');

/** An object as its JSON has it. A number that JavaScript cannot hold is a string with a mark. */
export interface MarkedObject {
  readonly members: Record<string, unknown>;
  /** The further members with the name of another one, each as an object of its own, and with a name that is free. */
  readonly repeated: readonly { readonly freeName: string; readonly member: Record<string, unknown> }[];
}

/**
 * Parses the JSON of an object, and loses neither a digit nor a member: {@link unmark} the JSON that is written of it. Of several
 * members with one of `firstNames` the first has the name, of others the last. `undefined` for any other text.
 */
export function parseMarked(text: string, firstNames: readonly string[]): MarkedObject | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    if (isKept(text, parsed)) return { members: parsed, repeated: [] };
  } catch {
    return undefined;
  }
  const sources = membersOf(text, firstNames);
  const parse = (source: string): unknown =>
    JSON.parse(replaceInexactNumbers(source, (number) => `"${MARK}${number}"`));
  const isOwner = ({ name, ownName }: (typeof sources)[number]): boolean => name === ownName;
  return {
    members: Object.fromEntries(sources.filter(isOwner).map(({ name, source }) => [name, parse(source)])),
    repeated: sources
      .filter((member) => !isOwner(member))
      .map(({ name, ownName, source }) => ({ freeName: name, member: { [ownName]: parse(source) } })),
  };
}

/**
 * JSON of a record's fields, in which a map, a set and an error have their members. After about 4,194,304 characters it is cut, with a
 * mark: that of densely linked objects grows exponentially. Never throws.
 */
export function exactJson(fields: object): string {
  return String(toPrimitive(fields, MAX_CHARS));
}

const MAX_CHARS = 4 * 1024 * 1024;

/** Puts the numbers back into JSON that has marks, also in strings that are JSON themselves, and in parts of it. */
export function unmark(json: string): string {
  return json.includes(MARK) ? json.replace(MARKED, '$2').replaceAll(MARK, '') : json;
}

/** Replaces the strings with a mark, at any depth of plain data, by {@link ExactNumber}s: for a function of the application's. */
export function reviveNumbers(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value;
  if (typeof value === 'object' && value !== null)
    for (const [key, member] of Object.entries(value)) {
      const revived = reviveNumbers(member);
      if (revived !== member) (value as Record<string, unknown>)[key] = revived;
    }
  return value;
}
