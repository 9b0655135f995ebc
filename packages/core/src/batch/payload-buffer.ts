/** Room of a buffer from the pool: a full batch of CloudWatch Logs, or a Log Service batch of ordinary records. */
const POOLED_BYTES = 1536 * 1024;

/** Room before the first payload of a pooled buffer, for what a request body begins with. */
const HEAD_BYTES = 1024;

const FIRST_BYTES = 1024;

/** Memory for full batches that was used before: new memory of this size makes the garbage collector run far more often. */
export class BufferPool {
  /** Enough for what lands while as much is on its way. */
  static readonly #most = 4;
  readonly #idle: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(POOLED_BYTES);
  }

  give(memory: Uint8Array): void {
    if (memory.length === POOLED_BYTES && this.#idle.length < BufferPool.#most) this.#idle.push(memory);
  }
}

/** The payloads of a batch as bytes, one after another with a comma after each. */
export class PayloadBuffer {
  readonly #pool: BufferPool;
  readonly #expectedBytes: number;
  #buffer: Buffer = EMPTY;
  /** Where the first payload begins. */
  #origin = 0;
  #end = 0;

  constructor(pool: BufferPool, expectedBytes: number) {
    this.#pool = pool;
    this.#expectedBytes = Math.max(expectedBytes, FIRST_BYTES);
  }

  /** Bytes of all payloads and their commas. */
  get length(): number {
    return this.#end - this.#origin;
  }

  /** Appends a payload. Returns the length with it. */
  append(payload: string): number {
    // No character of a string takes more than three bytes.
    this.#reserve(payload.length * 3 + 1);
    this.#end += this.#buffer.write(payload, this.#end);
    this.#buffer[this.#end++] = COMMA;
    return this.length;
  }

  /** Appends payloads of another buffer, with the commas between them. */
  copy(source: PayloadBuffer, start: number, end: number): void {
    this.#reserve(end - start + 1);
    this.#end += source.#buffer.copy(this.#buffer, this.#end, source.#origin + start, source.#origin + end);
    // In the source something else may stand in the place of the last.
    this.#buffer[this.#end++] = COMMA;
  }

  /** A payload. */
  read(start: number, end: number): string {
    return this.#buffer.toString('utf8', this.#origin + start, this.#origin + end);
  }

  /** `prefix`, all payloads with commas in between, `suffix`: in place if there is room. */
  enclose(prefix: string, suffix: string): Uint8Array {
    const prefixBytes = Buffer.byteLength(prefix);
    const last = this.#end - 1;
    const fits = prefixBytes <= this.#origin && last + suffix.length * 3 <= this.#buffer.length;
    if (!fits) {
      const payloads = this.#buffer.subarray(this.#origin, last);
      return Buffer.concat([Buffer.from(prefix), payloads, Buffer.from(suffix)]);
    }
    const start = this.#origin - prefixBytes;
    this.#buffer.write(prefix, start);
    // In the place of the last comma.
    return this.#buffer.subarray(start, last + this.#buffer.write(suffix, last));
  }

  /** Nothing is appended from now on: gives back what is mostly empty. */
  trim(): void {
    if (this.#buffer.length > 2 * this.length + HEAD_BYTES) this.#move(this.length);
  }

  /** Nobody reads or writes it from now on. */
  recycle(): void {
    this.#pool.give(this.#buffer);
  }

  #reserve(bytes: number): void {
    const neededBytes = this.length + bytes;
    if (this.#origin + neededBytes <= this.#buffer.length) return;
    this.#move(Math.max(neededBytes, this.#buffer.length === 0 ? this.#expectedBytes : this.#buffer.length * 2));
  }

  /** To a buffer with room for so much: one of the pool if it would be more than half full, but not too full. */
  #move(bytes: number): void {
    const isLarge = bytes > POOLED_BYTES / 2;
    const origin = isLarge ? HEAD_BYTES : 0;
    const fitsPool = isLarge && this.length + HEAD_BYTES < POOLED_BYTES && origin + bytes <= POOLED_BYTES;
    const buffer = fitsPool ? (this.#pool.take() as Buffer) : Buffer.allocUnsafe(origin + bytes);
    this.#buffer.copy(buffer, origin, this.#origin, this.#end);
    this.#pool.give(this.#buffer);
    this.#end += origin - this.#origin;
    this.#origin = origin;
    this.#buffer = buffer;
  }
}

const COMMA = 44;

const EMPTY: Buffer = Buffer.alloc(0);
