import fc from 'fast-check';
import type { Cloud, Fault } from '../support/clouds.js';

const HOUR_MS = 3_600_000;

const FAULTS: Readonly<Record<Cloud['name'], readonly Fault[]>> = {
  cloudwatch: ['throttle', 'throttle', 'serverError', 'html', 'reset', 'hang', 'lostAck', 'lostAck'],
  'log-service': ['quota', 'throttle', 'serverError', 'busy', 'reset', 'hang', 'lostAck', 'lostAck'],
};

/** Faults of the next requests: a third of them meet a fault, and each fault comes soon. */
export function storm(cloud: Cloud['name'], seed: number): (Fault | 'ok')[] {
  const deck = FAULTS[cloud].flatMap((fault) => [fault, 'ok', 'ok'] as const);
  const shuffled = fc.shuffledSubarray(deck, { minLength: deck.length });
  return fc.sample(shuffled, { seed, numRuns: 100 }).flat();
}

/** Errors of the wall clock, jump after jump. Events stay within the limits of the service: 14 days old, 2 hours early. */
export function clockOffsetsMs(seed: number): number[] {
  const slow = fc.integer({ min: -12 * HOUR_MS, max: -6 * HOUR_MS });
  const fast = fc.integer({ min: 0, max: 1.9 * HOUR_MS });
  return fc.sample(fc.tuple(slow, fast), { seed, numRuns: 1000 }).flat();
}
