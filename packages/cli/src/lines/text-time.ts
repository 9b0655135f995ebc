import { toEpochMs } from '@logferry/core';
import { afterColours, Code, isDigit, isLetter, isLower, isUpper } from './char-codes.js';
import { levelOfWord } from './level-words.js';

/**
 * Reads the time that a line of text begins with. Without an offset it is local time.
 *
 * - `2026-11-28 04:31:06,123`, `2026-11-28T04:31:06.123Z`, `2026/11/28 04:31:06`, also behind a level (`INFO 2026-…`)
 * - syslog: `Nov 28 04:31:06`, `<34>1 2026-11-28T04:31:06Z`; klog: `I1128 04:31:06.123456`. A year that is not written is the
 *   last one with which the time is at most a day ahead.
 * - `Sat, 28 Nov 2026 04:31:06 GMT`, `Sat Nov 28 04:31:06 2026`, `28-Nov-2026 04:31:06`
 * - access logs: `[28/Nov/2026:04:31:06 +0000]`
 * - logfmt: `time="2026-11-28T04:31:06Z"`, `ts=…`
 * - epoch seconds, milliseconds, microseconds or nanoseconds, if they are at most a day ahead
 *
 * @param now epoch milliseconds
 * @returns epoch milliseconds; `undefined` for a line without a time of day and a date
 */
export function textTime(line: string, now: number): number | undefined {
  let at = afterColours(line, 0);
  if (line.charCodeAt(at) === Code.less) at = afterSyslogPriority(line, at);
  const opening = line.charCodeAt(at);
  if (opening === Code.openingBracket || opening === Code.openingParenthesis) at++;
  const code = line.charCodeAt(at);
  if (isDigit(code)) return timeAtDigit(line, at, now) ?? accessLogTime(line);
  if (isUpper(code)) return timeAtCapital(line, at, now) ?? timeBehindLevel(line, at) ?? accessLogTime(line);
  if (isLower(code)) return logfmtTime(line, at, now) ?? timeBehindLevel(line, at) ?? accessLogTime(line);
  return accessLogTime(line);
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** `<34>` of RFC 3164, `<34>1 ` of RFC 5424. */
function afterSyslogPriority(line: string, at: number): number {
  const end = line.indexOf('>', at);
  if (end < 0 || end - at > MAX_PRIORITY_CHARS) return at;
  const isVersioned = isDigit(line.charCodeAt(end + 1)) && line.charCodeAt(end + 2) === Code.space;
  return isVersioned ? end + 3 : end + 1;
}

const MAX_PRIORITY_CHARS = 4;

function timeAtDigit(line: string, at: number, now: number): number | undefined {
  const separator = line.charCodeAt(at + 4);
  if (separator === Code.minus || separator === Code.slash) return timeYearFirst(line, at);
  return timeDayFirst(line, at) ?? epochTime(line, at, now);
}

function timeAtCapital(line: string, at: number, now: number): number | undefined {
  const fourth = line.charCodeAt(at + 3);
  if (fourth === Code.space) return timeMonthFirst(line, at, now) ?? ctime(line, at);
  if (fourth === Code.comma) return timeDayFirst(line, at + 5);
  return isDigit(line.charCodeAt(at + 1)) ? klogTime(line, at, now) : undefined;
}

/** `INFO 2026-…`, `[INFO] [2026-…`, `info: 2026-…`. */
function timeBehindLevel(line: string, at: number): number | undefined {
  let end = at;
  while (isLetter(line.charCodeAt(end))) end++;
  let start = afterColours(line, end);
  while (isSeparator(line.charCodeAt(start)) && start - end < MAX_SEPARATORS) start++;
  if (start === end || !isDigit(line.charCodeAt(start)) || !levelOfWord(line.slice(at, end))) return undefined;
  return timeYearFirst(line, start);
}

/** Levels are often padded, and followed by brackets. */
const MAX_SEPARATORS = 16;

function isSeparator(code: number): boolean {
  switch (code) {
    case Code.space:
    case Code.tab:
    case Code.colon:
    case Code.minus:
    case Code.bar:
    case Code.openingBracket:
    case Code.closingBracket:
      return true;
    default:
      return false;
  }
}

const LOGFMT = /(?:level="?\w+"? )?(?:time|ts|t|timestamp)="?/y;

function logfmtTime(line: string, at: number, now: number): number | undefined {
  const code = line.charCodeAt(at);
  if (code !== LOWER_L && code !== LOWER_T) return undefined;
  LOGFMT.lastIndex = at;
  if (!LOGFMT.test(line)) return undefined;
  const start = LOGFMT.lastIndex;
  return isDigit(line.charCodeAt(start)) ? timeAtDigit(line, start, now) : undefined;
}

const LOWER_L = 0x6c;
const LOWER_T = 0x74;

/** `2026-11-28 04:31:06`, with `T` or a space, `-` or `/`. */
function timeYearFirst(line: string, at: number): number | undefined {
  const separator = line.charCodeAt(at + 4);
  if (separator !== Code.minus && separator !== Code.slash) return undefined;
  if (line.charCodeAt(at + 7) !== separator) return undefined;
  const between = line.charCodeAt(at + 10);
  if (between !== Code.space && (between | 0x20) !== LOWER_T) return undefined;
  return timeOnDay(line, at + 11, year(line, at), twoDigits(line, at + 5), twoDigits(line, at + 8));
}

/** `28 Nov 2026 04:31:06`, `28-Nov-2026 04:31:06`, `28/Nov/2026:04:31:06`. */
function timeDayFirst(line: string, at: number): number | undefined {
  const digits = isDigit(line.charCodeAt(at + 1)) ? 2 : 1;
  const month = monthAt(line, at + digits + 1);
  if (month === 0 || line.charCodeAt(at + digits) !== line.charCodeAt(at + digits + 4)) return undefined;
  const yearStart = at + digits + 5;
  const between = line.charCodeAt(yearStart + 4);
  if (between !== Code.space && between !== Code.colon) return undefined;
  return timeOnDay(line, yearStart + 5, year(line, yearStart), month, dayAt(line, at, digits));
}

/** `Nov 28 04:31:06`, `Nov  8 04:31:06`, `Nov 28 2026 04:31:06`. */
function timeMonthFirst(line: string, at: number, now: number): number | undefined {
  const month = monthAt(line, at);
  if (month === 0) return undefined;
  const dayStart = line.charCodeAt(at + 4) === Code.space ? at + 5 : at + 4;
  const digits = isDigit(line.charCodeAt(dayStart + 1)) ? 2 : 1;
  const day = dayAt(line, dayStart, digits);
  const start = dayStart + digits + 1;
  if (line.charCodeAt(start + 2) === Code.colon) return timeInLastYear(line, start, month, day, now);
  return line.charCodeAt(start + 4) === Code.space
    ? timeOnDay(line, start + 5, year(line, start), month, day)
    : undefined;
}

const CTIME = /[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) \d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{3,5})? (\d{4})/y;

/** `Sat Nov 28 04:31:06 2026`, `Sat Nov 28 04:31:06 UTC 2026`. */
function ctime(line: string, at: number): number | undefined {
  if (line.charCodeAt(at + 13) !== Code.colon) return undefined;
  CTIME.lastIndex = at;
  const match = CTIME.exec(line);
  return match ? timeOnDay(line, at + 11, Number(match[3]), monthAt(line, at + 4), Number(match[2])) : undefined;
}

/** `I1128 04:31:06.123456`. */
function klogTime(line: string, at: number, now: number): number | undefined {
  const letter = line.charCodeAt(at);
  if (!KLOG_LETTERS.has(letter) || line.charCodeAt(at + 5) !== Code.space) return undefined;
  return timeInLastYear(line, at + 6, twoDigits(line, at + 1), twoDigits(line, at + 3), now);
}

const KLOG_LETTERS: ReadonlySet<number> = new Set([...'IWEF'].map((letter) => letter.charCodeAt(0)));

/** `127.0.0.1 - frank [28/Nov/2026:04:31:06 +0000] "GET …`. */
function accessLogTime(line: string): number | undefined {
  const bracket = line.indexOf('[');
  if (bracket < 0 || bracket > MAX_ADDRESS_CHARS || line.charCodeAt(bracket + 3) !== Code.slash) return undefined;
  return isDigit(line.charCodeAt(bracket + 1)) ? timeDayFirst(line, bracket + 1) : undefined;
}

/** Of the host, the address and the user before the time. */
const MAX_ADDRESS_CHARS = 200;

function epochTime(line: string, at: number, now: number): number | undefined {
  let end = at;
  while (isDigit(line.charCodeAt(end))) end++;
  if (end - at < MIN_EPOCH_DIGITS || !mayFollowEpoch(line.charCodeAt(end))) return undefined;
  if (end - at === MIN_EPOCH_DIGITS && line.charCodeAt(end) === Code.point) {
    do end++;
    while (isDigit(line.charCodeAt(end)));
  }
  const time = toEpochMs(line.slice(at, end), -1);
  return time >= 0 && time <= now + DAY_MS ? time : undefined;
}

/** Seconds since September 2001. */
const MIN_EPOCH_DIGITS = 10;

function mayFollowEpoch(code: number): boolean {
  return Number.isNaN(code) || code === Code.point || code === Code.comma || code === Code.quote || isSeparator(code);
}

/** The time in the last year with which it is at most a day ahead of now. */
function timeInLastYear(line: string, at: number, month: number, day: number, now: number): number | undefined {
  const thisYear = new Date(now).getUTCFullYear();
  for (let candidate = thisYear + 1; candidate >= thisYear - MAX_YEARS_TO_LEAP_DAY; candidate--) {
    // Certain without the time zone, which takes longer.
    if (Date.UTC(candidate, month - 1, day) > now + 3 * DAY_MS) continue;
    const time = timeOnDay(line, at, candidate, month, day);
    if (time !== undefined && time <= now + DAY_MS) return time;
  }
  return undefined;
}

/** 1900 and 2100 have none. */
const MAX_YEARS_TO_LEAP_DAY = 8;

/** Reads `04:31`, `04:31:06` or `04:31:06.123` at an index, and the offset that follows. */
function timeOnDay(line: string, at: number, ofYear: number, month: number, day: number): number | undefined {
  if (line.charCodeAt(at + 2) !== Code.colon || !isDate(ofYear, month, day)) return undefined;
  const hour = twoDigits(line, at);
  const minute = twoDigits(line, at + 3);
  const hasSeconds = line.charCodeAt(at + 5) === Code.colon;
  const second = hasSeconds ? twoDigits(line, at + 6) : 0;
  // 60: a leap second.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return undefined;
  let end = hasSeconds ? at + 8 : at + 5;
  let ms = 0;
  const mark = line.charCodeAt(end);
  if ((mark === Code.point || mark === Code.comma) && isDigit(line.charCodeAt(end + 1))) {
    end++;
    for (let unit = 100; isDigit(line.charCodeAt(end)); end++, unit = Math.trunc(unit / 10)) {
      ms += unit * digitAt(line, end);
    }
  }
  const utc = Date.UTC(ofYear, month - 1, day, hour, minute, second);
  const offset = offsetMinutes(line, end);
  return (offset === undefined ? fromLocal(utc) : utc - offset * MINUTE_MS) + ms;
}

function isDate(ofYear: number, month: number, day: number): boolean {
  if (ofYear < 1970 || month < 1 || month > 12 || day < 1 || day > 31) return false;
  return day <= 28 || day <= new Date(Date.UTC(ofYear, month, 0)).getUTCDate();
}

/** Reads `Z`, `+01:00`, `+0100`, `+01`, ` +0100`, ` UTC` or ` GMT`. Other names of time zones are ambiguous. */
function offsetMinutes(line: string, end: number): number | undefined {
  const isApart = line.charCodeAt(end) === Code.space;
  const at = isApart ? end + 1 : end;
  const code = line.charCodeAt(at);
  if ((code | 0x20) === LOWER_Z) return isLetter(line.charCodeAt(at + 1)) ? undefined : 0;
  if (code === Code.plus || code === Code.minus) return signedOffsetMinutes(line, at, isApart);
  const isUtc = line.startsWith('UTC', at) || line.startsWith('GMT', at);
  return isUtc && !isLetter(line.charCodeAt(at + 3)) ? 0 : undefined;
}

const LOWER_Z = 0x7a;

function signedOffsetMinutes(line: string, at: number, isApart: boolean): number | undefined {
  const hours = twoDigits(line, at + 1);
  const minutesStart = line.charCodeAt(at + 3) === Code.colon ? at + 4 : at + 3;
  const hasMinutes = isDigit(line.charCodeAt(minutesStart));
  // ` -10` is a number of the message.
  if (!hasMinutes && isApart) return undefined;
  const minutes = hasMinutes ? twoDigits(line, minutesStart) : 0;
  const next = hasMinutes ? minutesStart + 2 : at + 3;
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59 || isDigit(line.charCodeAt(next))) return undefined;
  const total = hours * 60 + minutes;
  return line.charCodeAt(at) === Code.minus ? -total : total;
}

/** Offsets change at whole quarters of an hour. */
const QUARTER_MS = 15 * MINUTE_MS;

let lastQuarter = Number.NaN;
let lastOffsetMs = 0;

/** The time of a local date and time that is given as if it were UTC. The last quarter of an hour is kept: a look-up takes longer than the rest. */
function fromLocal(asUtc: number): number {
  const quarter = Math.floor(asUtc / QUARTER_MS);
  if (quarter !== lastQuarter) {
    const date = new Date(quarter * QUARTER_MS);
    const local = new Date(
      date.getUTCFullYear(),
      date.getUTCMonth(),
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
    );
    lastOffsetMs = local.getTime() - date.getTime();
    lastQuarter = quarter;
  }
  return asUtc + lastOffsetMs;
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** 1 to 12; 0 for no month. */
function monthAt(line: string, at: number): number {
  if (!isUpper(line.charCodeAt(at)) || !isLower(line.charCodeAt(at + 2))) return 0;
  const index = MONTHS.indexOf(line.slice(at, at + 3));
  return index >= 0 && index % 3 === 0 ? index / 3 + 1 : 0;
}

function year(line: string, at: number): number {
  const century = twoDigits(line, at);
  const rest = twoDigits(line, at + 2);
  return century < 0 || rest < 0 ? -1 : century * 100 + rest;
}

function dayAt(line: string, at: number, digits: number): number {
  return digits === 2 ? twoDigits(line, at) : digitAt(line, at);
}

/** -1 if there are no two digits. */
function twoDigits(line: string, at: number): number {
  return isDigit(line.charCodeAt(at)) && isDigit(line.charCodeAt(at + 1))
    ? digitAt(line, at) * 10 + digitAt(line, at + 1)
    : -1;
}

function digitAt(line: string, at: number): number {
  return line.charCodeAt(at) - 0x30;
}
