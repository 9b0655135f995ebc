import type { DropReason, SendOutcome } from './destination.js';
import { DeliveryError } from './errors.js';
import { isDropReason } from './ledger.js';

/** What a destination said of a batch that it delivered, checked: destinations are other people's code. */
export interface Stored {
  readonly stored: true;
  readonly wireBytes: number;
  readonly rejections: ReadonlyMap<number, DropReason>;
}

/** Checks what `send` resolved with. Throws if it says nothing of the batch. */
export function readOutcome(outcome: SendOutcome): Stored {
  if (!Array.isArray(outcome?.rejected))
    throw new TypeError('send() resolved with something that is not a SendOutcome');
  const { rejected, wireBytes } = outcome;
  const rejections = new Map(rejected.map(({ index, reason }) => [index, isDropReason(reason) ? reason : 'invalid']));
  return { stored: true, wireBytes: wireBytes > 0 ? wireBytes : 0, rejections };
}

/** The error for what is no `DeliveryError`: nobody knows what became of the batch. */
export function unexpected(error: unknown): DeliveryError {
  let message = 'the destination failed';
  try {
    message = error instanceof Error ? error.message : String(error);
  } catch {
    // Not even its text can be read.
  }
  return new DeliveryError('UNAVAILABLE', message, { cause: error, ambiguous: true });
}
