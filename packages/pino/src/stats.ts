import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { BroadcastChannel } from 'node:worker_threads';
import { type DeliveryStats, guarded, sumStats, systemClock, wrongOption } from '@logferry/core';
import { STATS_CHANNEL, type StatsReply, type StatsRequest } from './worker.js';

/** Longest wait for the worker's reply. */
const REPLY_TIMEOUT_MS = 5000;

/**
 * Reads the counters of a stream, or asks a worker thread for those of all its Logferry streams, added up. Rejects when the
 * worker has ended, or does not reply within 5 s, as a worker without a Logferry target does. Rejects with `ConfigError` for
 * any other object.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 */
export async function stats(transport: EventEmitter): Promise<DeliveryStats> {
  if (isStream(transport)) return transport.stats();
  if (isThread(transport)) return sumStats(await ask(transport));
  throw wrongOption('transport', 'what pino.transport() returned, or a stream of @logferry/pino', transport);
}

/** The members of pino's ThreadStream that are used here; pino exports no type for it. */
interface Thread extends EventEmitter {
  readonly worker: { readonly threadId: number };
  readonly ready: boolean;
  readonly destroyed: boolean;
}

function isStream(transport: unknown): transport is { stats(): DeliveryStats } {
  return typeof (transport as { stats?: unknown } | undefined)?.stats === 'function';
}

function isThread(transport: unknown): transport is Thread {
  const { worker, ready, destroyed } = (transport ?? {}) as Partial<Thread>;
  return typeof worker?.threadId === 'number' && typeof ready === 'boolean' && typeof destroyed === 'boolean';
}

function ask(thread: Thread): Promise<readonly DeliveryStats[]> {
  if (thread.destroyed) return Promise.reject(new Error('[logferry] stats: the worker has ended'));
  return new Promise((resolve, reject) => {
    const request: StatsRequest = { id: randomUUID(), threadId: thread.worker.threadId };
    const channel = new BroadcastChannel(STATS_CHANNEL);
    const post = guarded(() => channel.postMessage(request));
    const finish = (outcome: () => void): void => {
      timer.cancel();
      thread.off('ready', post).off('close', onClose);
      channel.close();
      outcome();
    };
    const fail = (reason: string): void => finish(() => reject(new Error(`[logferry] stats: ${reason}`)));
    const onClose = guarded(() => fail('the worker has ended'));
    const onTimeout = (): void => fail(`no reply from the worker in ${REPLY_TIMEOUT_MS} ms`);
    const timer = systemClock.setTimer(onTimeout, REPLY_TIMEOUT_MS);
    channel.onmessage = guarded((message: unknown): void => {
      const { requestId, stats } = (message as { readonly data: Partial<StatsReply> }).data;
      if (requestId === request.id && stats) finish(() => resolve(stats));
    });
    thread.once('close', onClose);
    if (thread.ready) post();
    else thread.once('ready', post);
  });
}
