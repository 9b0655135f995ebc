/** Bits of {@link Columns.bits}. */
export const URGENT = 1;
/** The payload was given as bytes, and is given back so. */
export const BYTES = 2;

/** The numbers of events in arrays: the values of an event stand at the same index. */
export class Columns {
  /** End of each payload in the buffer; a separator follows, if there is one, and the next payload. */
  ends: number[] = [];
  times: number[] = [];
  /** Sizes as the service counts them. */
  sizes: number[] = [];
  /** {@link URGENT}, {@link BYTES}, both or none. */
  bits: number[] = [];
  /** Ids of the records on disk, 0 for none; absent without a spool. */
  ids: number[] | undefined;
  readonly #separatorBytes: number;

  constructor(hasIds: boolean, separatorBytes: number) {
    this.#separatorBytes = separatorBytes;
    if (hasIds) this.ids = [];
  }

  get length(): number {
    return this.ends.length;
  }

  push(end: number, time: number, size: number, bits: number, id: number): void {
    this.ends.push(end);
    this.times.push(time);
    this.sizes.push(size);
    this.bits.push(bits);
    this.ids?.push(id);
  }

  /** Takes out all events from an index on. */
  truncate(length: number): void {
    for (const column of [this.ends, this.times, this.sizes, this.bits]) column.length = length;
    if (this.ids) this.ids.length = length;
  }

  /** Gives back memory that is not needed: an array grows by half, and a copy has no room to spare. */
  trim(): void {
    this.ends = this.ends.slice();
    this.times = this.times.slice();
    this.sizes = this.sizes.slice();
    this.bits = this.bits.slice();
    this.ids = this.ids?.slice();
  }

  /** Start of a payload in the buffer. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number) + this.#separatorBytes;
  }

  /** Bytes of a payload. */
  lengthOf(index: number): number {
    return (this.ends[index] as number) - this.startOf(index);
  }

  /** Whether the bit is set for an event. */
  has(bit: typeof URGENT | typeof BYTES, index: number): boolean {
    return ((this.bits[index] as number) & bit) !== 0;
  }
}
