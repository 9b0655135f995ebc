import type { DeliveryError } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** Send the batch again after a while. */
export interface RetryVerdict {
  readonly next: 'retry';
  /** The backoff after this many earlier failures in a row. */
  delayMs(failures: number): number;
  /** The wait that the service asked for. */
  readonly askedMs: number;
  /** Only an operator can mend the fault, so that hurry is useless. */
  readonly isSlow: boolean;
}

/** The core's reaction to a failed attempt. */
export type Verdict =
  | RetryVerdict
  /** Send the batch again at once: the destination learned something. */
  | { readonly next: 'repeat' }
  /** Send both halves; a single record is lost for this reason. */
  | { readonly next: 'halve'; readonly reason: 'invalid' | 'too-large' };

/** Shortest wait for a fault that only an operator, or a rotation of keys, can mend; the longest is twice as long. */
const SLOW_RETRY_MS = 30_000;

/** Decides by the error's code, and by nothing else. */
export function judge(
  error: DeliveryError,
  isRepetition: boolean,
  retry: ResolvedDeliveryOptions['retry'],
  random: () => number,
): Verdict {
  const { retryAfterMs = 0 } = error;
  const askedMs = retryAfterMs > 0 && Number.isFinite(retryAfterMs) ? retryAfterMs : 0;
  const jitter = random();
  const backOff = (baseMs: number): Verdict => ({
    next: 'retry',
    delayMs: (failures) => jitter * Math.min(retry.capMs, baseMs * 2 ** failures),
    askedMs,
    isSlow: false,
  });
  switch (error.code) {
    case 'THROTTLED':
      return backOff(retry.throttledBaseMs);
    case 'AUTH':
    case 'NOT_FOUND':
    case 'MISCONFIGURED':
      return { next: 'retry', delayMs: () => (1 + jitter) * SLOW_RETRY_MS, askedMs, isSlow: true };
    case 'INVALID':
      return { next: 'halve', reason: 'invalid' };
    case 'TOO_LARGE':
      return { next: 'halve', reason: 'too-large' };
    case 'AGAIN':
      return isRepetition ? backOff(retry.baseMs) : { next: 'repeat' };
    default:
      return backOff(retry.baseMs);
  }
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
 * Applies a verdict. `failures` are the earlier failures in a row; those of an outage count from its beginning.
 * `remainingMs` is the time until `close()` gives up: longer delays are cut to half of it, unless the service asked for them
 * or an operator has to act.
 */
export function planRetry(
  { delayMs, askedMs, isSlow }: RetryVerdict,
  failures: { readonly batch: number; readonly route: number; readonly outage: number },
  remainingMs: number,
): RetryPlan {
  const mayHurry = !isSlow && askedMs <= remainingMs && remainingMs > LAST_TRY_MS;
  const delay = (count: number): number => {
    const ms = delayMs(count);
    return ms > remainingMs && mayHurry ? remainingMs / 2 : ms;
  };
  const concernsRoute = failures.route > 0 || isSlow;
  const routeMs = concernsRoute ? delay(Math.max(0, failures.route - 1)) : 0;
  return {
    batchMs: Math.max(delay(failures.batch), askedMs),
    // Near the deadline the route is not paused, so that each of its batches gets its last attempt.
    routeMs: routeMs > remainingMs ? 0 : routeMs,
    // A fault that an operator has to mend on one route says nothing of the others.
    destinationMs: failures.outage > 0 && !isSlow ? delay(failures.outage - 1) : 0,
  };
}
