import { DeliveryError } from '../contract/errors.js';
import type { PendingBatch } from './pending-batch.js';

/**
 * The search for the bad records of a batch that the service refused. It shares what the parts of the batch have learned:
 * a record is given up as bad only after the service took another of the same batch. If it takes none, the batch is not
 * to blame but a setting, and the search stops.
 */
export class Bisection {
  readonly #budget: number;
  #refusals = 0;
  #unsettled = 1;
  #accepted = false;
  #suspects: PendingBatch[] = [];

  constructor(records: number) {
    this.#budget = 2 * Math.ceil(Math.log2(records)) + 4;
  }

  /** Whether as many requests as it takes to find one bad record were refused, and none was taken. */
  get isHopeless(): boolean {
    return !this.#accepted && this.#refusals >= this.#budget;
  }

  /** A part was refused. Returns what is wrong: its content, as the service says, or a setting. */
  refused(error: DeliveryError): DeliveryError {
    this.#refusals++;
    if (!this.isHopeless) return error;
    const message = `the service refuses every record of a batch alike: ${error.message}`;
    const { requestId, retryAfterMs, ambiguous } = error;
    return new DeliveryError('MISCONFIGURED', message, { cause: error, requestId, retryAfterMs, ambiguous });
  }

  /** A part was cut in two. */
  halved(): void {
    this.#unsettled++;
  }

  /** A part is one record, and was refused. */
  suspect(batch: PendingBatch): void {
    this.#suspects.push(batch);
  }

  /** A part was taken by the service. */
  accepted(): void {
    this.#accepted = true;
  }

  /** A part is settled in whatever way, a suspect perhaps by its age. */
  settled(batch: PendingBatch): void {
    this.#unsettled--;
    this.#suspects = this.#suspects.filter((suspect) => suspect !== batch);
  }

  /** The records that are known to be bad by now. */
  takeConvicted(): readonly PendingBatch[] {
    const everyOneRefused = this.#suspects.length === this.#unsettled;
    return this.#accepted || everyOneRefused ? this.#takeSuspects() : [];
  }

  /** The records that are to be tried again, since a setting is to blame. */
  takeAcquitted(): readonly PendingBatch[] {
    return this.isHopeless ? this.#takeSuspects() : [];
  }

  #takeSuspects(): readonly PendingBatch[] {
    const suspects = this.#suspects;
    this.#suspects = [];
    return suspects;
  }
}
