import type { Parcel } from './pending-batch.js';

/** All batches that are not settled, oldest first: a list in which every step costs the same, however long it is. */
export class Backlog {
  #oldest: Parcel | undefined;
  #newest: Parcel | undefined;

  get oldest(): Parcel | undefined {
    return this.#oldest;
  }

  /** A batch that was opened after all others. */
  append(parcel: Parcel): void {
    this.#link(this.#newest, parcel);
    this.#link(parcel, undefined);
  }

  /** Puts the parts of a batch in its place. */
  replace(parcel: Parcel, parts: readonly [Parcel, Parcel]): void {
    this.#link(parcel.older, parts[0]);
    this.#link(parts[0], parts[1]);
    this.#link(parts[1], parcel.newer);
  }

  /** A batch is settled. */
  remove(parcel: Parcel): void {
    this.#link(parcel.older, parcel.newer);
  }

  *[Symbol.iterator](): Generator<Parcel> {
    for (let parcel = this.#oldest; parcel; parcel = parcel.newer) yield parcel;
  }

  #link(older: Parcel | undefined, newer: Parcel | undefined): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }
}
