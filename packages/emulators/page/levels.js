// @ts-check

/** Names of the levels, least urgent first; the first is that of a record without one. */
export const LEVELS = ['', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** @type {Readonly<Record<string, number>>} */
const KNOWN = {
  silly: 1,
  trace: 1,
  verbose: 2,
  debug: 2,
  http: 3,
  info: 3,
  information: 3,
  notice: 3,
  log: 3,
  warn: 4,
  warning: 4,
  err: 5,
  error: 5,
  crit: 6,
  critical: 6,
  alert: 6,
  emerg: 6,
  fatal: 6,
};
const MEMBER = /"(?:level|severity|lvl)"\s*:\s*"?([\w-]+)/i;
const WORD = /\b(trace|debug|info|notice|warn|warning|err|error|crit|critical|fatal)\b/i;
/** A level stands at the beginning of a line of text. */
const WORD_LENGTH = 80;

/**
 * The index of a record's level in {@link LEVELS}. The numbers of pino and bunyan are levels times 10.
 *
 * @param {string | Readonly<Record<string, string>>} content
 */
export function levelOf(content) {
  const name = nameOf(content);
  if (name === undefined) return 0;
  const number = Number(name);
  if (number > 0) return Math.min(Math.max(Math.round(number / 10), 1), 6);
  return KNOWN[name.toLowerCase()] ?? 0;
}

/** @param {string | Readonly<Record<string, string>>} content */
function nameOf(content) {
  if (typeof content !== 'string') return content.level ?? content.severity;
  return content.startsWith('{') ? MEMBER.exec(content)?.[1] : WORD.exec(content.slice(0, WORD_LENGTH))?.[1];
}
