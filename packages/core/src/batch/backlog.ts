import type { PendingBatch } from './pending-batch.js';

/** Batches that are not settled, oldest first: a linked list, so that every step costs the same, however long it is. */
class BatchList {
  #oldest: PendingBatch | undefined;
  #newest: PendingBatch | undefined;
  #iterations = 0;
  /** Taken out during an iteration, which may stand at them. */
  readonly #taken: PendingBatch[] = [];

  get oldest(): PendingBatch | undefined {
    return this.#oldest;
  }

  get newest(): PendingBatch | undefined {
    return this.#newest;
  }

  link(older: PendingBatch | undefined, newer: PendingBatch | undefined): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }

  /** Something may hold on to a batch for long, and must not hold all that came after it. */
  forgetNeighbours(batch: PendingBatch): void {
    if (this.#iterations > 0) {
      this.#taken.push(batch);
      return;
    }
    batch.older = undefined;
    batch.newer = undefined;
  }

  /** Batches may be added and removed meanwhile. */
  *[Symbol.iterator](): Generator<PendingBatch> {
    this.#iterations++;
    try {
      for (let batch = this.#oldest; batch; batch = batch.newer) yield batch;
    } finally {
      this.#iterations--;
      if (this.#iterations === 0) for (const batch of this.#taken.splice(0)) this.forgetNeighbours(batch);
    }
  }
}

/** All batches that are not settled: those of this process, oldest first, and those of dead ones. */
export class Backlog {
  readonly #own = new BatchList();
  readonly #adopted = new BatchList();
  #size = 0;

  /** The oldest of this process. */
  get oldest(): PendingBatch | undefined {
    return this.#own.oldest;
  }

  /** Whether there are batches of dead processes. */
  get hasAdopted(): boolean {
    return this.#adopted.oldest !== undefined;
  }

  /** Each oldest first. */
  get lists(): readonly Iterable<PendingBatch>[] {
    return [this.#own, this.#adopted];
  }

  /** Number of batches. */
  get size(): number {
    return this.#size;
  }

  /** Adds a batch that was opened after all others. */
  append(batch: PendingBatch): void {
    const list = this.#listOf(batch);
    list.link(list.newest, batch);
    list.link(batch, undefined);
    this.#size++;
  }

  /** Adds a batch that was cut from another one behind it. */
  insertAfter(batch: PendingBatch, cut: PendingBatch): void {
    const list = this.#listOf(batch);
    const { newer } = batch;
    list.link(batch, cut);
    list.link(cut, newer);
    this.#size++;
  }

  /** Puts the parts of a batch in its place. */
  replace(batch: PendingBatch, parts: readonly [PendingBatch, PendingBatch]): void {
    const list = this.#listOf(batch);
    list.link(batch.older, parts[0]);
    list.link(parts[0], parts[1]);
    list.link(parts[1], batch.newer);
    list.forgetNeighbours(batch);
    this.#size++;
  }

  /** Removes a batch that is settled. */
  remove(batch: PendingBatch): void {
    const list = this.#listOf(batch);
    list.link(batch.older, batch.newer);
    list.forgetNeighbours(batch);
    this.#size--;
  }

  *[Symbol.iterator](): Generator<PendingBatch> {
    yield* this.#own;
    yield* this.#adopted;
  }

  #listOf({ origin }: PendingBatch): BatchList {
    return origin === 'adopted' ? this.#adopted : this.#own;
  }
}
