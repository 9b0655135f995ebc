import type { PayloadSeparator } from '../contract/destination.js';
import { writeInto } from '../tools/write-into.js';

/** Size of a pooled buffer: a full batch of CloudWatch Logs, or a Log Service batch of ordinary records. */
const POOLED_BYTES = 1536 * 1024;

/** Room before the first payload of a large buffer, for the beginning of a request body. */
const HEAD_BYTES = 1024;

/** Room behind the last payload of a large buffer, for the end of a request body. */
const TAIL_BYTES = 512;

const FIRST_BYTES = 1024;

/** Most waste of a sealed buffer, as a part of its content. Copying costs less than the waste only while memory is scarce. */
const MAX_WASTE = 1;
const MAX_WASTE_WHEN_SCARCE = 1 / 8;

/** Reuses the memory of full batches: new memory of this size makes the garbage collector run far more often. */
export class BufferPool {
  /** One idle buffer for each request in flight of the default concurrency. */
  static readonly #maxIdle = 4;
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(POOLED_BYTES);
  }

  /** Takes back a buffer; one of another size is left to the garbage collector. */
  give(buffer: Buffer): void {
    if (buffer.length === POOLED_BYTES && this.#idle.length < BufferPool.#maxIdle) this.#idle.push(buffer);
  }
}

/** The payloads of a batch as bytes, one after another, with a separator after each, if there is one. */
export class PayloadBuffer {
  readonly #pool: BufferPool;
  readonly #separatorBytes: number;
  /** `NaN` if there is none. */
  readonly #separatorCode: number;
  readonly #expectedBytes: number;
  #buffer: Buffer = EMPTY;
  /** Start of the first payload. */
  #origin = 0;
  #end = 0;
  /** A request body lies in the memory, and a request may read it after it failed: from then on nobody else gets the memory. */
  #isLent = false;

  constructor(pool: BufferPool, separator: PayloadSeparator, expectedBytes: number) {
    this.#pool = pool;
    this.#separatorBytes = separator.length;
    this.#separatorCode = separator.charCodeAt(0);
    this.#expectedBytes = Math.max(expectedBytes, FIRST_BYTES);
  }

  /** Bytes of all payloads and their separators. */
  get length(): number {
    return this.#end - this.#origin;
  }

  /** Appends a payload. Returns where it ends. */
  append(payload: string | Uint8Array): number {
    // A UTF-16 unit takes at most three bytes: mostly there is room without counting.
    if (this.#end + payload.length * 3 + 1 > this.#buffer.length) this.reserve(Buffer.byteLength(payload) + 1);
    this.#end += writeInto(this.#buffer, payload, this.#end);
    const end = this.length;
    this.#separate();
    return end;
  }

  /** Appends payloads of another buffer, with the separators between them. */
  copy(source: PayloadBuffer, start: number, end: number): void {
    this.reserve(end - start + 1);
    this.#end += source.#buffer.copy(this.#buffer, this.#end, source.#origin + start, source.#origin + end);
    // The source may have the end of a request body in the place of its last separator.
    this.#separate();
  }

  /** Takes out all behind the first `length` bytes. */
  truncate(length: number): void {
    this.#end = this.#origin + length;
  }

  /** A payload: a copy, which outlives this memory and holds nothing else. */
  read(start: number, end: number, asBytes: boolean): string | Uint8Array {
    const [from, to] = [this.#origin + start, this.#origin + end];
    return asBytes ? new Uint8Array(this.#buffer.subarray(from, to)) : this.#buffer.toString('utf8', from, to);
  }

  /** `prefix`, all payloads with separators in between, `suffix`: in place if there is room. */
  enclose(
    prefix: string | Uint8Array,
    suffix: string | Uint8Array,
  ): { readonly bytes: Uint8Array; readonly isCopy: boolean } {
    const prefixBytes = Buffer.byteLength(prefix);
    const last = Math.max(this.#end - this.#separatorBytes, this.#origin);
    const fits = prefixBytes <= this.#origin && last + Buffer.byteLength(suffix) <= this.#buffer.length;
    if (!fits) {
      const payloads = this.#buffer.subarray(this.#origin, last);
      return { bytes: Buffer.concat([Buffer.from(prefix), payloads, Buffer.from(suffix)]), isCopy: true };
    }
    this.#isLent = true;
    const start = this.#origin - prefixBytes;
    writeInto(this.#buffer, prefix, start);
    // The suffix takes the place of the last separator.
    return { bytes: this.#buffer.subarray(start, last + writeInto(this.#buffer, suffix, last)), isCopy: false };
  }

  /** Ends appending: gives back memory that is not needed, all of it if memory is scarce. What a request reads stays where it is. */
  seal(isScarce: boolean): void {
    if (this.#isLent) return;
    const neededBytes = this.#origin + this.length + (this.#origin > 0 ? TAIL_BYTES : 0);
    const maxWaste = isScarce ? MAX_WASTE_WHEN_SCARCE : MAX_WASTE;
    // A small buffer is a part of a larger one, which it would keep.
    const isPart = isScarce && this.#buffer.length < this.#buffer.buffer.byteLength;
    if (isPart || this.#buffer.length - neededBytes > this.length * maxWaste)
      this.#moveTo(Buffer.allocUnsafeSlow(neededBytes));
  }

  /** Ends the use of the payloads: the memory is free if no request reads it. */
  free(): void {
    if (!this.#isLent) this.#pool.give(this.#buffer);
  }

  /** The same after the last request, which reads them no more. */
  recycle(): void {
    this.#isLent = false;
    this.free();
  }

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    const neededBytes = this.length + bytes;
    if (this.#origin + neededBytes <= this.#buffer.length) return;
    this.#grow(Math.max(neededBytes, this.#buffer.length === 0 ? this.#expectedBytes : this.#buffer.length * 2));
  }

  #separate(): void {
    if (this.#separatorBytes > 0) this.#buffer[this.#end++] = this.#separatorCode;
  }

  /** Grows to `bytes`, in a pooled buffer if that would be more than half full. */
  #grow(bytes: number): void {
    const isLarge = bytes > POOLED_BYTES / 2;
    const fitsPool = isLarge && HEAD_BYTES + bytes <= POOLED_BYTES;
    this.#moveTo(
      fitsPool ? this.#pool.take() : Buffer.allocUnsafe(isLarge ? HEAD_BYTES + bytes + TAIL_BYTES : bytes),
      isLarge ? HEAD_BYTES : 0,
    );
  }

  #moveTo(buffer: Buffer, origin = this.#origin): void {
    this.#buffer.copy(buffer, origin, this.#origin, this.#end);
    this.free();
    this.#isLent = false;
    this.#end += origin - this.#origin;
    this.#origin = origin;
    this.#buffer = buffer;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
