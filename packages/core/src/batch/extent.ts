import type { BatchLimits } from '../contract/destination.js';
import type { EventColumns } from './event-columns.js';

/** Size and span of time of several batches together. */
export class Extent {
  #events: number;
  #bytes: number;
  #earliestMs: number;
  #latestMs: number;

  constructor({ count, bytes, earliestMs, latestMs }: EventColumns) {
    this.#events = count;
    this.#bytes = bytes;
    this.#earliestMs = earliestMs;
    this.#latestMs = latestMs;
  }

  /** Adds a batch. False, and nothing is added, if all together would break a limit of one request. */
  add({ count, eventBytes, earliestMs, latestMs }: EventColumns, limits: BatchLimits): boolean {
    const { maxEvents, maxBytes, maxSpanMs = Number.POSITIVE_INFINITY } = limits;
    const fromMs = Math.min(this.#earliestMs, earliestMs);
    const toMs = Math.max(this.#latestMs, latestMs);
    if (this.#events + count > maxEvents || this.#bytes + eventBytes > maxBytes || toMs - fromMs > maxSpanMs)
      return false;
    this.#events += count;
    this.#bytes += eventBytes;
    this.#earliestMs = fromMs;
    this.#latestMs = toMs;
    return true;
  }
}
