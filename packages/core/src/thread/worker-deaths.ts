import { ConfigError } from '../contract/errors.js';
import { systemClock } from '../tools/system-clock.js';

/** What ships after the death of a worker. */
export type Successor = 'another worker' | 'this thread' | 'nobody';

/** A death is forgiven after this time without another. */
const FORGIVEN_AFTER_MS = 600_000;

/** Remembers deaths of workers, so that what kills each of them does not start one after another. */
export class WorkerDeaths {
  #lastMs = Number.NEGATIVE_INFINITY;

  /**
   * A worker died of `error`. A lack of memory would follow the records into this thread, and end the application. A wrong option would
   * stop another worker, too.
   *
   * @param canShipHere whether this thread has all that it takes
   */
  successorAfter(error: Error | undefined, canShipHere: boolean): Successor {
    const isFirst = this.areForgiven;
    this.#lastMs = systemClock.monotonic();
    if (ConfigError.is(error)) return 'nobody';
    if (isFirst) return 'another worker';
    const { code } = (error ?? {}) as { readonly code?: unknown };
    return canShipHere && code !== 'ERR_WORKER_OUT_OF_MEMORY' ? 'this thread' : 'nobody';
  }

  /** Whether a worker may start. */
  get areForgiven(): boolean {
    return systemClock.monotonic() - this.#lastMs >= FORGIVEN_AFTER_MS;
  }
}
