/** The last entries of an endless list. Each has a number: 0, 1, 2, … */
export class Ring<Entry> {
  readonly #capacity: number;
  readonly #kept: Entry[] = [];
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of all entries so far, which is the number of the next one. */
  get count(): number {
    return this.#count;
  }

  /** Number of the oldest kept entry. */
  get oldest(): number {
    return Math.max(0, this.#count - this.#capacity);
  }

  push(entry: Entry): void {
    this.#kept[this.#count++ % this.#capacity] = entry;
  }

  /** The kept entries from that number on. */
  *from(number: number): Generator<Entry> {
    for (let next = Math.max(number, this.oldest); next < this.#count; next++)
      yield this.#kept[next % this.#capacity] as Entry;
  }
}
