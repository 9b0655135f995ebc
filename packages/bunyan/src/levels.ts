import { standardLevels, wrongOption } from '@logferry/core';

/** A level as bunyan takes it: a name, or a number of one's own. */
export type BunyanLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | number;

/** Checks a level as bunyan itself does, which takes names in any case. */
export function levelOption(level: BunyanLevel | undefined): BunyanLevel | undefined {
  if (level === undefined) return undefined;
  if (typeof level === 'string' && standardLevels.has(level.toLowerCase())) return level;
  if (typeof level === 'number' && Number.isInteger(level) && level >= 0) return level;
  throw wrongOption('level', `${[...standardLevels.keys()].join(', ')} or an integer of at least 0`, level);
}
