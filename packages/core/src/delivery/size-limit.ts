/** Time after which one larger batch is tried: the limit in the way may be gone. */
const TRY_LARGER_MS = 300_000;

/** A batch of this size or less is not too slow: the service does not respond at all. */
const MIN_SLOW_BYTES = 64 * 1024;

/** A batch after a timeout has so much of its size, so that each of its halves fits. */
const PART_AFTER_TIMEOUT = 5 / 8;

/** A batch that took no more than this part of the longest time shows that one of twice the size passes, too. */
const EASY_PART = 1 / 4;

/**
 * The size of batches that passes, as far as is known: a proxy may take less than the service, and a slow network may take too
 * long. All routes share it.
 */
export class SizeLimit {
  readonly #requestTimeoutMs: number;
  /** The smallest batch that was refused as too large. */
  #refusedBytes = Number.POSITIVE_INFINITY;
  /** No batch of that size is sent before this time, on the monotonic clock. */
  #refusedUntilMs = 0;
  /** The largest batch that is hoped to pass in time. */
  #slowBytes = Number.POSITIVE_INFINITY;

  constructor(requestTimeoutMs: number) {
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /** Most bytes of the next batch, unless it is a single record. */
  maxBytesOf(bytes: number, nowMs: number): number {
    if (bytes >= this.#refusedBytes && nowMs >= this.#refusedUntilMs) {
      this.#refusedUntilMs = nowMs + TRY_LARGER_MS;
      return this.#slowBytes;
    }
    return Math.min(this.#refusedBytes - 1, this.#slowBytes);
  }

  /** A batch of several records was refused as too large. */
  refused(bytes: number, nowMs: number): void {
    this.#refusedBytes = Math.min(this.#refusedBytes, bytes);
    this.#refusedUntilMs = nowMs + TRY_LARGER_MS;
  }

  /** A batch of several records took too long. */
  timedOut(bytes: number): void {
    const smallerBytes = Math.max(MIN_SLOW_BYTES, bytes * PART_AFTER_TIMEOUT);
    this.#slowBytes = Math.min(this.#slowBytes, smallerBytes);
  }

  /** A batch was taken. */
  taken(bytes: number, durationMs: number): void {
    if (bytes >= this.#refusedBytes) this.#refusedBytes = Number.POSITIVE_INFINITY;
    if (durationMs <= this.#requestTimeoutMs * EASY_PART) this.#slowBytes = Math.max(this.#slowBytes, bytes * 2);
  }

  /** All sizes are refused alike: a setting is to blame, or a proxy that refuses everything. */
  forget(): void {
    this.#refusedBytes = Number.POSITIVE_INFINITY;
  }
}
