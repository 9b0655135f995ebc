import type { PendingBatch } from './pending-batch.js';

/** All batches that are not settled, oldest first: a linked list, so that every step costs the same, however long it is. */
export class Backlog {
  #oldest: PendingBatch | undefined;
  #newest: PendingBatch | undefined;
  #size = 0;

  get oldest(): PendingBatch | undefined {
    return this.#oldest;
  }

  /** Number of batches. */
  get size(): number {
    return this.#size;
  }

  /** Adds a batch that was opened after all others. */
  append(batch: PendingBatch): void {
    this.#link(this.#newest, batch);
    this.#link(batch, undefined);
    this.#size++;
  }

  /** Adds a batch that was cut from another one behind it. */
  insertAfter(batch: PendingBatch, cut: PendingBatch): void {
    const { newer } = batch;
    this.#link(batch, cut);
    this.#link(cut, newer);
    this.#size++;
  }

  /** Puts the parts of a batch in its place. */
  replace(batch: PendingBatch, parts: readonly [PendingBatch, PendingBatch]): void {
    this.#link(batch.older, parts[0]);
    this.#link(parts[0], parts[1]);
    this.#link(parts[1], batch.newer);
    this.#size++;
  }

  /** Removes a batch that is settled. */
  remove(batch: PendingBatch): void {
    this.#link(batch.older, batch.newer);
    this.#size--;
  }

  *[Symbol.iterator](): Generator<PendingBatch> {
    for (let batch = this.#oldest; batch; batch = batch.newer) yield batch;
  }

  #link(older: PendingBatch | undefined, newer: PendingBatch | undefined): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }
}
