import { sharedState } from '@logferry/core';

// The counters belong to this process, or to this worker thread: all copies of this package, ES module or CommonJS, share them.

/**
 * Counts the records, so that time and number together give the order of all records.
 *
 * @returns a function that returns the next number, in 12 digits
 */
export function sharedSequence(): () => string {
  return () => String(++counter.last).padStart(DIGITS, '0');
}

/**
 * Keeps the order of the records of a millisecond in their nanoseconds.
 *
 * @returns a function that takes the time of a record in epoch milliseconds, and returns a number from 0 to 999,999 that is
 * higher than for the record before. It begins anew half way, when the time moves on.
 */
export function createNanosecondOrder(): (time: number) => number {
  return (time) => {
    const isLater = time > order.lastMs;
    order.lastMs = time;
    order.last = order.last >= (isLater ? MAX_NUMBER / 2 : MAX_NUMBER) ? 0 : order.last + 1;
    return order.last;
  };
}

const counter = sharedState('logService.sequence', () => ({ last: 0 }));
const order = sharedState('logService.nanoseconds', () => ({ lastMs: 0, last: 0 }));

/** Numbers of one width sort as texts, and have one size. */
const DIGITS = 12;

const MAX_NUMBER = 999_999;
