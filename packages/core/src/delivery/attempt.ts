import { isDropReason } from '../accounting/ledger.js';
import type { Clock, Timer } from '../contract/clock.js';
import type { Batch, Destination, DropReason, SendOutcome } from '../contract/destination.js';
import { DeliveryError } from '../contract/errors.js';
import { runSending } from '../process/feedback.js';

/** What a destination said of a batch that it delivered. */
export interface Stored {
  readonly wireBytes: number;
  readonly rejections: ReadonlyMap<number, DropReason>;
  readonly requestId: string | undefined;
}

/**
 * One attempt with a hard limit of time, whatever the destination does: destinations are other people's code. Never throws.
 * Aborts the signal when the time is over.
 */
export async function attempt(
  destination: Destination,
  makeBatch: () => Batch,
  controller: AbortController,
  { requestTimeoutMs, clock }: { readonly requestTimeoutMs: number; readonly clock: Clock },
): Promise<Stored | DeliveryError> {
  let timer: Timer | undefined;
  const overtime = new Promise<DeliveryError>((resolve) => {
    timer = clock.setTimer(() => {
      resolve(new DeliveryError('TIMEOUT', `no answer within ${requestTimeoutMs} ms`, { ambiguous: true }));
      controller.abort();
    }, requestTimeoutMs);
    timer.unref();
  });
  try {
    const answer = await Promise.race([overtime, runSending(() => destination.send(makeBatch(), controller.signal))]);
    return DeliveryError.is(answer) ? answer : readOutcome(answer);
  } catch (error) {
    return DeliveryError.is(error) ? error : unexpected(error);
  } finally {
    timer?.cancel();
  }
}

/** Checks what `send` resolved with. Throws if it says nothing of the batch. */
function readOutcome(outcome: SendOutcome): Stored {
  if (!Array.isArray(outcome?.rejected))
    throw new TypeError('send() resolved with something that is not a SendOutcome');
  const { rejected, wireBytes, requestId } = outcome;
  const rejections = new Map<number, DropReason>();
  for (const { index, reason } of rejected) {
    if (Number.isInteger(index)) rejections.set(index, isDropReason(reason) ? reason : 'invalid');
  }
  return { wireBytes: wireBytes > 0 ? wireBytes : 0, rejections, requestId };
}

/** The error for what is no `DeliveryError`: nobody knows what became of the batch. */
function unexpected(error: unknown): DeliveryError {
  let message = 'the destination failed';
  try {
    message = error instanceof Error ? error.message : String(error);
  } catch {
    // Not even its text can be read.
  }
  return new DeliveryError('UNAVAILABLE', message, { cause: error, ambiguous: true });
}
