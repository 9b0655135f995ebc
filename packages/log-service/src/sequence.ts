import { sharedState } from '@logferry/core';

/**
 * Counts the records of this process, or of this worker thread. All copies of this package, ES module or CommonJS, share one
 * counter, so that time and number together give the order of all records.
 *
 * @returns a function that returns the next number, in 12 digits
 */
export function sharedSequence(): () => string {
  return () => String(++counter.last).padStart(DIGITS, '0');
}

const counter = sharedState('logService.sequence', () => ({ last: 0 }));

/** Numbers of one width sort as texts, and have one size. */
const DIGITS = 12;
