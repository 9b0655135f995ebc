import { type DeliveryError, isOperatorFault } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';

/** Send the batch again after a while. */
export interface RetryDecision {
  /** The backoff after this many earlier failures in a row. */
  delayMs(failures: number): number;
  /** The pause between probes in an outage, after this many earlier failures of it. */
  probeDelayMs(failures: number): number;
  /** The wait that the service asked for: Retry-After. */
  readonly retryAfterMs: number;
  /** Only an operator can mend the fault: hurry is useless. */
  readonly needsOperator: boolean;
}

/** Shortest wait for a fault that only an operator, or a rotation of keys, can mend; the longest is twice as long. */
const SLOW_RETRY_MS = 30_000;

/** Decides by the error's code. `repeat`: send the batch again at once, since the destination learned something. */
export function decide(
  error: DeliveryError,
  isRepetition: boolean,
  retry: ResolvedDeliveryOptions['retry'],
  random: () => number,
): RetryDecision | 'repeat' {
  const { code, retryAfterMs: askedMs = 0 } = error;
  const retryAfterMs = askedMs > 0 && Number.isFinite(askedMs) ? askedMs : 0;
  const jitter = random();
  const baseMs = code === 'THROTTLED' ? retry.throttledBaseMs : retry.baseMs;
  const probeDelayMs = (failures: number): number => jitter * Math.min(retry.capMs, baseMs * 2 ** failures);
  if (isOperatorFault(error))
    return { delayMs: () => (1 + jitter) * SLOW_RETRY_MS, probeDelayMs, retryAfterMs, needsOperator: true };
  if (code === 'AGAIN' && !isRepetition) return 'repeat';
  return { delayMs: probeDelayMs, probeDelayMs, retryAfterMs, needsOperator: false };
}

/** Retry-After is cut to this part of the time until the batch is too old: the rest is for all that wait on its route. */
const PART_OF_AGE = 0.9;

/**
 * Before the deadline of `close()` a backoff is cut to this part of the time that is left, for some thirty attempts: where many processes
 * share a quota, those that go on make way for those that end.
 */
const PART_OF_REST = 1 / 8;

/** A shorter time before the deadline of `close()` is not worth another attempt. */
const LAST_TRY_MS = 100;

/** The state of a batch that failed, and of what it belongs to. */
export interface RetryState {
  /** Earlier failures in a row; those of an outage count from its beginning. */
  readonly failures: { readonly batch: number; readonly route: number; readonly outage: number };
  /** The destination refuses all content of the route. */
  readonly isRefusedAlike: boolean;
  /** Time until `close()` gives up. */
  readonly remainingMs: number;
  /** Time until the batch is too old. */
  readonly ageLeftMs: number;
  /** The batch had the one try that `close()` makes in spite of Retry-After. */
  readonly wasTriedInSpite: boolean;
}

/** Delays after a failure, in milliseconds: of the batch, its route, the whole destination. */
export interface RetryPlan {
  readonly batchMs: number;
  /** The first failure concerns the batch alone, the second in a row its route. */
  readonly routeMs: number;
  /** In an outage. */
  readonly destinationMs: number;
  /** The part of the service's wait that is kept. It binds the route, and the destination when a second route has to wait. */
  readonly askedMs: number;
  /** It is the one try that `close()` makes in spite of Retry-After. */
  readonly isInSpite: boolean;
}

/**
 * Applies a decision. Before the deadline of `close()` a backoff is always cut. Retry-After that ends after the deadline is cut to half of
 * the time that is left, once for each batch, and the wait for an operator never.
 */
export function planRetry(
  { delayMs, probeDelayMs, retryAfterMs, needsOperator }: RetryDecision,
  { failures, isRefusedAlike, remainingMs, ageLeftMs, wasTriedInSpite }: RetryState,
): RetryPlan {
  const wantedMs = Math.min(retryAfterMs, Math.max(0, ageLeftMs * PART_OF_AGE));
  const canTry = !needsOperator && remainingMs > LAST_TRY_MS;
  const isInSpite = wantedMs > remainingMs && canTry && !wasTriedInSpite;
  const askedMs = isInSpite ? remainingMs / 2 : wantedMs;
  const mayHurry = canTry && askedMs <= remainingMs;
  const inTime = (ms: number): number => (mayHurry ? Math.min(ms, remainingMs * PART_OF_REST) : ms);
  const untilDeadline = (ms: number): number => (ms > remainingMs ? 0 : ms);
  const concernsRoute = failures.route > 0 || needsOperator;
  const routeMs = concernsRoute ? inTime(delayMs(Math.max(0, failures.route - 1))) : 0;
  // A fault that an operator has to mend on one route says nothing of the others, unless it is met on several as an outage.
  const concernsAll = failures.outage > 0 && (!needsOperator || isRefusedAlike);
  const outageMs = concernsAll ? inTime(probeDelayMs(failures.outage - 1)) : 0;
  return {
    batchMs: Math.max(inTime(delayMs(failures.batch)), askedMs),
    // Near the deadline the route is not paused, so that each of its batches gets its last attempt.
    routeMs: untilDeadline(routeMs),
    destinationMs: isRefusedAlike ? untilDeadline(outageMs) : outageMs,
    askedMs: untilDeadline(askedMs),
    isInSpite,
  };
}
