import { wrongOption } from '@logferry/core';

/** A level as bunyan takes it: a name, or a number of one's own. */
export type BunyanLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | number;

const INFO = 30;
const WARN = 40;

const names: ReadonlyMap<unknown, string> = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [INFO, 'info'],
  [WARN, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
]);

/** The name of a level; the digits of one that has no name. */
export function labelOf(level: unknown = INFO): string {
  return names.get(level) ?? String(level);
}

/** Whether a level is a warning or worse. */
export function isUrgent(level: unknown): boolean {
  return typeof level === 'number' && level >= WARN;
}

/** Checks a level as bunyan itself does, which takes names in any case. */
export function levelOption(level: BunyanLevel | undefined): BunyanLevel | undefined {
  if (level === undefined) return undefined;
  if (typeof level === 'string' && [...names.values()].includes(level.toLowerCase())) return level;
  if (typeof level === 'number' && Number.isInteger(level) && level >= 0) return level;
  throw wrongOption('level', `${[...names.values()].join(', ')} or an integer of at least 0`, level);
}
