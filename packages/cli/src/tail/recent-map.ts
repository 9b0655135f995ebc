/** A map whose entries have a time, and are forgotten when they are old. */
export class RecentMap<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly timeMs: number }>();
  #nextPruneSize = MIN_PRUNE_SIZE;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: Value, timeMs: number): void {
    this.#entries.set(key, { value, timeMs });
  }

  /** The number of entries from a time on. */
  countFrom(timeMs: number): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.timeMs >= timeMs) count++;
    return count;
  }

  /** Forgets entries of an earlier time, at the latest once there are twice as many as were left the last time. */
  forgetBefore(timeMs: number): void {
    if (this.#entries.size < this.#nextPruneSize) return;
    for (const [key, entry] of this.#entries) if (entry.timeMs < timeMs) this.#entries.delete(key);
    this.#nextPruneSize = Math.max(MIN_PRUNE_SIZE, this.#entries.size * 2);
  }
}

/** Going through all entries only then, the cost for each does not grow with their number. */
const MIN_PRUNE_SIZE = 1000;
