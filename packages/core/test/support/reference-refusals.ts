import type { Group, Part } from './reference-types.js';

/** Refusals in a row, and the largest search so far. */
interface Streak {
  refusals: number;
  mostRecords: number;
}

/** What a destination took and refused, and the blame that follows from it. */
export class ReferenceRefusals {
  readonly #taken: number[] = [];
  readonly #all: Streak = { refusals: 0, mostRecords: 1 };
  readonly #byRoute = new Map<string, Streak>();
  #refusedBytes = Number.POSITIVE_INFINITY;

  /** Number of batches that were taken. */
  get successes(): number {
    return this.#taken.length;
  }

  taken(route: string, bytes: number, records: number): void {
    this.#taken.push(bytes / records);
    this.#all.refusals = 0;
    const streak = this.#byRoute.get(route);
    if (streak) streak.refusals = 0;
    if (bytes >= this.#refusedBytes) this.#refusedBytes = Number.POSITIVE_INFINITY;
  }

  /** A batch was refused. True if a setting is to blame. */
  refused(route: string, group: Group, parts: readonly Part[], code: string): boolean {
    const streak = this.#byRoute.get(route) ?? { refusals: 0, mostRecords: 1 };
    this.#byRoute.set(route, streak);
    for (const part of parts) part.takenBefore ??= this.successes;
    if (group.refusedAtSuccess !== this.successes)
      for (const each of [streak, this.#all]) {
        each.refusals++;
        each.mostRecords = Math.max(each.mostRecords, parts.length);
      }
    group.refusedAtSuccess = this.successes;
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    if (code === 'TOO_LARGE' && parts.length > 1) this.#refusedBytes = Math.min(this.#refusedBytes, bytes);
    const isBlamed = isLong(streak, 1) || isLong(this.#all, 4);
    if (isBlamed) this.#refusedBytes = Number.POSITIVE_INFINITY;
    return isBlamed;
  }

  /** Whether a record that was refused alone may be given up as bad. */
  isBad({ takenBefore = this.successes, refusedAlone, bytes }: Part): boolean {
    const since = this.#taken.slice(takenBefore);
    return since.some((size) => refusedAlone === 'INVALID' || size < bytes);
  }

  /** Whether a batch of this size may be cut before it is sent. */
  mayCut(bytes: number): boolean {
    return bytes >= this.#refusedBytes;
  }
}

function isLong({ refusals, mostRecords }: Streak, searches: number): boolean {
  return refusals >= searches * (2 * Math.ceil(Math.log2(mostRecords)) + 4);
}
