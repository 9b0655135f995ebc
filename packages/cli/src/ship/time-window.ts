import type { BatchLimits, LogRecord } from '@logferry/core';
import type { Shipping } from '../pipe/shipping-command.js';

/** The times of events that a service takes now. */
export class TimeWindow {
  readonly #fromMs: number;
  readonly #toMs: number;

  constructor({ maxPastMs = Number.POSITIVE_INFINITY, maxFutureMs = Number.POSITIVE_INFINITY }: BatchLimits) {
    this.#fromMs = Date.now() - maxPastMs;
    this.#toMs = Date.now() + maxFutureMs;
  }

  /** False if the service takes any time. */
  get isBounded(): boolean {
    return Number.isFinite(this.#fromMs);
  }

  /** Its ends, for people. */
  get text(): string {
    return `${new Date(this.#fromMs).toISOString()} to ${new Date(this.#toMs).toISOString()}`;
  }

  has({ time }: LogRecord): boolean {
    return time >= this.#fromMs && time <= this.#toMs;
  }
}

/** Records of an input, and those with a time that the service does not take. */
export interface Count {
  readonly records: number;
  readonly outside: number;
}

/** Reads an input as far as it can be read, or until the signal, and counts. */
export async function countOutside(
  input: AsyncIterable<Buffer>,
  window: TimeWindow,
  openReader: Shipping['openReader'],
  asked: AbortSignal,
): Promise<Count> {
  const count = { records: 0, outside: 0 };
  const reader = openReader({
    onRecord: (record) => {
      count.records++;
      if (!window.has(record)) count.outside++;
    },
    onTooLong: () => {},
  });
  try {
    for await (const chunk of input) {
      if (asked.aborted) break;
      reader.read(chunk);
    }
  } catch {
    // What can be read is shipped, and the error said then.
  }
  reader.end();
  return count;
}
