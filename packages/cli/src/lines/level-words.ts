import { isUrgentLevel, standardLevels } from '@logferry/core';

/**
 * The level that a word of a logger means: `WARNING` is `warn`. Case does not matter. `undefined` for any other word.
 *
 * What is worse than an error is `fatal`, as in pino and bunyan; what is more than debug output is `trace`.
 */
export function levelOfWord(word: string): string | undefined {
  if (word.length < MIN_WORD_CHARS || word.length > MAX_WORD_CHARS) return undefined;
  return levels.get(word) ?? levels.get(word.toLowerCase());
}

/** Whether records of the level are warnings or worse. */
export function isUrgentLabel(level: string | undefined): boolean {
  return level !== undefined && isUrgentLevel(standardLevels.get(level));
}

/** syslog's severities, by their numbers (RFC 5424, section 6.2.1). */
export const syslogLevels: readonly string[] = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'];

const words: Readonly<Record<string, string>> = {
  trace: 'trace trc trce finest finer silly',
  debug: 'debug dbg dbug fine verbose vrb',
  info: 'info inf information informational notice',
  warn: 'warn warning wrn',
  error: 'error err eror fail severe',
  fatal: 'fatal ftl critical crit alert emerg emergency panic',
};

/** By the word in lower and in upper case. */
const levels: ReadonlyMap<string, string> = new Map(
  Object.entries(words).flatMap(([level, all]) =>
    all.split(' ').flatMap((word) => [[word, level] as const, [word.toUpperCase(), level] as const]),
  ),
);

const MIN_WORD_CHARS = 3;
const MAX_WORD_CHARS = 13;
