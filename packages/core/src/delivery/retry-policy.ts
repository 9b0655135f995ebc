import { type DeliveryError, isOperatorFault } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** Send the batch again after a while. */
export interface RetryDecision {
  readonly next: 'retry';
  /** The backoff after this many earlier failures in a row. */
  delayMs(failures: number): number;
  /** The wait that the service asked for: Retry-After. */
  readonly retryAfterMs: number;
  /** Only an operator can mend the fault: hurry is useless. */
  readonly needsOperator: boolean;
}

/** The core's reaction to a failed attempt. */
export type Decision =
  | RetryDecision
  /** Send the batch again at once: the destination learned something. */
  | { readonly next: 'repeat' }
  /** Send both halves; a single record is lost for this reason. */
  | { readonly next: 'halve'; readonly reason: 'invalid' | 'too-large' };

/** Shortest wait for a fault that only an operator, or a rotation of keys, can mend; the longest is twice as long. */
const SLOW_RETRY_MS = 30_000;

/** Decides by the error's code, and by nothing else. */
export function decide(
  error: DeliveryError,
  isRepetition: boolean,
  retry: ResolvedDeliveryOptions['retry'],
  random: () => number,
): Decision {
  const { code, retryAfterMs: askedMs = 0 } = error;
  const retryAfterMs = askedMs > 0 && Number.isFinite(askedMs) ? askedMs : 0;
  const jitter = random();
  if (isOperatorFault(error))
    return { next: 'retry', delayMs: () => (1 + jitter) * SLOW_RETRY_MS, retryAfterMs, needsOperator: true };
  if (code === 'INVALID') return { next: 'halve', reason: 'invalid' };
  if (code === 'TOO_LARGE') return { next: 'halve', reason: 'too-large' };
  if (code === 'AGAIN' && !isRepetition) return { next: 'repeat' };
  const baseMs = code === 'THROTTLED' ? retry.throttledBaseMs : retry.baseMs;
  const delayMs = (failures: number): number => jitter * Math.min(retry.capMs, baseMs * 2 ** failures);
  return { next: 'retry', delayMs, retryAfterMs, needsOperator: false };
}

/** A shorter time before the deadline of `close()` is not worth another attempt. */
const LAST_TRY_MS = 100;

/** Delays after a failure, in milliseconds: of the batch, its route, the whole destination. */
export interface RetryPlan {
  readonly batchMs: number;
  /** The first failure concerns the batch alone, the second in a row its route. */
  readonly routeMs: number;
  /** In an outage. */
  readonly destinationMs: number;
}

/**
 * Applies a decision. `failures` are the earlier failures in a row; those of an outage count from its beginning.
 * `remainingMs` is the time until `close()` gives up: longer delays are cut to half of it, unless the service asked for them
 * or an operator has to act.
 */
export function planRetry(
  { delayMs, retryAfterMs, needsOperator }: RetryDecision,
  failures: { readonly batch: number; readonly route: number; readonly outage: number },
  remainingMs: number,
): RetryPlan {
  const mayHurry = !needsOperator && retryAfterMs <= remainingMs && remainingMs > LAST_TRY_MS;
  const delay = (count: number): number => {
    const ms = delayMs(count);
    return ms > remainingMs && mayHurry ? remainingMs / 2 : ms;
  };
  const concernsRoute = failures.route > 0 || needsOperator;
  const routeMs = concernsRoute ? delay(Math.max(0, failures.route - 1)) : 0;
  return {
    batchMs: Math.max(delay(failures.batch), retryAfterMs),
    // Near the deadline the route is not paused, so that each of its batches gets its last attempt.
    routeMs: routeMs > remainingMs ? 0 : routeMs,
    // A fault that an operator has to mend on one route says nothing of the others.
    destinationMs: failures.outage > 0 && !needsOperator ? delay(failures.outage - 1) : 0,
  };
}
