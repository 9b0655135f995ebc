import { setTimeout as delay } from 'node:timers/promises';

/** Holds a source back, so that it gives at most so many records a second, from its start on. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #startMs = performance.now();
  #records = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  count(): void {
    this.#records++;
  }

  /** Resolves when the records so far are due, or when the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const dueMs = this.#startMs + (this.#records * 1000) / this.#perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await delay(waitMs, undefined, { signal }).catch(() => {});
  }
}
