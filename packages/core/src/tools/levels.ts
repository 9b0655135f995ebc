/** The numbers of the levels that pino and bunyan share, by name. */
export const standardLevels: ReadonlyMap<string, number> = new Map([
  ['trace', 10],
  ['debug', 20],
  ['info', 30],
  ['warn', 40],
  ['error', 50],
  ['fatal', 60],
]);

const labels: ReadonlyMap<unknown, string> = new Map([...standardLevels].map(([label, level]) => [level, label]));

/** The name of a level; the digits of a level that has no name. */
export function levelLabel(level: unknown): string {
  return labels.get(level) ?? String(level);
}

/** Whether a level is a warning or worse: a number of at least 40. */
export function isUrgentLevel(level: unknown): boolean {
  return typeof level === 'number' && level >= 40;
}
