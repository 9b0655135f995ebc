import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type ConfigError, wrongOption } from '@logferry/core';

/** Returns the log stream of an event with this time (epoch milliseconds) and level. */
export type StreamNamer = (time: number, level: string) => string;

/**
 * Compiles the option `logStreamName`, a template. Throws `ConfigError`.
 *
 * @returns the name itself if it is the same for all events
 */
export function compileStreamName(template: unknown): string | StreamNamer {
  if (typeof template !== 'string' || template === '' || template.length > MAX_LENGTH) {
    throw wrong(`a name or template of 1 to ${MAX_LENGTH} characters`, template);
  }
  const parts = template
    .split(BRACED)
    .map((text, index) => (index % 2 === 0 ? compileLiteral(text, template) : compileToken(text, template)));
  if (parts.every((part) => typeof part === 'string')) return toStreamName(parts.join(''));
  return (time, level) =>
    toStreamName(parts.map((part) => (typeof part === 'string' ? part : part(time, level))).join(''));
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html: `[^:*]*`, 1 to 512 */
const FORBIDDEN = /[:*]/g;
const MAX_LENGTH = 512;

const BRACED = /\{([^{}]*)\}/g;
const DATE_TOKEN = /^date:(.+)$/;

const TOKENS = new Map<string, () => string | StreamNamer>([
  ['hostname', hostname],
  ['pid', () => String(process.pid)],
  ['start', startOfProcess],
  ['uuid', randomUUID],
  ['level', () => (_time, level) => level],
]);

const DATE_FIELDS: Readonly<Record<string, (date: Date) => number>> = {
  yyyy: (date) => date.getUTCFullYear(),
  MM: (date) => date.getUTCMonth() + 1,
  dd: (date) => date.getUTCDate(),
  HH: (date) => date.getUTCHours(),
  mm: (date) => date.getUTCMinutes(),
};
const DATE_FIELD = new RegExp(Object.keys(DATE_FIELDS).join('|'), 'g');

function compileLiteral(text: string, template: string): string {
  if (/[{}]/.test(text)) throw wrong('a template with every brace closed', template);
  if (text.search(FORBIDDEN) >= 0) throw wrong('a name without ":" and "*"', template);
  return text;
}

/** `token` is the text between two braces. */
function compileToken(token: string, template: string): string | StreamNamer {
  const make = TOKENS.get(token);
  if (make) return make();
  const pattern = DATE_TOKEN.exec(token)?.[1];
  if (pattern === undefined || /[A-Za-z]/.test(pattern.replace(DATE_FIELD, ''))) {
    const known = '{hostname}, {pid}, {start}, {uuid}, {level} and {date:…} with yyyy, MM, dd, HH and mm';
    throw wrong(`a template of ${known} (not {${token}})`, template);
  }
  if (pattern.search(FORBIDDEN) >= 0) throw wrong('a name without ":" and "*"', template);
  return (time) => formatDate(pattern, new Date(time));
}

function wrong(expected: string, template: unknown): ConfigError {
  return wrongOption('logStreamName', expected, template);
}

/** `20261122T210106Z` */
function startOfProcess(): string {
  const start = new Date(Date.now() - process.uptime() * 1000);
  return start.toISOString().replace(/[-:]|\.\d+/g, '');
}

function formatDate(pattern: string, date: Date): string {
  return pattern.replace(DATE_FIELD, (field) => String(DATE_FIELDS[field]?.(date)).padStart(field.length, '0'));
}

/** Makes a valid name: host name and level, which come from outside, may contain any character. */
function toStreamName(text: string): string {
  return text.replace(FORBIDDEN, '-').slice(0, MAX_LENGTH).toWellFormed() || '-';
}
