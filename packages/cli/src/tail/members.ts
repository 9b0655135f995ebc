import { stringify } from '@logferry/core';
import { LEVEL_NAMES, MESSAGE_NAMES, type RecognisedLine, TIME_NAMES } from '../lines/recognise.js';
import { safeText } from '../safe-text.js';

/** The stack of an error that is a member of a record, or the record itself. */
export interface Stack {
  /** Name of the member that has it. */
  readonly name: string;
  readonly text: string;
}

/** The stacks of the errors in a record. */
export function stacksOf({ fields, format }: RecognisedLine): Stack[] {
  if (format === 'text') return [];
  return Object.entries(fields).flatMap(([name, value]) => {
    const text = name === 'stack' ? value : stackOf(value);
    return typeof text === 'string' && text !== '' ? [{ name, text }] : [];
  });
}

/** The other members of a record as names and values, safe for a terminal, without those that are printed elsewhere. */
export function memberTexts(line: RecognisedLine, stacks: readonly Stack[]): [name: string, value: string][] {
  const { fields, format } = line;
  if (format === 'text') return [];
  const printed = new Set(['_aws', ...(format === 'json' ? sourcesOf(line) : HIDDEN[format])]);
  const message = MESSAGE_NAMES.find((name) => fields[name] === line.message);
  if (message !== undefined) printed.add(message);
  const hasStack = new Set(stacks.map(({ name }) => name));
  return Object.entries(fields).flatMap(([name, value]) => {
    if (printed.has(name)) return [];
    if (!hasStack.has(name)) return [[safeText(name), valueText(value)]];
    return name === 'stack' ? [] : errorMembers(name, value as object);
  });
}

/** What a format has in each record, besides `_aws`, which only says what of the other members is a metric. */
const HIDDEN: Readonly<Record<'pino' | 'bunyan' | 'winston', readonly string[]>> = {
  pino: ['level', 'time', 'pid', 'hostname'],
  bunyan: ['v', 'level', 'time', 'pid', 'hostname'],
  winston: ['level', 'timestamp'],
};

/** The members of other JSON that may have given time and level. */
function sourcesOf({ hasOwnTime, hasOwnLevel }: RecognisedLine): readonly string[] {
  return [...(hasOwnTime ? TIME_NAMES : []), ...(hasOwnLevel ? LEVEL_NAMES : [])];
}

function stackOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { stack?: unknown }).stack : undefined;
}

/** Name and message of an error are in the first line of its stack. */
function errorMembers(name: string, error: object): [name: string, value: string][] {
  return Object.entries(error).flatMap(([member, value]) =>
    IN_STACK.has(member) ? [] : [[safeText(`${name}.${member}`), valueText(value)]],
  );
}

const IN_STACK: ReadonlySet<string> = new Set(['stack', 'type', 'name', 'message']);

function valueText(value: unknown): string {
  const isPlain = typeof value === 'string' && PLAIN.test(value);
  return safeText(isPlain ? value : stringify(value));
}

/** A text that ends where it seems to end. */
const PLAIN = /^[^\s"'=\\{[\p{C}]+$/u;
