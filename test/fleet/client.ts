/** What ships the records of one process. */
export interface Client {
  /** Logs the record with this number. */
  log(number: number): void;
  /** Ends the process as its host would: resolves when it may exit. */
  close(): Promise<void>;
  /** Records that it gave up or refused. */
  readonly lost: number;
  /** Records that are neither stored nor lost, as far as it knows. */
  readonly pending: number;
}

const STORED = 1;
const LOST = 2;

/** The fates of the records of one process. */
export class Storage {
  stored = 0;
  /** Stored once more. */
  duplicates = 0;
  #fates = new Uint8Array(64);
  /** The records up to this number are waited for. */
  #goal = -1;
  #missing = 0;
  #onGoal: () => void = () => {};

  /** The account stores a record. */
  store(number: number): void {
    if (this.#fates[number] === STORED) this.duplicates++;
    else this.stored++;
    this.#settle(number, STORED);
  }

  /** The client gives a record up. */
  lose(number: number): void {
    this.#settle(number, LOST);
  }

  /** Calls back once all records up to this number are stored or given up. */
  whenSettled(upTo: number, onGoal: () => void): void {
    this.#goal = upTo;
    this.#missing = 0;
    for (let number = 0; number <= upTo; number++) if (!this.#fates[number]) this.#missing++;
    this.#onGoal = onGoal;
    if (this.#missing === 0) onGoal();
  }

  #settle(number: number, fate: number): void {
    if (number >= this.#fates.length) {
      const fates = new Uint8Array(2 * number);
      fates.set(this.#fates);
      this.#fates = fates;
    }
    const isNew = !this.#fates[number];
    this.#fates[number] = fate;
    if (isNew && number <= this.#goal && --this.#missing === 0) this.#onGoal();
  }
}
