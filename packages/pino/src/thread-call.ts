import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { BroadcastChannel } from 'node:worker_threads';
import { type DeliveryReport, guarded, isWorkerStream, systemClock, type WorkerStream, warn } from '@logferry/core';
import { CALLS_CHANNEL, type WorkerCall, type WorkerReply } from './worker.js';

/** Longest wait for the worker's first reply. */
const REPLY_TIMEOUT_MS = 5000;

/** Longest wait for a result after the deadline that the worker was told. */
const GRACE_MS = 1000;

/** The members of pino's ThreadStream that are used here; pino exports no type for it. */
export interface Thread extends Pick<WorkerStream, 'worker' | 'ready' | 'destroyed'>, EventEmitter {
  readonly writableNeedDrain: boolean;
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
  /** Holds the process. */
  readonly #channel = new BroadcastChannel(CALLS_CHANNEL);
  readonly #timeoutMs: number | undefined;
  readonly #startedMs = systemClock.monotonic();

  private constructor(thread: Thread, name: string, timeoutMs: number | undefined) {
    this.#thread = thread;
    this.#name = name;
    this.#timeoutMs = timeoutMs;
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
      call.#channel.close();
    }
  }

  /** Returns once the worker has read all lines that were logged so far. At the deadline some may be left. */
  async handOver(): Promise<void> {
    // Only lines that have no room in the shared memory are waited for: the rest is read at once, and pino waits for it the same way.
    if (this.#thread.writableNeedDrain) {
      const isDrained = await this.#until<true>(this.#restMs(), (settle) => this.#once('drain', () => settle(true)));
      if (!isDrained) return;
    }
    try {
      this.#thread.flushSync();
    } catch (cause) {
      throw this.#error('the worker does not read its lines', cause);
    }
  }

  /** Calls the streams, and returns what each replied. */
  async ask(method: WorkerCall['method']): Promise<readonly DeliveryReport[]> {
    const timeoutMs = this.#restMs();
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    const call: WorkerCall = { id: randomUUID(), threadId: this.#thread.worker.threadId, method, options };
    let isHeard = (): void => {};
    const heard = new Promise<void>((resolve) => {
      isHeard = resolve;
    });
    const result = new Promise<readonly DeliveryReport[]>((resolve) => {
      this.#channel.onmessage = guarded((message: unknown): void => {
        const { callId, results } = (message as { readonly data: Partial<WorkerReply> }).data;
        if (callId !== call.id) return;
        isHeard();
        if (results) resolve(results);
      });
    });
    this.#channel.postMessage(call);
    await this.#reply(heard, REPLY_TIMEOUT_MS);
    return this.#reply(result, timeoutMs === undefined ? undefined : timeoutMs + GRACE_MS);
  }

  /** Ends the worker, and returns once it has ended. */
  async end(): Promise<void> {
    const thread = this.#thread;
    let isTold = false;
    // A line that is logged from now on makes pino's stream emit an error, which would end the process.
    thread.on(
      'error',
      guarded(() => {
        if (isTold || thread.writableErrored) return;
        isTold = true;
        warn('a record that is logged after close(transport) is lost');
      }),
    );
    const closed = new Promise<void>((resolve) => thread.once('close', resolve));
    thread.end();
    await closed;
    if (thread.writableErrored) throw this.#error('the worker has failed at its end', thread.writableErrored);
  }

  async #started(): Promise<void> {
    const limitMs = this.#timeoutMs;
    const isReady = await this.#until<true>(limitMs, (settle) => this.#once('ready', () => settle(true)));
    if (!isReady) throw this.#error(`the worker has not started in ${limitMs} ms`);
  }

  async #reply<T>(reply: Promise<T>, limitMs: number | undefined): Promise<T> {
    const value = await this.#until<{ readonly reply: T }>(limitMs, (settle) => {
      reply.then((value) => settle({ reply: value }));
      return () => {};
    });
    if (!value) throw this.#error(`no reply from the worker in ${limitMs} ms`);
    return value.reply;
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

  #restMs(): number | undefined {
    if (this.#timeoutMs === undefined) return undefined;
    return Math.max(0, this.#timeoutMs - (systemClock.monotonic() - this.#startedMs));
  }

  #ended(): Error {
    return this.#error('the worker has ended', this.#thread.writableErrored ?? undefined);
  }

  #error(reason: string, cause?: unknown): Error {
    return new Error(`[logferry] ${this.#name}: ${reason}`, cause === undefined ? undefined : { cause });
  }
}
