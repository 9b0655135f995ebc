import { UsageError } from '../usage-error.js';

/** The form of an option's value on the command line and in the environment. */
type OptionKind =
  | 'text'
  | 'number'
  | 'boolean'
  /** The flag several times; with commas in the environment. */
  | 'list'
  /** `name=value`; several as of a list. */
  | 'map'
  /** As `map`; the values are numbers. */
  | 'numbers'
  /** The JSON of an object. */
  | 'json'
  /** Text, or the flag with `no-` before it, which means false. */
  | 'text-or-off';

/** An option of a command: a flag, an environment variable, and a member of the configuration file. */
export interface OptionSpec {
  /** Its place in the options of the code: `['retry', 'baseMs']`. */
  readonly path: readonly [string, ...string[]];
  readonly kind: OptionKind;
  /** Placeholder of the value in the help. */
  readonly value?: string;
  readonly description: string;
  /** Of the help. It is the destination's or the command's own. */
  readonly defaultText?: string;
  /** All values, for completion; the description says them, and their owner checks them. */
  readonly choices?: readonly string[];
  /** A second name of the flag, without dashes: `group`. */
  readonly short?: string;
}

/** `--retry-base-ms` */
export function flagOf({ path }: OptionSpec): string {
  return `--${path.map(toKebab).join('-')}`;
}

/** `LOGFERRY_RETRY_BASE_MS` */
export function envOf({ path }: OptionSpec): string {
  return `LOGFERRY_${path.map(toKebab).join('_').replaceAll('-', '_').toUpperCase()}`;
}

/** Name of the option's value in what the parser of the command line returns: `retryBaseMs`. */
export function attributeOf({ path: [first, ...others] }: OptionSpec): string {
  return first + others.map((name) => name.charAt(0).toUpperCase() + name.slice(1)).join('');
}

/**
 * Reads the text of a flag or an environment variable. Throws `UsageError`, which names the `source`. Only the form is checked: the
 * destination and the core check the value.
 */
export function parseValue({ kind }: OptionSpec, text: string, source: string, isEnv: boolean): unknown {
  const parts = isEnv ? text.split(',').map((part) => part.trim()) : [text];
  switch (kind) {
    case 'number':
      return parseNumber(text, source);
    case 'boolean':
      return parseBoolean(text, source);
    case 'list':
      return parts;
    case 'map':
      return parseMap(parts, source);
    case 'numbers':
      return Object.fromEntries(
        Object.entries(parseMap(parts, source)).map(([name, value]) => [name, parseNumber(value, source)]),
      );
    case 'json':
      return parseJson(text, source);
    case 'text-or-off':
      return text === 'false' ? false : text;
    case 'text':
      return text;
  }
}

/** Joins the value of a flag that is given again with those before. */
export function joinValues({ kind }: OptionSpec, before: unknown, next: unknown): unknown {
  if (before === undefined) return next;
  if (kind === 'list') return [...(before as unknown[]), ...(next as unknown[])];
  if (kind === 'map' || kind === 'numbers') return { ...(before as object), ...(next as object) };
  return next;
}

function toKebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function parseNumber(text: string, source: string): number {
  const number = Number(text.replaceAll('_', ''));
  if (text.trim() === '' || Number.isNaN(number)) throw wrongValue(source, 'a number', text);
  return number;
}

function parseBoolean(text: string, source: string): boolean {
  const value = { true: true, '1': true, false: false, '0': false }[text.toLowerCase()];
  if (value === undefined) throw wrongValue(source, 'true or false', text);
  return value;
}

function parseMap(parts: readonly string[], source: string): Record<string, string> {
  return Object.fromEntries(
    parts.map((part) => {
      const end = part.indexOf('=');
      if (end < 1) throw wrongValue(source, 'name=value', part);
      return [part.slice(0, end), part.slice(end + 1)];
    }),
  );
}

function parseJson(text: string, source: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // The same error as for another value.
  }
  throw wrongValue(source, 'the JSON of an object', text);
}

function wrongValue(source: string, expected: string, got: string): UsageError {
  return new UsageError(`${source}: expected ${expected}, got ${JSON.stringify(got)}`);
}
