import { standardLevels, wrongOption } from '@logferry/core';

/** The level of a line that has none. */
export const INFO = 30;

/** The number of a standard level's name, in upper or lower case. Custom levels have none: a line does not carry `customLevels`. */
export function numberOf(label: string): number | undefined {
  return standardLevels.get(label) ?? standardLevels.get(label.toLowerCase());
}

/** Checks the option `level`, and returns it as a number; 0 if absent. Throws `ConfigError`. */
export function levelOption(level: unknown): number {
  if (level === undefined) return 0;
  if (typeof level === 'number' && level >= 0) return level;
  const value = typeof level === 'string' ? standardLevels.get(level) : undefined;
  if (value !== undefined) return value;
  throw wrongOption('level', `one of ${[...standardLevels.keys()].join(', ')}, or a number of at least 0`, level);
}
