/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** Adds to a count and returns it. A count of 0 is removed. */
  add(name: string, amount: number = 1): number {
    const sum = (this.#counts.get(name) ?? 0) + amount;
    if (sum === 0) this.#counts.delete(name);
    else this.#counts.set(name, sum);
    return sum;
  }

  /** The counts other than 0, by name. */
  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

/** The highest numbers of requests in flight at once: per key, and overall. */
export class InFlight {
  readonly #byKey = new Tally();
  #overall = 0;
  mostPerKey = 0;
  mostOverall = 0;

  /** Counts a request. Returns the function that ends it; further calls of it do nothing. */
  enter(key: string): () => void {
    this.#overall++;
    this.mostOverall = Math.max(this.mostOverall, this.#overall);
    this.mostPerKey = Math.max(this.mostPerKey, this.#byKey.add(key));
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#overall--;
      this.#byKey.add(key, -1);
    };
  }
}

/** The first 100 entries of a list, and the number of all. */
export class FirstEntries<Entry> {
  readonly #kept: Entry[] = [];
  count = 0;

  add(entry: Entry): void {
    this.count++;
    if (this.#kept.length < KEPT_ENTRIES) this.#kept.push(entry);
  }

  /** The kept entries, as a new list. */
  toArray(): Entry[] {
    return [...this.#kept];
  }
}

const KEPT_ENTRIES = 100;

/** Counters that every emulator keeps. */
export interface RequestCounters {
  /** Counts an injected fault. */
  injected(fault: string): void;
  /** Counts a request in flight under a key. Returns the function that ends it; further calls of it do nothing. */
  enter(key: string): () => void;
}
