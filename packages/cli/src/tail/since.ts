import { UsageError } from '../usage-error.js';

/**
 * Reads a time of the past: an age such as `10m`, or a date or time of ISO 8601, which is local unless it has a zone.
 *
 * @returns epoch milliseconds
 */
export function parseSince(text: string, source: string, nowMs: number): number {
  const ms = nowMs - ageOf(text) || timeOf(text);
  const got = `got ${JSON.stringify(text)}`;
  if (Number.isNaN(ms))
    throw new UsageError(
      `${source}: expected an age such as 10m, or a time such as 2026-11-28T09:30 (ISO 8601), ${got}`,
    );
  if (ms > nowMs) throw new UsageError(`${source}: expected a time of the past, ${got}`);
  return Math.max(0, Math.round(ms));
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function ageOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  return Number(number) * (UNITS_MS[unit] ?? Number.NaN);
}

/** `Date.parse` takes `5` for a month of 2001, and a date alone for one of UTC. */
function timeOf(text: string): number {
  if (!ISO_8601.test(text)) return Number.NaN;
  return Date.parse(text.length === DATE_CHARS ? `${text}T00:00` : text);
}

const ISO_8601 = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;
const DATE_CHARS = 10;
