import { types } from 'node:util';

/** A log record, as an adapter hands it to {@link Shipper.accept}. */
export interface LogRecord {
  /** Time of the event, in epoch milliseconds. */
  readonly time: number;
  /** The framework's label of the level: `"info"`. */
  readonly level: string;
  /** True for warnings and worse: these records may use the reserved fifth of the buffer. */
  readonly urgent: boolean;
  /** The line as the framework rendered it. It may be a getter: the core reads it only if the destination does. */
  readonly text: string;
  /** The record's fields. It may be a getter, like `text`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Below this, a number is epoch seconds (year 5138), not milliseconds (March 1973). */
const SECONDS_BELOW = 100_000_000_000;
/** Below this (March 1973) a number is a duration rather than a time: the service would refuse the record as too old. */
const SECONDS_FROM = 100_000_000;

/** Other date forms are ambiguous (3/4/2026): a wrong guess can make the service refuse the record as too old. */
const ISO_DATE_TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?$/i;
const EPOCH_NUMBER = /^\d{9,13}(\.\d+)?$/;

/**
 * Reads the time of an event in the forms that loggers write: epoch milliseconds or seconds (number or digits), an ISO
 * 8601 string, a `Date`. Any other value gives `fallback`. Never throws.
 *
 * @returns integer epoch milliseconds
 */
export function toEpochMs(value: unknown, fallback: number): number {
  let ms = Number.NaN;
  if (typeof value === 'number' && value >= SECONDS_FROM) ms = value < SECONDS_BELOW ? value * 1000 : value;
  else if (types.isDate(value)) ms = Date.prototype.getTime.call(value);
  else if (typeof value === 'string') {
    if (EPOCH_NUMBER.test(value)) return toEpochMs(Number(value), fallback);
    if (ISO_DATE_TIME.test(value)) ms = Date.parse(value.replace(',', '.'));
  }
  return toDateMs(ms) ?? fallback;
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
