import { randomUUID } from 'node:crypto';
import { BroadcastChannel, threadId } from 'node:worker_threads';
import { statsByDestination } from '../accounting/listing.js';
import type { DeliveryStats } from '../accounting/stats.js';
import { guarded } from '../tools/guarded.js';
import { sharedState } from '../tools/shared-state.js';
import { systemClock } from '../tools/system-clock.js';
import { joinChannel } from './join-channel.js';

/** The members of a stream to a worker thread that are read here: of thread-stream's, which `pino.transport()` returns. */
export interface WorkerStream {
  once(event: string, listener: () => void): WorkerStream;
  off(event: string, listener: () => void): WorkerStream;
  readonly worker: { readonly threadId: number };
  readonly ready: boolean;
  readonly destroyed: boolean;
}

export function isWorkerStream(value: unknown): value is WorkerStream {
  const { worker, ready, destroyed } = (value ?? {}) as Partial<WorkerStream>;
  return typeof worker?.threadId === 'number' && typeof ready === 'boolean' && typeof destroyed === 'boolean';
}

/**
 * Asks a worker thread that has called {@link replyStats} for the counters of its shippers, by destination. Rejects when the worker
 * has ended, or does not reply within 5 s.
 */
export function statsOfWorker(stream: WorkerStream): Promise<ReadonlyMap<string, DeliveryStats>> {
  if (stream.destroyed) return Promise.reject(new Error('[logferry] stats: the worker has ended'));
  return new Promise((resolve, reject) => {
    const request: StatsRequest = { id: randomUUID(), threadId: stream.worker.threadId };
    const channel = joinChannel(CHANNEL, (reply) => {
      const { requestId, stats } = reply as Partial<StatsReply>;
      if (requestId === request.id && stats) finish(() => resolve(stats));
    });
    const post = guarded(() => channel.post(request));
    const finish = (outcome: () => void): void => {
      timer.cancel();
      stream.off('ready', post).off('close', onClose);
      channel.leave();
      outcome();
    };
    const fail = (reason: string): void => finish(() => reject(new Error(`[logferry] stats: ${reason}`)));
    const onClose = guarded(() => fail('the worker has ended'));
    const onTimeout = (): void => fail(`no reply from the worker in ${REPLY_TIMEOUT_MS} ms`);
    const timer = systemClock.setTimer(onTimeout, REPLY_TIMEOUT_MS);
    stream.once('close', onClose);
    if (stream.ready) post();
    else stream.once('ready', post);
  });
}

/** Lets {@link statsOfWorker} in another thread read the counters of the shippers of this one. */
export function replyStats(): void {
  if (replies.areOn) return;
  replies.areOn = true;
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = guarded((message: unknown): void => {
    const { id, threadId: receiver } = (message as { readonly data: Partial<StatsRequest> }).data;
    if (id === undefined || receiver !== threadId) return;
    channel.postMessage({ requestId: id, stats: statsByDestination() } satisfies StatsReply);
  });
}

/**
 * A broadcast channel, not the worker's `parentPort`: the first listener on that port starts it, and messages to a target that does
 * not listen yet would be lost.
 */
const CHANNEL = 'logferry.stats';

/** Longest wait for the worker's reply. */
const REPLY_TIMEOUT_MS = 5000;

interface StatsRequest {
  readonly id: string;
  readonly threadId: number;
}

interface StatsReply {
  /** Id of the request that this replies to. */
  readonly requestId: string;
  readonly stats: ReadonlyMap<string, DeliveryStats>;
}

/** Of all copies of this package in this thread. */
const replies = sharedState('statsReplies', () => ({ areOn: false }));
