import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import {
  type DeliveryReport,
  guarded,
  isWorkerStream,
  type JoinedChannel,
  joinChannel,
  nextTurn,
  systemClock,
  type WorkerStream,
} from '@logferry/core';
import { CALLS_CHANNEL, type WorkerCall, type WorkerReplies, type WorkerReply } from './worker.js';

/** Longest wait for the worker's first reply. */
const MAX_REPLY_MS = 5000;

/** A worker that has nothing to do replies in this time: also a shorter `timeoutMs` waits for it. */
const MIN_REPLY_MS = 250;

/** Longest wait for the worker to read its lines, if `timeoutMs` states none: pino's own. */
const MAX_READ_MS = 10_000;

/** Longest wait for a reply after the deadline that the worker was told. */
const GRACE_MS = 1000;

/** The members of pino's ThreadStream that are used here; pino exports no type for it. */
export interface Thread extends Pick<WorkerStream, 'worker' | 'ready' | 'destroyed'>, EventEmitter {
  readonly writableNeedDrain: boolean;
  readonly writableEnded: boolean;
  readonly writableErrored: unknown;
  flushSync(): void;
  end(): void;
}

export function isThread(transport: unknown): transport is Thread {
  return isWorkerStream(transport);
}

/** A call from the application's thread to the Logferry streams of one worker. Holds the process, and the transport, until it ends. */
export class ThreadCall {
  readonly #thread: Thread;
  readonly #name: string;
  readonly #id = randomUUID();
  readonly #channel: JoinedChannel;
  readonly #timeoutMs: number | undefined;
  readonly #startedMs = systemClock.monotonic();
  /** What has come so far. */
  #replies: Partial<WorkerReplies> = {};
  #onReply = (): void => {};

  private constructor(thread: Thread, name: string, timeoutMs: number | undefined) {
    this.#thread = thread;
    this.#name = name;
    this.#timeoutMs = timeoutMs;
    this.#channel = joinChannel(CALLS_CHANNEL, (reply) => {
      const { callId, ...replies } = reply as Partial<WorkerReply>;
      if (callId !== this.#id) return;
      this.#replies = { ...this.#replies, ...replies };
      this.#onReply();
    });
  }

  /**
   * Runs a call once the worker has started. Rejects when the worker ends meanwhile.
   *
   * @param name the function that the application has called, for errors
   */
  static async run<T>(
    thread: Thread,
    name: string,
    act: (call: ThreadCall) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    const call = new ThreadCall(thread, name, timeoutMs);
    try {
      if (!thread.ready) await call.#started();
      return await act(call);
    } finally {
      call.#channel.leave();
    }
  }

  /** Delivers what was logged before the call. */
  async flush(): Promise<readonly DeliveryReport[]> {
    await this.#handOver();
    await this.#ask('flush', this.#restMs());
    return this.#reply('reports', this.#restMs(GRACE_MS));
  }

  /**
   * The same; then it ends the worker, and returns once it has ended. What has reached the streams is delivered before, so that the thread
   * is not blocked by that: for the end pino blocks it, until the stages of pipelines have passed on what they hold, and that is delivered.
   *
   * @param onLate called for each record that is logged after the end
   */
  async close(onLate: () => void): Promise<readonly DeliveryReport[]> {
    const thread = this.#thread;
    if (!(await this.#handOver())) throw this.#error('the worker has not read its lines before the deadline');
    await this.#ask('close', this.#restMs());
    await this.#reply('endDue', this.#restMs(GRACE_MS));
    // A line that is logged from now on makes pino's stream emit an error, which would end the process.
    thread.on(
      'error',
      guarded(() => {
        if (!thread.writableErrored) onLate();
      }),
    );
    const closed = new Promise<void>((resolve) => thread.once('close', resolve));
    thread.end();
    await closed;
    // The last replies may come with the end.
    await nextTurn();
    const { reports, failure } = this.#replies;
    const cause = thread.writableErrored ?? (failure === undefined ? undefined : new Error(failure));
    if (reports && !cause) return reports;
    throw this.#error('the worker has failed at its end', cause ?? new Error('a Logferry stream of it was not ended'));
  }

  async #started(): Promise<void> {
    const limitMs = this.#timeoutMs;
    const isReady = await this.#until<true>(limitMs, (settle) => this.#once('ready', () => settle(true)));
    if (!isReady) throw this.#error(`the worker has not started in ${limitMs} ms`);
  }

  /** Returns once the worker has read all lines that were logged so far. False: at the deadline some are left. */
  async #handOver(): Promise<boolean> {
    const thread = this.#thread;
    if (thread.writableNeedDrain) {
      const isDrained = await this.#until<true>(this.#restMs(), (settle) => this.#once('drain', () => settle(true)));
      if (!isDrained) return false;
    }
    // pino writes to the shared memory at the end of the turn.
    await nextTurn();
    const limitMs = Math.max(MIN_REPLY_MS, this.#restMs() ?? MAX_READ_MS);
    await this.#ask('read', limitMs);
    const read = await this.#reply('read', limitMs + GRACE_MS);
    try {
      // Blocks the thread until all is read, for 10 s if the worker is stuck. Here there is next to nothing to wait for.
      if (read === 'all') thread.flushSync();
    } catch (cause) {
      throw this.#error('the worker does not read its lines', cause);
    }
    if (read === 'some' && this.#timeoutMs === undefined) throw this.#error('the worker does not read its lines');
    return read !== 'some';
  }

  /** Calls the streams, and returns once the worker has heard the first call. */
  async #ask(method: WorkerCall['method'], timeoutMs: number | undefined): Promise<void> {
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    const call: WorkerCall = { id: this.#id, threadId: this.#thread.worker.threadId, method, options };
    this.#channel.post(call);
    await this.#reply('heard', Math.min(MAX_REPLY_MS, Math.max(MIN_REPLY_MS, timeoutMs ?? MAX_REPLY_MS)));
  }

  async #reply<Name extends Exclude<keyof WorkerReplies, 'failure'>>(
    name: Name,
    limitMs: number | undefined,
  ): Promise<WorkerReplies[Name]> {
    const isThere = (): boolean => this.#replies[name] !== undefined || this.#replies.failure !== undefined;
    if (!isThere())
      await this.#until<true>(limitMs, (settle) => {
        this.#onReply = () => isThere() && settle(true);
        return () => {
          this.#onReply = () => {};
        };
      });
    const { [name]: reply, failure } = this.#replies;
    if (failure !== undefined) throw this.#error('the worker has failed', new Error(failure));
    if (reply === undefined) throw this.#error(`no reply from the worker in ${Math.round(Number(limitMs))} ms`);
    return reply as WorkerReplies[Name];
  }

  #once(event: string, listener: () => void): () => void {
    this.#thread.once(event, listener);
    return () => void this.#thread.off(event, listener);
  }

  /** Undefined after the limit. Rejects when the worker ends. */
  #until<T>(limitMs: number | undefined, begin: (settle: (value: T) => void) => () => void): Promise<T | undefined> {
    if (this.#thread.destroyed) return Promise.reject(this.#ended());
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        timer?.cancel();
        stopClose();
        stop();
        settle();
      };
      const timer =
        limitMs === undefined
          ? undefined
          : systemClock.setTimer(() => finish(() => resolve(undefined)), Math.max(0, limitMs));
      const stopClose = this.#once(
        'close',
        guarded(() => finish(() => reject(this.#ended()))),
      );
      const stop = begin(guarded((value: T) => finish(() => resolve(value))));
    });
  }

  /** The time that is left, and more. */
  #restMs(moreMs = 0): number | undefined {
    if (this.#timeoutMs === undefined) return undefined;
    return Math.max(0, this.#timeoutMs - (systemClock.monotonic() - this.#startedMs)) + moreMs;
  }

  #ended(): Error {
    const { writableErrored, writableEnded } = this.#thread;
    const reason = writableEnded ? 'transport.end() was called, or the process ends' : 'it has exited by itself';
    return this.#error('the worker has ended', writableErrored ?? new Error(reason));
  }

  #error(reason: string, cause?: unknown): Error {
    return new Error(`[logferry] ${this.#name}: ${reason}`, cause === undefined ? undefined : { cause });
  }
}
