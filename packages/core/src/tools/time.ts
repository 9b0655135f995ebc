import { types } from 'node:util';
import type { LogRecord } from '../contract/record.js';

/**
 * Reads the time of an event in the forms that loggers write:
 *
 * - a number, or its digits: epoch seconds from 1e9, milliseconds from 1e11, microseconds from 1e14, nanoseconds from 1e17 on.
 *   A smaller number is a duration, such as `performance.now()`, and no time.
 * - 12, 14 or 17 digits that are a local date and time: `YYYYMMDDHHmm`, `YYYYMMDDHHmmss`, `YYYYMMDDHHmmssSSS`
 * - a BigInt: epoch nanoseconds. A smaller one than 1e17, such as `process.hrtime.bigint()`, is no time.
 * - an ISO 8601 date with a time of day, which is local time without an offset. A date alone is no time.
 * - a `Date`
 *
 * Any other value gives `fallback`. Never throws.
 *
 * @returns integer epoch milliseconds
 */
export function toEpochMs(value: unknown, fallback: number): number {
  if (typeof value === 'number' && value >= USUAL_MS && value < USUAL_MS_END) return Math.trunc(value);
  return toDateMs(readTime(value)) ?? fallback;
}

/** The time in integer epoch milliseconds; `undefined` before 1970, after the last date of JavaScript, and for no number. */
export function toDateMs(ms: number): number | undefined {
  return ms >= 0 && ms <= 8.64e15 ? Math.trunc(ms) : undefined;
}

/** The time of a record; `fallback` if it cannot be read. Never throws. */
export function timeOf(record: Pick<LogRecord, 'time'>, fallback: number): number {
  try {
    const { time } = record;
    return Number.isFinite(time) ? time : fallback;
  } catch {
    return fallback;
  }
}

/** A duration for people: `250 ms`, `74 s`. */
export function durationText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}

/** Milliseconds of the years 2001 to 2286, as nearly all records have. No date in digits is in this range. */
const USUAL_MS = 1e12;
const USUAL_MS_END = 1e13;

/** The smallest number of each unit: September 2001 in seconds, March 1973 in the others, which end in the year 5138. */
const SECONDS_FROM = 1e9;
const MS_FROM = 1e11;
const US_FROM = 1e14;
const NS_FROM = 1e17;
const NS_END = 1e20;

const DIGITS = /^\d{10,20}(\.\d+)?$/;

const DATE_IN_DIGITS =
  /^((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d)(\d{3})?)?$/;

/** Other forms are ambiguous (3/4/2026). A date alone is midnight in UTC: a guess that is hours wrong. */
const ISO_DATE_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?$/i;

/** Epoch milliseconds; `NaN` for what is no time. */
function readTime(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return readDigits(String(value), value);
    case 'string':
      if (DIGITS.test(value)) return readDigits(value, Number(value));
      return ISO_DATE_TIME.test(value) ? Date.parse(value.replace(',', '.')) : Number.NaN;
    case 'bigint':
      return value >= NS_FROM ? Number(value) / 1e6 : Number.NaN;
    default:
      return types.isDate(value) ? Date.prototype.getTime.call(value) : Number.NaN;
  }
}

function readDigits(digits: string, value: number): number {
  const [, year, month, day, hour, minute, second, ms] = DATE_IN_DIGITS.exec(digits)?.map(Number) ?? [];
  if (year && month && day) return new Date(year, month - 1, day, hour, minute, second || 0, ms || 0).getTime();
  if (value < SECONDS_FROM || value >= NS_END) return Number.NaN;
  if (value < MS_FROM) return value * 1e3;
  if (value < US_FROM) return value;
  return value / (value < NS_FROM ? 1e3 : 1e6);
}
