import { createRequire } from 'node:module';
import type { Worker } from 'node:worker_threads';
import type ThreadStream from 'thread-stream';
import { systemClock } from '../contract/clock.js';
import type { DeliveryStats } from '../shipper.js';
import { moduleUrl } from './module-url.js';
import { FAILURE, type Failure, lineOfCommand, REPORT, type Report, type ThreadPlan } from './protocol.js';

/** How long a worker may take to answer beyond the time that it was given. */
const ANSWER_MS = 500;

/** What the types of thread-stream leave out. */
interface Stream extends ThreadStream {
  readonly worker: Worker;
  readonly writable: boolean;
  readonly destroyed: boolean;
  ref(): void;
  unref(): void;
}

export interface ThreadEvents {
  /** The worker told how far it is. */
  reported(): void;
  /** An attempt failed. */
  failed(failure: Failure): void;
  /** The worker is gone, and why, if it did not end by itself. */
  ended(error: Error | undefined): void;
}

/** One worker thread, from its start to its end, as the main thread sees it. */
export class WorkerHandle {
  /** The worker's counters as it last told. */
  stats: DeliveryStats;
  /** When it told, on the monotonic clock. */
  reportedAtMs: number = systemClock.monotonic();
  readonly #stream: Stream;
  readonly #answers = new Map<number, () => void>();
  #lastId = 0;
  #writtenChars = 0;
  #readChars = 0;

  /** Starts the worker; `stats` hold until it tells its own. */
  constructor(plan: ThreadPlan, stats: DeliveryStats, events: ThreadEvents) {
    this.stats = stats;
    // Only now: it takes some milliseconds, which who needs no thread should not pay.
    const Constructor = createRequire(moduleUrl)('thread-stream') as typeof ThreadStream;
    const stream = new Constructor({
      filename: new URL('./worker.js', moduleUrl).href,
      workerData: plan,
      workerOpts: { name: 'logferry' },
    }) as Stream;
    stream.unref();
    this.#stream = stream;
    let error: Error | undefined;
    stream.on(REPORT, (report: Report) => {
      this.stats = report.stats;
      this.reportedAtMs = systemClock.monotonic();
      this.#readChars = report.readChars;
      events.reported();
      if (report.reply !== undefined) this.#answers.get(report.reply)?.();
    });
    stream.on(FAILURE, (failure: Failure) => events.failed(failure));
    stream.on('error', (reason: Error) => {
      error ??= reason;
    });
    stream.once('close', () => {
      events.ended(error);
      for (const answered of this.#answers.values()) answered();
    });
  }

  /** Length of the lines that the worker has not read, as far as known. */
  get unreadChars(): number {
    return this.#writtenChars - this.#readChars;
  }

  write(lines: string): void {
    if (lines === '' || !this.#stream.writable) return;
    this.#writtenChars += lines.length;
    this.#stream.write(lines);
  }

  /**
   * Has the worker flush or close. Resolves when it has, when it is gone, or soon after `timeoutMs`. Keeps the process alive
   * meanwhile.
   */
  order(what: 'flush' | 'close', timeoutMs: number | undefined): Promise<void> {
    if (!this.#stream.writable) return Promise.resolve();
    return new Promise((resolve) => {
      const id = ++this.#lastId;
      const done = (): void => {
        timer.cancel();
        this.#answers.delete(id);
        if (this.#answers.size === 0) this.#stream.unref();
        resolve();
      };
      const timer = systemClock.setTimer(done, (timeoutMs ?? Number.POSITIVE_INFINITY) + ANSWER_MS);
      this.#answers.set(id, done);
      this.#stream.ref();
      this.write(lineOfCommand({ do: what, id, timeoutMs }));
    });
  }

  /**
   * Waits, with this thread blocked, until the worker has read all, delivered what it can, and ended: for the exit of the
   * process. Gives up after 10 s without progress; whether it did not have to.
   */
  endSync(): boolean {
    try {
      this.#stream.flushSync();
      this.#stream.end();
    } catch {
      // The worker is gone, or stuck.
    }
    return !this.#stream.destroyed;
  }

  /** Ends the worker, whatever it does. */
  terminate(): void {
    void this.#stream.worker.terminate();
  }
}
