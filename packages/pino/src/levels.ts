import { standardLevels, wrongOption } from '@logferry/core';

/** pino's level of a line without one. */
export const INFO = 30;

/** The number of a standard level's name, in any case. A logger's `customLevels` are not on its lines, and so not known. */
export function numberOf(label: string): number | undefined {
  return standardLevels.get(label) ?? standardLevels.get(label.toLowerCase());
}

/** The option `level`: a standard name, or any number. */
export function levelOption(level: unknown): number {
  if (level === undefined) return 0;
  if (typeof level === 'number' && level >= 0) return level;
  const value = typeof level === 'string' ? standardLevels.get(level) : undefined;
  if (value !== undefined) return value;
  throw wrongOption('level', `one of ${[...standardLevels.keys()].join(', ')}, or a number of at least 0`, level);
}
