/**
 * Counts the records of this process, or of this worker thread. All copies of this package, ES module or CommonJS, share
 * one counter, so that time and number together give the order of all records.
 *
 * @returns gives the next number, in digits
 */
export function sharedSequence(): () => string {
  const holder = globalThis as { [SEQUENCE]?: { last: number } };
  holder[SEQUENCE] ??= { last: 0 };
  const counter = holder[SEQUENCE];
  return () => String(++counter.last).padStart(DIGITS, '0');
}

const SEQUENCE = Symbol.for('logferry.logService.sequence');

/** Numbers of one width come in the same order as texts, and take the same room in a request. */
const DIGITS = 12;
