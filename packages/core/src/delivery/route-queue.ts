import type { PendingBatch } from '../batch/pending-batch.js';

/** Batches of one route that wait for a slot, in order of acceptance. */
export class RouteQueue {
  #batches: (PendingBatch | undefined)[] = [];
  #head = 0;

  get first(): PendingBatch | undefined {
    return this.#batches[this.#head];
  }

  get size(): number {
    return this.#batches.length - this.#head;
  }

  *[Symbol.iterator](): Generator<PendingBatch> {
    for (let index = this.#head; index < this.#batches.length; index++) yield this.#batches[index] as PendingBatch;
  }

  /** Adds a batch that was sealed now: mostly the last, since another open batch of the route may be older. */
  push(batch: PendingBatch): void {
    const batches = this.#batches;
    let position = batches.length;
    while (position > this.#head && batches[position - 1]?.precedes(batch) === false) position--;
    batches.splice(position, 0, batch);
  }

  putBack(batch: PendingBatch): void {
    const batches = this.#batches;
    let position = this.#head;
    while (batches[position]?.precedes(batch)) position++;
    if (position === this.#head && position > 0) batches[--this.#head] = batch;
    else batches.splice(position, 0, batch);
  }

  /** Takes out the first batch. */
  shift(): PendingBatch | undefined {
    const batch = this.#batches[this.#head];
    if (batch === undefined) return undefined;
    this.#batches[this.#head++] = undefined;
    // Now and then, so that the cost of moving the others is shared by many.
    if (this.#head * 2 > this.#batches.length) {
      this.#batches.splice(0, this.#head);
      this.#head = 0;
    }
    return batch;
  }

  remove(batch: PendingBatch): void {
    // The removed batch is mostly the first: then no other batch moves.
    if (this.#batches[this.#head] === batch) return void this.shift();
    const position = this.#batches.indexOf(batch, this.#head);
    if (position >= 0) this.#batches.splice(position, 1);
  }
}
