import type { Clock, Timer } from '../contract/clock.js';
import {
  type Batch,
  type Destination,
  type DropReason,
  isDropReason,
  type SendOutcome,
} from '../contract/destination.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import { beginSending } from '../process/feedback.js';

/** The checked answer of a destination that delivered a batch. */
export interface Stored {
  readonly wireBytes: number;
  /** Reasons by index in `batch.events`. */
  readonly rejections: ReadonlyMap<number, DropReason>;
  readonly requestId: string | undefined;
  readonly faults: readonly DeliveryError[];
}

/** An attempt that makes progress may take so many times the limit in all. */
const MOST_LIMITS = 10;

/** Codes that no abort can cause: the service refused the batch, and the rest of its response is missing. */
const SAID_BY_SERVICE: ReadonlySet<DeliveryCode> = new Set(['THROTTLED', 'AUTH', 'NOT_FOUND', 'TOO_LARGE']);

/** Lets the destination load what its first request needs. Never throws. */
export async function prepare(destination: Destination): Promise<void> {
  const sending = beginSending();
  try {
    await sending.run(() => destination.prepare?.());
  } catch {
    // The first attempt meets the failure again.
  } finally {
    sending.end();
  }
}

/**
 * Makes one attempt, with a limit of time that counts from the last progress. It holds even if the destination ignores the
 * signal, which aborts when the time is over. Never throws.
 */
export async function attempt(
  destination: Destination,
  makeBatch: () => Batch,
  controller: AbortController,
  { requestTimeoutMs, clock }: { readonly requestTimeoutMs: number; readonly clock: Clock },
): Promise<Stored | DeliveryError> {
  const endsAtMs = clock.monotonic() + MOST_LIMITS * requestTimeoutMs;
  const sending = beginSending();
  let text = `no response within ${requestTimeoutMs} ms`;
  let progressAtMs: number | undefined;
  let isOvertime = false;
  let timer: Timer | undefined;
  const overtime = new Promise<DeliveryError>((resolve) => {
    const wait = (ms: number): void => {
      timer = clock.setTimer(check, ms);
      timer.unref();
    };
    const check = (): void => {
      const nowMs = clock.monotonic();
      const limitAtMs = Math.min((progressAtMs ?? Number.NEGATIVE_INFINITY) + requestTimeoutMs, endsAtMs);
      if (nowMs < limitAtMs) {
        wait(limitAtMs - nowMs);
        return;
      }
      if (progressAtMs !== undefined)
        text =
          nowMs < endsAtMs
            ? `no progress within ${requestTimeoutMs} ms`
            : `no response within ${MOST_LIMITS} times ${requestTimeoutMs} ms`;
      isOvertime = true;
      controller.abort(new Error(text));
      // In this turn the destination can say itself where the request hangs.
      clock.defer(() => resolve(timeout(`${destination.name}: ${text}`)));
    };
    wait(requestTimeoutMs);
  });
  const onProgress = (): void => {
    progressAtMs = clock.monotonic();
  };
  try {
    const outcome = await Promise.race([
      overtime,
      sending.run(() => destination.send(makeBatch(), controller.signal, onProgress)),
    ]);
    if (DeliveryError.is(outcome)) return outcome;
    return isOvertime ? timeout(`${destination.name}: ${text}`) : readOutcome(outcome);
  } catch (error) {
    const failure = DeliveryError.is(error) ? error : unexpected(error);
    if (failure.code === 'TIMEOUT') return failure;
    return isOvertime && !SAID_BY_SERVICE.has(failure.code)
      ? timeout(`${failure.message}: ${text}`, failure.ambiguous)
      : failure;
  } finally {
    timer?.cancel();
    sending.end();
  }
}

/** `ambiguous`: the destination does not say that nothing was sent. */
function timeout(message: string, ambiguous = true): DeliveryError {
  return new DeliveryError('TIMEOUT', message, { ambiguous });
}

/** Checks the result of `send`. Throws if it says nothing of the batch. */
function readOutcome(outcome: SendOutcome): Stored {
  if (!Array.isArray(outcome?.rejected))
    throw new TypeError('send() resolved with something that is not a SendOutcome');
  const { rejected, wireBytes, requestId, faults } = outcome;
  const rejections = new Map<number, DropReason>();
  for (const { index, reason } of rejected) {
    if (Number.isInteger(index)) rejections.set(index, isDropReason(reason) ? reason : 'invalid');
  }
  return {
    wireBytes: typeof wireBytes === 'number' && wireBytes > 0 ? wireBytes : 0,
    rejections,
    requestId,
    faults: Array.isArray(faults) ? faults.filter(DeliveryError.is) : [],
  };
}

/** The error for one that is no `DeliveryError`: the fate of the batch is unknown. */
function unexpected(error: unknown): DeliveryError {
  let message = 'the destination failed';
  try {
    message = error instanceof Error ? error.message : String(error);
  } catch {
    // The error's text cannot be read.
  }
  return new DeliveryError('UNAVAILABLE', message, { cause: error, ambiguous: true });
}
