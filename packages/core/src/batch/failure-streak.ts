import type { DeliveryCode } from '../contract/errors.js';

/**
 * Failures in a row. Throttling is counted apart, since it is no part of an outage: a service that throttles is there. So neither backoff
 * begins where the other has got to, and both grow while a service fails and throttles by turns.
 */
export class FailureStreak {
  #throttled = 0;
  #others = 0;

  get total(): number {
    return this.#throttled + this.#others;
  }

  /** Number of those that `code` goes on from. */
  of(code: DeliveryCode): number {
    return code === 'THROTTLED' ? this.#throttled : this.#others;
  }

  add(code: DeliveryCode): void {
    if (code === 'THROTTLED') this.#throttled++;
    else this.#others++;
  }

  end(): void {
    this.shorten(0);
  }

  /** Leaves `most` of each kind. */
  shorten(most: number): void {
    this.#throttled = Math.min(this.#throttled, most);
    this.#others = Math.min(this.#others, most);
  }
}
