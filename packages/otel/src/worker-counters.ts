import { type DeliveryStats, statsOfWorker, type WorkerStream, withNothingInUse } from '@logferry/core';
import { diag } from '@opentelemetry/api';

type StatsByDestination = ReadonlyMap<string, DeliveryStats>;

/** The counters of worker threads, which are asked by message. */
export class WorkerCounters {
  /** The last replies. */
  readonly #workers = new Map<WorkerStream, StatsByDestination>();
  /** The last replies of workers that have ended. */
  readonly #ended: StatsByDestination[] = [];

  add(worker: WorkerStream): void {
    if (!this.#workers.has(worker)) this.#workers.set(worker, new Map());
  }

  /** Asks all workers. One that does not reply has the counters of its last reply. */
  async read(): Promise<readonly StatsByDestination[]> {
    await Promise.all([...this.#workers.keys()].map((worker) => this.#ask(worker)));
    return [...this.#workers.values(), ...this.#ended];
  }

  async #ask(worker: WorkerStream): Promise<void> {
    try {
      this.#workers.set(worker, await statsOfWorker(worker));
    } catch (error) {
      if (worker.destroyed) this.#end(worker);
      else diag.warn('@logferry/otel: a worker thread was not read', error);
    }
  }

  #end(worker: WorkerStream): void {
    const last = this.#workers.get(worker);
    if (!this.#workers.delete(worker) || !last) return;
    // The fate of what was pending is not known. In the sums it would wait for ever.
    const ofEnded = (stats: DeliveryStats): DeliveryStats => ({ ...withNothingInUse(stats), pending: 0 });
    this.#ended.push(new Map([...last].map(([destination, stats]) => [destination, ofEnded(stats)])));
  }
}
