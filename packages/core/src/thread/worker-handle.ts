import { MessageChannel, type MessagePort, receiveMessageOnPort, SHARE_ENV, type Worker } from 'node:worker_threads';
import type ThreadStream from 'thread-stream';
import type { DeliveryStats } from '../accounting/stats.js';
import { ConfigError } from '../contract/errors.js';
import { guarded, inBackground } from '../tools/guarded.js';
import { outsideContext, systemClock } from '../tools/system-clock.js';
import { lineOfCommand, type Misconfigured, type Report, type ThreadPlan } from './protocol.js';
import { loadThreadStream, workerFile } from './worker-files.js';

/** The time that a worker may take to reply beyond its deadline. */
const REPLY_MS = 500;

/** The part of thread-stream that its types leave out. */
interface Stream extends ThreadStream {
  readonly worker: Worker;
  readonly writable: boolean;
  ref(): void;
  unref(): void;
}

export interface WorkerEvents {
  /** The worker reported its progress. */
  onReport(report: Report): void;
  /** The worker is gone, and was not closed; `error` is the reason, a `ConfigError` too, unless it ended by itself. */
  onEnd(error: Error | undefined): void;
}

/** One worker thread from its start to its end, as the main thread sees it. */
export class WorkerHandle {
  /** The worker's counters of its last report. */
  stats: DeliveryStats;
  /** The part of its pending records that is on disk, too. */
  onDisk = 0;
  /** Time of its last report, on the monotonic clock. */
  reportedAtMs: number = systemClock.monotonic();
  readonly #stream: Stream;
  readonly #port: MessagePort;
  readonly #reports = new Int32Array(new SharedArrayBuffer(4));
  readonly #events: WorkerEvents;
  /** By id. */
  readonly #replies = new Map<number, () => void>();
  #lastId = 0;
  /** Id of the command to close. */
  #closeId: number | undefined;
  /** The worker has obeyed that, and ends. */
  #hasClosed = false;
  /** Why it cannot start. */
  #misconfigured: ConfigError | undefined;
  #writtenChars = 0;
  /** Handovers that the worker has not read whole. */
  #unread: { readonly endChars: number; readonly costBytes: number }[] = [];
  #unreadBytes = 0;

  /** Starts the worker; `stats` hold until its first report. */
  constructor(plan: Omit<ThreadPlan, 'line'>, stats: DeliveryStats, events: WorkerEvents) {
    this.stats = stats;
    this.#events = events;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const stream = new (loadThreadStream())({
      filename: workerFile(),
      workerData: { ...plan, line: { port: port2, reports: this.#reports } } satisfies ThreadPlan,
      // The environment is read live, as in this thread: an application may load it from a file after its logger.
      workerOpts: { name: 'logferry', env: SHARE_ENV, transferList: [port2] },
    }) as Stream;
    stream.unref();
    this.#stream = stream;
    let error: Error | undefined;
    const failed = guarded((reason: Error) => {
      error ??= reason;
    });
    // Without a listener the error of a thread that is out of memory, or fails before it runs our code, ends the application.
    stream.worker.on('error', failed);
    stream.on('error', failed);
    const ended = guarded(() => {
      this.#readReports();
      port1.close();
      if (!this.#hasClosed) events.onEnd(this.#misconfigured ?? error);
    });
    stream.once(
      'close',
      guarded(() => {
        ended();
        for (const done of this.#replies.values()) done();
      }),
    );
    port1.on(
      'message',
      guarded((message: Report | Misconfigured) => this.#take(message)),
    );
    port1.unref();
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
    // Its timers and promises live until the worker has read the lines.
    outsideContext(() => this.#stream.write(lines));
  }

  /**
   * Has the worker flush, drain or close. Resolves when it has replied, when it is gone, or soon after `timeoutMs`. Keeps the process
   * alive meanwhile.
   */
  command(what: 'flush' | 'drain' | 'close', timeoutMs: number | undefined): Promise<void> {
    if (!this.#stream.writable) return Promise.resolve();
    return new Promise((resolve) => {
      const id = ++this.#lastId;
      if (what === 'close') this.#closeId = id;
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
   * Blocks until the worker has settled all records that were handed over, for which it gets `timeoutMs`: for the exit of the
   * process. `endsMs`, on the monotonic clock, limits all, the start of the worker too, for which it waits unless `timeoutMs` is 0.
   * False if the worker is gone, or gave no proof.
   */
  settleSync(timeoutMs: number, endsMs: number): boolean {
    const hasStarted = Atomics.load(this.#reports, 0) > 0;
    const replyMs = hasStarted || timeoutMs === 0 ? Math.max(timeoutMs, REPLY_MS) : Number.POSITIVE_INFINITY;
    // `flushSync` would block for 10 s with a worker that does not run.
    const isAlive = this.#waitForReply(Math.min(systemClock.monotonic() + replyMs, endsMs), (id) =>
      this.#port.postMessage(id),
    );
    if (!isAlive) return false;
    const leftMs = Math.min(timeoutMs, Math.max(0, endsMs - systemClock.monotonic()));
    return this.#waitForReply(systemClock.monotonic() + leftMs + REPLY_MS, (id) => {
      this.write(lineOfCommand({ do: 'settle', id, timeoutMs: leftMs }));
      this.#stream.flushSync();
    });
  }

  /** Blocks until the worker has started, for at most `timeoutMs`. Returns why it cannot, if that is known by then. */
  waitForStart(timeoutMs: number): ConfigError | undefined {
    Atomics.wait(this.#reports, 0, 0, timeoutMs);
    this.#readReports();
    return this.#misconfigured;
  }

  /** Ends the worker at once. */
  terminate(): void {
    inBackground(this.#stream.worker.terminate());
  }

  /** Asks, and blocks until the reply is there. False at the deadline, or if asking fails. */
  #waitForReply(deadlineMs: number, ask: (id: number) => void): boolean {
    if (!this.#stream.writable) return false;
    const id = ++this.#lastId;
    let hasReplied = false;
    this.#replies.set(id, () => {
      hasReplied = true;
    });
    try {
      ask(id);
      for (;;) {
        const seen = Atomics.load(this.#reports, 0);
        this.#readReports();
        const leftMs = deadlineMs - systemClock.monotonic();
        if (hasReplied || leftMs <= 0) return hasReplied;
        Atomics.wait(this.#reports, 0, seen, leftMs);
      }
    } catch {
      // thread-stream found the worker dead.
      return false;
    } finally {
      this.#replies.delete(id);
    }
  }

  /** Takes the reports that the event loop has not delivered. */
  #readReports(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port))
      this.#take(next.message);
  }

  #take(report: Report | Misconfigured): void {
    if ('option' in report) {
      this.#misconfigured = new ConfigError(report.option, report.message.replace(/^\[logferry\] /, ''));
      return;
    }
    this.stats = report.stats;
    this.onDisk = report.onDisk;
    this.reportedAtMs = systemClock.monotonic();
    this.#forgetRead(report.readChars);
    this.#events.onReport(report);
    if (report.reply === undefined) return;
    if (report.reply === this.#closeId) this.#hasClosed = true;
    this.#replies.get(report.reply)?.();
  }

  #forgetRead(readChars: number): void {
    let read = 0;
    for (; (this.#unread[read]?.endChars ?? Number.POSITIVE_INFINITY) <= readChars; read++)
      this.#unreadBytes -= this.#unread[read]?.costBytes ?? 0;
    this.#unread.splice(0, read);
  }
}
