import { afterColours, Code, isDigit, isLetter, isUpper } from './char-codes.js';
import { levelOfWord, syslogLevels } from './level-words.js';

/**
 * Reads the level of a line of text: `trace`, `debug`, `info`, `warn`, `error` or `fatal`. It is looked for in the first 100
 * characters of the first line:
 *
 * - a word in upper case: `ERROR`, `WARNING:`
 * - a word of any case in brackets, behind `level=`, or before a colon where no sentence has begun: `[error]`, `level=warn`, `info: …`
 * - `<3>` of syslog, klog's `E1128 …`, npm's `12 verbose …` and `npm warn …`
 *
 * A word in a sentence (`no error occurred`) and the status of an HTTP request are no level.
 */
export function textLevel(line: string): string | undefined {
  return prefixLevel(line) ?? firstLevelWord(line);
}

const SCANNED_CHARS = 100;

const SYSLOG_PRIORITY = /^<(\d{1,3})>/;
const KLOG = /^([IWEF])\d{4} \d\d:/;
const NPM = /^(?:npm|\d+) (silly|verbose|http|timing|info|notice|warn|error|WARN|ERR!)(?= )/;

const klogLevels: Readonly<Record<string, string>> = { I: 'info', W: 'warn', E: 'error', F: 'fatal' };

/** Only npm means them as levels. */
const npmLevels: Readonly<Record<string, string>> = { http: 'info', timing: 'info', 'ERR!': 'error' };

function prefixLevel(line: string): string | undefined {
  const first = line.charCodeAt(0);
  const second = line.charCodeAt(1);
  if (first === Code.less) {
    const priority = SYSLOG_PRIORITY.exec(line)?.[1];
    return priority && syslogLevels[Number(priority) % 8];
  }
  if (isUpper(first) && isDigit(second)) return klogLevels[KLOG.exec(line)?.[1] ?? ''];
  // Most lines begin with a date, and need no regular expression.
  if (first === LOWER_N || (isDigit(first) && line.charCodeAt(4) !== Code.minus)) {
    const word = NPM.exec(line)?.[1];
    return word && (npmLevels[word] ?? levelOfWord(word));
  }
  return undefined;
}

const LOWER_N = 0x6e;

function firstLevelWord(line: string): string | undefined {
  const end = Math.min(line.length, SCANNED_CHARS);
  /** Only capitals and what is in brackets came yet: a sentence has not begun. */
  let isBeforeText = true;
  let wasBeforeBracket = true;
  let before: number = Code.space;
  for (let at = 0; at < end; at++) {
    const code = line.charCodeAt(at);
    if (code === Code.lineFeed) return undefined;
    if (isLetter(code)) {
      const wordEnd = endOfWord(line, at);
      const isCapitals = isUpper(code) && isUpper(line.charCodeAt(wordEnd - 1));
      const level = levelAt(line, at, wordEnd, before, isCapitals, isBeforeText);
      if (level) return level;
      if (!isCapitals) isBeforeText = false;
      before = code;
      at = wordEnd - 1;
    } else if (code === Code.escape) {
      at = Math.max(at, afterColours(line, at) - 1);
    } else {
      if (code === Code.openingBracket) wasBeforeBracket = isBeforeText;
      else if (code === Code.closingBracket) isBeforeText = wasBeforeBracket;
      before = code;
    }
  }
  return undefined;
}

function endOfWord(line: string, start: number): number {
  let end = start + 1;
  while (isLetter(line.charCodeAt(end))) end++;
  return end;
}

function levelAt(
  line: string,
  start: number,
  end: number,
  before: number,
  isCapitals: boolean,
  isBeforeText: boolean,
): string | undefined {
  const next = line.charCodeAt(line.charCodeAt(end) === Code.escape ? afterColours(line, end) : end);
  const isLevel =
    (isCapitals && mayPrecedeCapitals(before) && mayFollowCapitals(next)) ||
    (next === Code.colon && (isBeforeText || line.startsWith(': ', start - 2))) ||
    isEnclosed(line, end, before) ||
    isAssigned(line, start, before);
  return isLevel ? levelOfWord(line.slice(start, end)) : undefined;
}

function mayPrecedeCapitals(code: number): boolean {
  switch (code) {
    case Code.space:
    case Code.tab:
    case Code.openingBracket:
    case Code.openingParenthesis:
    case Code.openingBrace:
    case Code.closingBracket:
    case Code.less:
    case Code.greater:
    case Code.bar:
    case Code.colon:
    case Code.semicolon:
    case Code.comma:
      return true;
    default:
      return false;
  }
}

function mayFollowCapitals(code: number): boolean {
  switch (code) {
    case Code.space:
    case Code.tab:
    case Code.lineFeed:
    case Code.openingBracket:
    case Code.closingBracket:
    case Code.openingParenthesis:
    case Code.closingParenthesis:
    case Code.closingBrace:
    case Code.greater:
    case Code.bar:
    case Code.colon:
    case Code.semicolon:
    case Code.comma:
    case Code.bang:
    // `INFO/MainProcess` of Celery.
    case Code.slash:
      return true;
    default:
      return Number.isNaN(code);
  }
}

/** `[error]`, `[error ]`, `[core:error]`, `<info>`, `|warn|`. */
function isEnclosed(line: string, end: number, before: number): boolean {
  const closing = closingOf(before);
  if (closing === undefined) return false;
  let at = end;
  while (line.charCodeAt(at) === Code.space) at++;
  return line.charCodeAt(at) === closing;
}

function closingOf(code: number): number | undefined {
  switch (code) {
    case Code.openingBracket:
    case Code.colon:
      return Code.closingBracket;
    case Code.less:
      return Code.greater;
    case Code.bar:
      return Code.bar;
    default:
      return undefined;
  }
}

/** The query of an address (`?level=…`) says nothing of the line. */
const LEVEL_KEY = /(?<![?&\w.-])[\w.-]*(?:level|lvl|severity)(?:="?|":")$/i;

/** `level=warn`, `level="warn"`, `"level":"warn"`. */
function isAssigned(line: string, start: number, before: number): boolean {
  if (before !== Code.equals && before !== Code.quote) return false;
  return LEVEL_KEY.test(line.slice(Math.max(0, start - MAX_KEY_CHARS), start));
}

const MAX_KEY_CHARS = 24;
