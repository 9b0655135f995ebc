import { wrongOption } from '@logferry/core';

/** pino's standard levels. A logger's `customLevels` are not on its lines and so not known here. */
const LEVELS: ReadonlyMap<string, number> = new Map([
  ['trace', 10],
  ['debug', 20],
  ['info', 30],
  ['warn', 40],
  ['error', 50],
  ['fatal', 60],
]);
const LABELS: ReadonlyMap<number, string> = new Map([...LEVELS].map(([label, value]) => [value, label]));

export const INFO = 30;
export const WARN = 40;

/** The label of a level; of a custom one, its digits. */
export function labelOf(value: number): string {
  return LABELS.get(value) ?? String(value);
}

/** The number behind a label, in upper or lower case; none for a custom one. */
export function numberOf(label: string): number | undefined {
  return LEVELS.get(label) ?? LEVELS.get(label.toLowerCase());
}

/** The option `level`: a standard name, or any number. */
export function levelOption(level: unknown): number {
  if (level === undefined) return 0;
  if (typeof level === 'number' && level >= 0) return level;
  const value = typeof level === 'string' ? LEVELS.get(level) : undefined;
  if (value !== undefined) return value;
  throw wrongOption('level', `one of ${[...LEVELS.keys()].join(', ')}, or a number of at least 0`, level);
}
