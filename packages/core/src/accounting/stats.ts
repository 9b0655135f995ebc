import type { DeliveryCode, DeliveryError } from '../contract/errors.js';

/** What delivery has done so far. */
export interface DeliveryTally {
  /** Requests made, with all repetitions. */
  readonly requests: number;
  /** Bytes of the delivered batches, as the service counts them. */
  readonly bytes: number;
  /** Bytes of the request bodies that carried them. */
  readonly wireBytes: number;
  /** Failed attempts after which the batch goes again, whole or in halves, by code. */
  readonly retries: Readonly<Partial<Record<DeliveryCode, number>>>;
  /** Failed attempts after which the service may have stored the batch all the same: each can have made duplicates. */
  readonly ambiguous: number;
  /** The last failed attempt; `time` in epoch milliseconds. */
  readonly lastError: { readonly code: DeliveryCode; readonly message: string; readonly time: number } | undefined;
}

/** Counts what delivery does. */
export class Tally implements DeliveryTally {
  requests = 0;
  bytes = 0;
  wireBytes = 0;
  ambiguous = 0;
  lastError: DeliveryTally['lastError'];
  readonly #retries: Partial<Record<DeliveryCode, number>> = {};

  get retries(): DeliveryTally['retries'] {
    return { ...this.#retries };
  }

  stored(bytes: number, wireBytes: number): void {
    this.bytes += bytes;
    this.wireBytes += wireBytes;
  }

  failed({ code, message, ambiguous }: DeliveryError, time: number): void {
    if (ambiguous) this.ambiguous++;
    this.lastError = { code, message, time };
  }

  retried(code: DeliveryCode): void {
    this.#retries[code] = (this.#retries[code] ?? 0) + 1;
  }

  /** The numbers as they are now. */
  get snapshot(): DeliveryTally {
    const { requests, bytes, wireBytes, retries, ambiguous, lastError } = this;
    return { requests, bytes, wireBytes, retries, ambiguous, lastError };
  }
}
