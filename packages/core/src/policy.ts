import type { DeliveryError } from './errors.js';
import type { ResolvedDeliveryOptions } from './options.js';

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
  const luck = random();
  const backOff = (baseMs: number): Verdict => ({
    next: 'retry',
    delayMs: (failures) => luck * Math.min(retry.capMs, baseMs * 2 ** failures),
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
      return { next: 'retry', delayMs: () => (1 + luck) * SLOW_RETRY_MS, askedMs, isSlow: true };
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

/** Faults of this kind are told at most once a minute. */
export function isOperatorFault(error: DeliveryError): boolean {
  return error.code === 'AUTH' || error.code === 'NOT_FOUND' || error.code === 'MISCONFIGURED';
}
