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
 * @param time of a record, in epoch milliseconds
 * @returns a number from 0 to 999,999, which is higher than that of any earlier record of the same time
 */
export function nextNanosecond(time: number): number {
  if (time < order.fromMs) return nextOf(order.before);
  if (time > order.latestMs) {
    order.latestMs = time;
    if (order.since.last >= MAX_NUMBER / 2) {
      // No record has this time yet. Those of earlier times go on counting, with room for half a million more.
      order.before.last = order.since.last;
      order.since.last = -1;
      order.fromMs = time;
    }
  }
  return nextOf(order.since);
}

const counter = sharedState('logService.sequence', () => ({ last: 0 }));
/** Two counters: for times from the last restart of the numbers on, and for those before. */
const order = sharedState('logService.nanoseconds', () => ({
  fromMs: 0,
  latestMs: 0,
  since: { last: -1 },
  before: { last: -1 },
}));

function nextOf(numbers: { last: number }): number {
  numbers.last = numbers.last < MAX_NUMBER ? numbers.last + 1 : 0;
  return numbers.last;
}

/** Numbers of one width sort as texts, and have one size. */
const DIGITS = 12;

const MAX_NUMBER = 999_999;
