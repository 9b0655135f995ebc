import type { Parcel } from '../batch/pending-batch.js';

/** Batches of one route that wait for a slot, in order of acceptance. */
export class Queue {
  #parcels: (Parcel | undefined)[] = [];
  #head = 0;

  get isEmpty(): boolean {
    return this.#head === this.#parcels.length;
  }

  push(parcel: Parcel): void {
    this.#parcels.push(parcel);
  }

  putBack(parcel: Parcel): void {
    const parcels = this.#parcels;
    let place = this.#head;
    while (parcels[place]?.isBefore(parcel)) place++;
    if (place === this.#head && place > 0) parcels[--this.#head] = parcel;
    else parcels.splice(place, 0, parcel);
  }

  /** Takes the first. */
  shift(): Parcel | undefined {
    const parcel = this.#parcels[this.#head];
    if (parcel === undefined) return undefined;
    this.#parcels[this.#head++] = undefined;
    // Now and then, so that the cost of moving the others is shared by many.
    if (this.#head * 2 > this.#parcels.length) {
      this.#parcels.splice(0, this.#head);
      this.#head = 0;
    }
    return parcel;
  }

  remove(parcel: Parcel): void {
    // What is given up is mostly the oldest, and then the others need not move.
    if (this.#parcels[this.#head] === parcel) return void this.shift();
    const place = this.#parcels.indexOf(parcel, this.#head);
    if (place >= 0) this.#parcels.splice(place, 1);
  }
}
