import { standardLevels, wrongOption } from '@logferry/core';

/** A level of bunyan: a name, or a number. */
export type BunyanLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | number;

/** Checks the option `level`. Names may be in upper or lower case, as for bunyan. Throws `ConfigError`. */
export function levelOption(level: BunyanLevel | undefined): BunyanLevel | undefined {
  if (level === undefined) return undefined;
  if (typeof level === 'string' && standardLevels.has(level.toLowerCase())) return level;
  if (typeof level === 'number' && Number.isInteger(level) && level >= 0) return level;
  throw wrongOption('level', `${[...standardLevels.keys()].join(', ')} or an integer of at least 0`, level);
}
