import type { Action, Call, Context } from './context.js';
import { ServiceError, UnsupportedOperation } from './errors.js';
import { jsonResponse } from './protocol.js';
import { DELIMITERS, LINES } from './rules.js';
import type { FullTextIndex, LogServiceEvent } from './store.js';

/** Returns the logs of a span of time that match a query, in order of time. */
export function getLogs({ logstore, query }: Call, context: Context): Action {
  const from = readSeconds(query, 'from');
  const to = readSeconds(query, 'to');
  if (from >= to) throw new ServiceError('InvalidTimeRange', 'Request time range is invalid.');
  const line = readNumber(query, 'line', LINES, LINES[1], 'InvalidLine', 'Line is invalid.');
  const anyOffset = [0, Number.MAX_SAFE_INTEGER] as const;
  const offset = readNumber(query, 'offset', anyOffset, 0, 'InvalidOffset', 'Offset is invalid.');
  const reverse = query.get('reverse') || 'false';
  if (!/^(?:true|false)$/i.test(reverse)) throw new ServiceError('InvalidReverse', 'Reverse value is invalid.');
  const topic = query.get('topic') || undefined;
  const { index } = context.store.find(logstore);
  if (!index) throw new ServiceError('IndexConfigNotExist', 'logstore without index config');
  const matches = parseQuery(query.get('query') ?? '', index.line);

  return {
    perform({ isIncomplete } = { isIncomplete: false }) {
      const found = context.store
        .events({ logstore, ...(topic !== undefined && { topic }) })
        .filter(({ time }) => time >= from * 1000 && time < to * 1000)
        .filter(matches)
        .toSorted((a, b) => a.time - b.time || a.timeNs - b.timeNs);
      if (reverse.toLowerCase() === 'true') found.reverse();
      const page = found.slice(offset, offset + line).map(describe);
      const logs = isIncomplete ? page.slice(page.length / 2) : page;
      const progress = isIncomplete ? 'Incomplete' : 'Complete';
      return jsonResponse(logs, context, { 'x-log-progress': progress, 'x-log-count': String(logs.length) });
    },
  };
}

/** A term of a query: `word`, `key: word`, or either with a quoted text. */
const TERM =
  /\s*(?:(?<key>__tag__:[^\s:"]+|[^\s:"]+)\s*:\s*)?(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[^\s"]+))(?=\s|$)/y;
/** What simple queries do not have: SQL, alternatives, negations, groups and comparisons. */
const UNSUPPORTED = /^(?:or|not|in|like)$|[|()<>=]/i;

/** A condition that each log of the result meets. All terms of the query must match. */
function parseQuery(query: string, line: FullTextIndex | undefined): (event: LogServiceEvent) => boolean {
  const { token = DELIMITERS, caseSensitive = false } = line ?? {};
  const split = (text: string): string[] => splitWords(caseSensitive ? text : text.toLowerCase(), token);
  const terms: ((event: LogServiceEvent) => boolean)[] = [];
  const text = query.trim();
  TERM.lastIndex = 0;
  while (TERM.lastIndex < text.length) {
    const start = TERM.lastIndex;
    const { key, quoted, bare } = TERM.exec(text)?.groups ?? {};
    if (quoted === undefined && bare === undefined) {
      throw new ServiceError('InvalidQueryString', 'Query string is invalid.', 400, `at "${text.slice(start)}"`);
    }
    if (bare !== undefined && UNSUPPORTED.test(bare)) throw new UnsupportedOperation(`GetLogs with ${bare}`);
    if (bare === '*' || (key === undefined && bare?.toLowerCase() === 'and')) continue;
    const words = bare?.endsWith('*') ? [] : split(quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
    const prefix = bare?.endsWith('*') ? split(bare.slice(0, -1)).join('') : undefined;
    terms.push((event) =>
      valuesOf(event, key).some((value) => {
        const found = split(value);
        return prefix === undefined
          ? words.every((word) => found.includes(word))
          : found.some((word) => word.startsWith(prefix));
      }),
    );
  }
  return (event) => terms.every((matches) => matches(event));
}

function valuesOf({ topic, source, tags, fields }: LogServiceEvent, key: string | undefined): string[] {
  if (key === undefined) return Object.values(fields);
  const special: Record<string, string | undefined> = { __topic__: topic, __source__: source };
  const value = key.startsWith('__tag__:') ? tags[key.slice('__tag__:'.length)] : (special[key] ?? fields[key]);
  return value === undefined ? [] : [value];
}

function splitWords(text: string, delimiters: readonly string[]): string[] {
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (!delimiters.includes(character)) {
      word += character;
      continue;
    }
    if (word) words.push(word);
    word = '';
  }
  if (word) words.push(word);
  return words;
}

/** A log as clients read it: all values are strings. */
function describe({ time, timeNs, topic, source, tags, fields }: LogServiceEvent): Record<string, string> {
  return {
    ...fields,
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`__tag__:${key}`, value])),
    __topic__: topic,
    __source__: source,
    __time__: String(Math.floor(time / 1000)),
    __time_ns_part__: String(timeNs),
  };
}

function readSeconds(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) throw new ServiceError('MissingParameter', `Missing query key : ${name}.`);
  if (!/^\d+$/.test(text)) throw new ServiceError('InvalidTimeRange', 'Request time range is invalid.');
  return Number(text);
}

function readNumber(
  query: URLSearchParams,
  name: string,
  [min, max]: readonly [min: number, max: number],
  fallback: number,
  code: string,
  message: string,
): number {
  const text = query.get(name) || String(fallback);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) throw new ServiceError(code, message);
  return value;
}
