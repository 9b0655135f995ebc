import type { DropReason } from './destination.js';
import type { DeliveryError } from './errors.js';
import type { ResolvedDeliveryOptions } from './options.js';

/** Try again after a while, of which the service itself asked for `askedMs`. */
export interface RetryVerdict {
  readonly next: 'retry';
  readonly delayMs: number;
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
  | { readonly next: 'halve'; readonly reason: DropReason };

/** Faults that only the operator, or a rotation of keys, can mend are tried again after 30 to 60 s. */
const SLOW_RETRY_MS = 30_000;

/** Decides by the error's code, and by nothing else. */
export function judge(
  error: DeliveryError,
  history: { readonly failures: number; readonly repeated: boolean },
  retry: ResolvedDeliveryOptions['retry'],
  random: () => number,
): Verdict {
  const askedMs = error.retryAfterMs !== undefined && error.retryAfterMs > 0 ? error.retryAfterMs : 0;
  const retryIn = (delayMs: number): Verdict => ({
    next: 'retry',
    delayMs: Math.max(delayMs, askedMs),
    askedMs,
    isSlow: isOperatorFault(error),
  });
  const backOff = (baseMs: number): Verdict =>
    retryIn(random() * Math.min(retry.capMs, baseMs * 2 ** history.failures));
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
      return retryIn((1 + random()) * SLOW_RETRY_MS);
    case 'INVALID':
      return { next: 'halve', reason: 'invalid' };
    case 'TOO_LARGE':
      return { next: 'halve', reason: 'too-large' };
    case 'AGAIN':
      return history.repeated ? backOff(retry.baseMs) : { next: 'repeat' };
    default:
      return backOff(retry.baseMs);
  }
}

/** Faults of this kind are told at most once a minute. */
export function isOperatorFault(error: DeliveryError): boolean {
  return error.code === 'AUTH' || error.code === 'NOT_FOUND' || error.code === 'MISCONFIGURED';
}
