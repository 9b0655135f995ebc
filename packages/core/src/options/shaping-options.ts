import createRedaction from '@pinojs/redact';
import {
  booleanOption,
  functionOption,
  numberOption,
  objectOption,
  refuseUnknownOptions,
  wrongOption,
} from './checks.js';

/** What of a record {@link ShapingOptions.transform} sees, and may change. */
export interface ShippedRecord {
  /** Time of the event, in epoch milliseconds. */
  time: number;
  /** The framework's label of the level: `"info"`. */
  level: string;
  /**
   * The line, if it ships and is not the JSON of an object; else `undefined`, and the JSON of `fields` ships. A function may set
   * it, and may take it away.
   */
  text?: string | undefined;
  /**
   * The fields: of a line of JSON those of the line. Plain data, of this record alone. A number that JavaScript cannot hold is an
   * object: `String(value)` is the number as it was.
   */
  fields: Record<string, unknown>;
}

/** The fields that are not to be shipped. */
export interface RedactOptions {
  /** The paths, in the syntax of pino's redact: `'password'`, `'req.headers.authorization'`, `'*.token'`, `'items[*].key'`, `'["a-b"].c'`. */
  readonly paths: readonly string[];
  /** Takes the place of a value. @default '[Redacted]' */
  readonly censor?: string | undefined;
  /** True: the member is left out. @default false */
  readonly remove?: boolean | undefined;
}

/** What is done with a record before it is encoded. It changes what ships, and nothing else: no other transport sees it. */
export interface ShapingOptions {
  /**
   * The part of the records of a level that ships, from 0 to 1: `{ debug: 0.1 }`. Chosen by chance. The others are counted as
   * `sampled`, which is no loss. @default all records
   * @see https://github.com/logferry/logferry/blob/main/docs/redaction.md#sample
   */
  readonly sample?: Readonly<Record<string, number>> | undefined;
  /**
   * Called with each record before `redact`. It returns a record, perhaps the one that it got, or null: then the record is counted
   * as `filtered`, which is no loss. A record is dropped as `unencodable` if the function throws, or returns something else.
   * @default records ship as they are
   * @see https://github.com/logferry/logferry/blob/main/docs/redaction.md#transform
   */
  readonly transform?: ((record: ShippedRecord) => ShippedRecord | null) | undefined;
  /**
   * Fields that are replaced by `'[Redacted]'` before anything is shipped or kept on disk: a list of paths, or an object with them. A
   * line of JSON is parsed and written again; instead of another line the JSON of the redacted fields ships. A record that cannot be
   * redacted is dropped as `unencodable`. @default none
   * @see https://github.com/logferry/logferry/blob/main/docs/redaction.md#redact
   */
  readonly redact?: readonly string[] | RedactOptions | undefined;
}

/** The options after all checks. */
export interface ResolvedShaping {
  readonly sample: ReadonlyMap<string, number>;
  readonly transform: ShapingOptions['transform'];
  /** Writes the JSON of an object that it may change, redacted. `undefined` if nothing is. */
  readonly redact: ((members: object) => string) | undefined;
}

/** Checks the options. `undefined` if nothing is to be done. Throws `ConfigError`. */
export function resolveShaping({ sample, transform, redact }: ShapingOptions): ResolvedShaping | undefined {
  functionOption('transform', transform, undefined);
  const shaping = { sample: sampleOption(sample), transform, redact: redactOption(redact) };
  return shaping.sample.size > 0 || transform || shaping.redact ? shaping : undefined;
}

/** Whether a record is taken apart: then a thread gets all of it. */
export function isTakenApart(shaping: ResolvedShaping | undefined): boolean {
  return shaping?.transform !== undefined || shaping?.redact !== undefined;
}

function sampleOption(value: unknown): ReadonlyMap<string, number> {
  const parts = Object.entries(objectOption('sample', value));
  const range = { min: 0, max: 1, integer: false };
  return new Map(parts.map(([level, part]) => [level, numberOption(`sample.${level}`, part, 1, range)]));
}

function redactOption(value: unknown): ResolvedShaping['redact'] {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value);
  if (Object(value) !== value) throw wrongOption('redact', 'an array of paths, or an object with paths', value);
  const options = isList ? { paths: value } : objectOption('redact', value);
  if (!isList) refuseUnknownOptions(options, ['paths', 'censor', 'remove'], 'redact.');
  const { paths, censor = '[Redacted]', remove } = options as Partial<RedactOptions>;
  const name = isList ? 'redact' : 'redact.paths';
  if (!Array.isArray(paths)) throw wrongOption(name, 'an array of paths', paths);
  if (typeof censor !== 'string') throw wrongOption('redact.censor', 'a string', censor);
  const isRemoved = booleanOption('redact.remove', remove, false);
  if (paths.length === 0) return undefined;
  paths.forEach((path: unknown, index) => {
    if (!isPath(path))
      throw wrongOption(`${name}[${index}]`, 'a path such as "req.headers.authorization" or "*.token"', path);
  });
  return createRedaction({ paths: [...paths], censor, remove: isRemoved }) as (members: object) => string;
}

const NAME = String.raw`(?:\*|(?!\s)[^.[\]"'*]+(?<!\s))`;
const IN_BRACKETS = String.raw`\[(?:\*|[\w$-]+|"[^"\]]+"|'[^'\]]+')\]`;

/** `a.b`, `a[*].b`, `*.b`, `["a.b"].c`; not `$.a` of JSONPath. */
const PATH = new RegExp(String.raw`^(?!\$[.[])(?:${NAME}|${IN_BRACKETS})(?:\.${NAME}|\.?${IN_BRACKETS})*$`);

/** The library takes others, and redacts nothing by them. */
function isPath(path: unknown): boolean {
  if (typeof path !== 'string' || !PATH.test(path)) return false;
  try {
    createRedaction({ paths: [path] });
    return true;
  } catch {
    return false;
  }
}
