import type { DeliveryError } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** Try again after a while. */
export interface RetryVerdict {
  readonly next: 'retry';
  /** How long to wait after so many failures in a row before this one. */
  delayMs(failures: number): number;
  /** How long the service asked to wait at least. */
  readonly askedMs: number;
  /** Not worth a hurry: somebody has to mend something first. */
  readonly isSlow: boolean;
}

/** What the core does with a batch that failed. */
export type Verdict =
  | RetryVerdict
  /** Try again at once: the destination learned something. */
  | { readonly next: 'repeat' }
  /** Try both halves; a single record is lost for this reason. */
  | { readonly next: 'halve'; readonly reason: 'invalid' | 'too-large' };

/** Faults that only the operator, or a rotation of keys, can mend are tried again after 30 to 60 s. */
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
    case 'UNAVAILABLE':
    case 'NETWORK':
    case 'TIMEOUT':
      return backOff(retry.baseMs);
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

/** Less time than this before the deadline of `close()` is not worth another try. */
const LAST_TRY_MS = 100;

/** How long a failure keeps whom waiting, in milliseconds. */
export interface RetryPlan {
  /** The batch itself. */
  readonly batchMs: number;
  /** All batches of its route. The first failure is the batch's own affair, but a second in a row the route's. */
  readonly routeMs: number;
  /** All batches of the destination: in an outage. */
  readonly destinationMs: number;
}

/**
 * Applies a verdict. Each of `failures` counts those in a row before this one, but for an outage those that made it one
 * count. `remainingMs` is the time until the deadline of `close()`: its last seconds are for more tries, however long a
 * backoff has grown, so nobody is kept waiting beyond it but for what the service asked, or what somebody has to mend.
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
  const isRouteAffair = failures.route > 0 || isSlow;
  const routeMs = isRouteAffair ? delay(Math.max(0, failures.route - 1)) : 0;
  return {
    batchMs: Math.max(delay(failures.batch), askedMs),
    // At the end, each batch of a route that has to be mended gets the one try that it still may have.
    routeMs: routeMs > remainingMs ? 0 : routeMs,
    // What somebody has to mend on one route says nothing of the others.
    destinationMs: failures.outage > 0 && !isSlow ? delay(failures.outage - 1) : 0,
  };
}

/** Faults of this kind are told at most once a minute. */
export function isOperatorFault(error: DeliveryError): boolean {
  return error.code === 'AUTH' || error.code === 'NOT_FOUND' || error.code === 'MISCONFIGURED';
}
