import type { PendingBatch } from './pending-batch.js';

/** All batches that are not settled, oldest first: a list in which every step costs the same, however long it is. */
export class Backlog {
  #oldest: PendingBatch | undefined;
  #newest: PendingBatch | undefined;

  get oldest(): PendingBatch | undefined {
    return this.#oldest;
  }

  /** A batch that was opened after all others. */
  append(batch: PendingBatch): void {
    this.#link(this.#newest, batch);
    this.#link(batch, undefined);
  }

  /** Puts the parts of a batch in its place. */
  replace(batch: PendingBatch, parts: readonly [PendingBatch, PendingBatch]): void {
    this.#link(batch.older, parts[0]);
    this.#link(parts[0], parts[1]);
    this.#link(parts[1], batch.newer);
  }

  /** A batch is settled. */
  remove(batch: PendingBatch): void {
    this.#link(batch.older, batch.newer);
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
