import { DeliveryError } from '../contract/errors.js';

/**
 * The search for the bad records of a batch that the service refused. The parts of the batch share it: a record is given up
 * as bad only after the service accepted another part of the batch. If the service accepts none, a setting is to blame
 * rather than the batch, and the search stops.
 */
export class Bisection<Part> {
  readonly #maxRefusals: number;
  #refusals = 0;
  #unsettled = 1;
  #accepted = false;
  #suspects: Part[] = [];

  constructor(records: number) {
    // One bad record costs two requests for each halving. Four more are spared to a few bad ones.
    this.#maxRefusals = 2 * Math.ceil(Math.log2(records)) + 4;
  }

  /** Whether the service refused as many requests as it takes to find one bad record, and accepted none. */
  get isHopeless(): boolean {
    return !this.#accepted && this.#refusals >= this.#maxRefusals;
  }

  /** A part was refused. Returns the fault: the content, as the service says, or a setting. */
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

  /** A part of one record was refused. */
  suspect(part: Part): void {
    this.#suspects.push(part);
  }

  /** The service accepted a part. */
  accepted(): void {
    this.#accepted = true;
  }

  /** A part is settled; a suspect can also expire. */
  settled(part: Part): void {
    this.#unsettled--;
    this.#suspects = this.#suspects.filter((suspect) => suspect !== part);
  }

  /** Takes out the records that are known to be bad by now. */
  takeBad(): readonly Part[] {
    const everyOneRefused = this.#suspects.length === this.#unsettled;
    return this.#accepted || everyOneRefused ? this.#takeSuspects() : [];
  }

  /** Takes out the records that are sent again, since a setting is to blame. */
  takeBlameless(): readonly Part[] {
    return this.isHopeless ? this.#takeSuspects() : [];
  }

  #takeSuspects(): readonly Part[] {
    const suspects = this.#suspects;
    this.#suspects = [];
    return suspects;
  }
}
