/**
 * Counts the records of this process, or of this worker thread. All copies of this package, ES module or CommonJS, share one
 * counter, so that time and number together give the order of all records.
 *
 * @returns a function that returns the next number, in 12 digits
 */
export function sharedSequence(): () => string {
  const holder = globalThis as { [SEQUENCE]?: { last: number } };
  holder[SEQUENCE] ??= { last: 0 };
  const counter = holder[SEQUENCE];
  return () => String(++counter.last).padStart(DIGITS, '0');
}

const SEQUENCE = Symbol.for('logferry.logService.sequence');

/** Numbers of one width sort as texts, and have one size. */
const DIGITS = 12;
