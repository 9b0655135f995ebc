import { DeliveryError } from '../contract/errors.js';

/** AWS refuses a signature whose time differs by more. Smaller errors do no harm to logs. */
const TOLERATED_MS = 300_000;

/** Finds a wrong clock of this machine, by the times of a service's responses. For {@link SendOutcome.faults}. */
export class ClockCheck {
  #isWrong = false;

  /**
   * Takes a measurement: the time of the service minus the time of this machine, in milliseconds.
   *
   * @returns `MISCONFIGURED` if the clock is wrong by 5 minutes or more, and was right at the last measurement
   */
  faultOf(offsetMs: number, service: string): DeliveryError | undefined {
    const wasWrong = this.#isWrong;
    this.#isWrong = Math.abs(offsetMs) >= TOLERATED_MS;
    if (wasWrong || !this.#isWrong) return undefined;
    const minutes = Math.round(Math.abs(offsetMs) / 60_000);
    const wrong = `${minutes} minutes ${offsetMs > 0 ? 'behind' : 'ahead of'} the clock of ${service}`;
    const message = `the clock of this machine is ${wrong}, and the times of its records with it: set it, by NTP for example`;
    return new DeliveryError('MISCONFIGURED', message);
  }
}
