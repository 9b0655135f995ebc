/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** Returns the new count. One that falls to 0 is forgotten. */
  add(name: string, amount: number = 1): number {
    const sum = (this.#counts.get(name) ?? 0) + amount;
    if (sum === 0) this.#counts.delete(name);
    else this.#counts.set(name, sum);
    return sum;
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

/** How many requests are in flight at once: the most of one key, and the most overall. */
export class InFlight {
  readonly #byKey = new Tally();
  #overall = 0;
  mostPerKey = 0;
  mostOverall = 0;

  /** A request begins; returns what ends it, which may be called more than once. */
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

/** Violations are kept up to here, and counted beyond. */
export const KEPT_VIOLATIONS: number = 100;
