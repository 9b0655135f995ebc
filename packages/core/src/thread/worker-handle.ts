import { createRequire } from 'node:module';
import type { Worker } from 'node:worker_threads';
import type ThreadStream from 'thread-stream';
import type { DeliveryStats } from '../accounting/stats.js';
import { systemClock } from '../contract/clock.js';
import { moduleUrl } from './module-url.js';
import { FAILURE, type Failure, lineOfCommand, REPORT, type Report, type ThreadPlan } from './protocol.js';

/** The time that a worker may take to reply beyond its deadline. */
const REPLY_MS = 500;

/** The part of thread-stream that its types leave out. */
interface Stream extends ThreadStream {
  readonly worker: Worker;
  readonly writable: boolean;
  readonly destroyed: boolean;
  ref(): void;
  unref(): void;
}

export interface WorkerEvents {
  /** The worker reported its progress. */
  onReport(): void;
  /** An attempt failed. */
  onFailure(failure: Failure): void;
  /** The worker is gone; `error` is the reason, unless it ended by itself. */
  onEnd(error: Error | undefined): void;
}

/** One worker thread from its start to its end, as the main thread sees it. */
export class WorkerHandle {
  /** The worker's counters of its last report. */
  stats: DeliveryStats;
  /** Time of its last report, on the monotonic clock. */
  reportedAtMs: number = systemClock.monotonic();
  readonly #stream: Stream;
  readonly #replies = new Map<number, () => void>();
  #lastId = 0;
  #writtenChars = 0;
  /** Handovers that the worker has not read whole. */
  #unread: { readonly endChars: number; readonly costBytes: number }[] = [];
  #unreadBytes = 0;

  /** Starts the worker; `stats` hold until its first report. */
  constructor(plan: ThreadPlan, stats: DeliveryStats, events: WorkerEvents) {
    this.stats = stats;
    // Loaded lazily: it costs a few milliseconds.
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
      this.#forgetRead(report.readChars);
      events.onReport();
      if (report.reply !== undefined) this.#replies.get(report.reply)?.();
    });
    stream.on(FAILURE, (failure: Failure) => events.onFailure(failure));
    stream.on('error', (reason: Error) => {
      error ??= reason;
    });
    stream.once('close', () => {
      events.onEnd(error);
      for (const done of this.#replies.values()) done();
    });
  }

  /** Bytes of the budget of the records that the worker has not read, as far as known. */
  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  /** Hands lines over; `costBytes` is the part of the budget of their records. */
  write(lines: string, costBytes = 0): void {
    if (lines === '' || !this.#stream.writable) return;
    this.#writtenChars += lines.length;
    this.#unreadBytes += costBytes;
    this.#unread.push({ endChars: this.#writtenChars, costBytes });
    this.#stream.write(lines);
  }

  /**
   * Has the worker flush or close. Resolves when it has replied, when it is gone, or soon after `timeoutMs`. Keeps the process
   * alive meanwhile.
   */
  command(what: 'flush' | 'close', timeoutMs: number | undefined): Promise<void> {
    if (!this.#stream.writable) return Promise.resolve();
    return new Promise((resolve) => {
      const id = ++this.#lastId;
      const done = (): void => {
        timer.cancel();
        this.#replies.delete(id);
        if (this.#replies.size === 0) this.#stream.unref();
        resolve();
      };
      const timer = systemClock.setTimer(done, (timeoutMs ?? Number.POSITIVE_INFINITY) + REPLY_MS);
      this.#replies.set(id, done);
      this.#stream.ref();
      this.write(lineOfCommand({ do: what, id, timeoutMs }));
    });
  }

  /**
   * Blocks until the worker has read all lines, delivered its records and exited: for the exit of the process. False if it
   * gave up after 10 s without progress.
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

  /** Ends the worker at once. */
  terminate(): void {
    void this.#stream.worker.terminate();
  }

  #forgetRead(readChars: number): void {
    let read = 0;
    for (; (this.#unread[read]?.endChars ?? Number.POSITIVE_INFINITY) <= readChars; read++)
      this.#unreadBytes -= this.#unread[read]?.costBytes ?? 0;
    this.#unread.splice(0, read);
  }
}
