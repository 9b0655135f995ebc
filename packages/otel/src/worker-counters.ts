import {
  type DeliveryStats,
  guarded,
  sharedState,
  statsOfWorker,
  sumStats,
  systemClock,
  type WorkerStream,
  withNothingInUse,
} from '@logferry/core';
import { diag } from '@opentelemetry/api';

export type StatsByDestination = ReadonlyMap<string, DeliveryStats>;

/** Adds the counters of a worker thread, which is asked by message, for all observers. */
export function addWorker(stream: WorkerStream): void {
  workers.add(stream);
}

/** Asks all workers, for at most {@link MAX_WAIT_MS}. One that does not reply has the counters of its last reply. */
export function statsOfWorkers(): Promise<readonly StatsByDestination[]> {
  return workers.read();
}

/** Adds up counters by destination. */
export function sumByDestination(counters: readonly StatsByDestination[]): StatsByDestination {
  const found = new Map<string, readonly DeliveryStats[]>();
  for (const [destination, stats] of counters.flatMap((each) => [...each]))
    found.set(destination, [...(found.get(destination) ?? []), stats]);
  return new Map([...found].map(([destination, all]) => [destination, sumStats(all)]));
}

class Workers {
  readonly #open = new Map<WorkerStream, Worker>();
  /** Sums of the last replies of workers that have ended. */
  #ended: StatsByDestination = new Map();

  add(stream: WorkerStream): void {
    if (this.#open.has(stream) || stream.destroyed) return;
    this.#open.set(stream, new Worker(stream));
    stream.once(
      'close',
      guarded(() => this.#end(stream)),
    );
  }

  async read(): Promise<readonly StatsByDestination[]> {
    await Promise.all([...this.#open.values()].map((worker) => worker.refresh()));
    return [...[...this.#open.values()].map(({ last }) => last), this.#ended];
  }

  #end(stream: WorkerStream): void {
    const last = this.#open.get(stream)?.last ?? new Map<string, DeliveryStats>();
    this.#open.delete(stream);
    // The fate of what was pending is not known. In the sums it would wait for ever.
    const ofEnded = (stats: DeliveryStats): DeliveryStats => ({ ...withNothingInUse(stats), pending: 0 });
    const final = new Map([...last].map(([destination, stats]) => [destination, ofEnded(stats)]));
    this.#ended = sumByDestination([this.#ended, final]);
  }
}

class Worker {
  readonly #stream: WorkerStream;
  /** Its last reply. */
  last: StatsByDestination = new Map();
  /** All collections wait for the same request: the replies to two of them can arrive in the wrong order. */
  #request: Promise<void> | undefined;
  /** A collection has waited for it in vain. No further one waits until it replies. */
  #isLate = false;
  #isTold = false;
  /** By the monotonic clock. */
  #nextRequestAtMs = Number.NEGATIVE_INFINITY;

  constructor(stream: WorkerStream) {
    this.#stream = stream;
  }

  /** Resolves with its reply, or without one after {@link MAX_WAIT_MS}, or at once while it is late. */
  async refresh(): Promise<void> {
    if (systemClock.monotonic() < this.#nextRequestAtMs) return;
    this.#request ??= this.#ask();
    if (this.#isLate) return;
    const request = this.#request;
    await atMost(MAX_WAIT_MS, request);
    if (this.#request === request) this.#isLate = true;
  }

  async #ask(): Promise<void> {
    try {
      this.last = await statsOfWorker(this.#stream);
      this.#isLate = false;
      this.#isTold = false;
    } catch (error) {
      this.#isLate = true;
      if (!this.#stream.destroyed) this.#fail(error);
    }
    this.#request = undefined;
  }

  #fail(error: unknown): void {
    this.#nextRequestAtMs = systemClock.monotonic() + RETRY_MS;
    if (this.#isTold) return;
    this.#isTold = true;
    const cause = this.last.size > 0 ? 'it counts with its last reply' : 'has its transport a target of Logferry?';
    diag.warn(`@logferry/otel: a worker thread does not reply; ${cause}`, error);
  }
}

/** Of all observers and copies of this package in this thread: counters of another state could be lower than those that were exported. */
const workers = sharedState('otel.workers', () => new Workers());

/** The longest that workers hold a collection: a scrape of Prometheus may take 10 s by default. */
const MAX_WAIT_MS = 1000;

/** A worker that has not replied is asked again after this time. */
const RETRY_MS = 60_000;

function atMost(limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = systemClock.setTimer(resolve, limitMs);
    void work.finally(() => {
      timer.cancel();
      resolve();
    });
  });
}
