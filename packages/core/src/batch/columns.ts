/** The numbers of events in arrays: the values of an event stand at the same index. */
export class Columns {
  /** End of each payload in the buffer; a separator follows, and the next payload. */
  ends: number[] = [];
  times: number[] = [];
  /** Sizes as the service counts them. */
  sizes: number[] = [];
  urgent: boolean[] = [];
  /** Ids of the records on disk, 0 for none; absent without a spool. */
  ids: number[] | undefined;

  constructor(hasIds: boolean) {
    if (hasIds) this.ids = [];
  }

  get length(): number {
    return this.ends.length;
  }

  push(end: number, time: number, size: number, urgent: boolean, id: number): void {
    this.ends.push(end);
    this.times.push(time);
    this.sizes.push(size);
    this.urgent.push(urgent);
    this.ids?.push(id);
  }

  /** Takes out all events from an index on. */
  truncate(length: number): void {
    for (const column of [this.ends, this.times, this.sizes, this.urgent]) column.length = length;
    if (this.ids) this.ids.length = length;
  }

  /** Gives back memory that is not needed: an array grows by half, and a copy has no room to spare. */
  trim(): void {
    this.ends = this.ends.slice();
    this.times = this.times.slice();
    this.sizes = this.sizes.slice();
    this.urgent = this.urgent.slice();
    this.ids = this.ids?.slice();
  }

  /** Start of a payload in the buffer. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number) + 1;
  }

  /** Bytes of a payload. */
  lengthOf(index: number): number {
    return (this.ends[index] as number) - this.startOf(index);
  }
}
