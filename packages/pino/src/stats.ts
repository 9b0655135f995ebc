import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { BroadcastChannel } from 'node:worker_threads';
import { type DeliveryStats, sumStats, wrongOption } from '@logferry/core';
import { STATS_CHANNEL, type StatsReply, type StatsRequest } from './worker.js';

const PATIENCE_MS = 5000;

/**
 * Reads the counters of a stream. Of a worker it asks: several Logferry targets or pipelines in one worker are counted
 * together. Rejects when the worker has ended, or does not answer within 5 s, since it cannot start or has no Logferry
 * target.
 *
 * @param transport what `pino.transport()` returned, or a stream of this package
 */
export async function stats(transport: EventEmitter): Promise<DeliveryStats> {
  if (isStream(transport)) return transport.stats();
  if (isThread(transport)) return sumStats(await ask(transport));
  throw wrongOption('transport', 'what pino.transport() returned, or a stream of @logferry/pino', transport);
}

/** The part of pino's ThreadStream that is used here; pino exports no type for it. */
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
    const question: StatsRequest = { request: randomUUID(), threadId: thread.worker.threadId };
    const channel = new BroadcastChannel(STATS_CHANNEL);
    const post = (): void => channel.postMessage(question);
    const finish = (outcome: () => void): void => {
      clearTimeout(timer);
      thread.off('ready', post).off('close', ended);
      channel.close();
      outcome();
    };
    const fail = (why: string) => (): void => finish(() => reject(new Error(`[logferry] stats: ${why}`)));
    const ended = fail('the worker has ended');
    const timer = setTimeout(fail(`no answer from the worker in ${PATIENCE_MS} ms`), PATIENCE_MS);
    channel.onmessage = (message: unknown): void => {
      const { reply: answer, stats } = (message as { readonly data: Partial<StatsReply> }).data;
      if (answer === question.request && stats) finish(() => resolve(stats));
    };
    thread.once('close', ended);
    if (thread.ready) post();
    else thread.once('ready', post);
  });
}
