import { BroadcastChannel, threadId, workerData } from 'node:worker_threads';
import { type DeliveryStats, guarded, sharedState } from '@logferry/core';

/**
 * A broadcast channel, not the worker's `parentPort`: the first listener on that port starts it, and messages from pino to a
 * target that does not listen yet would be lost.
 */
export const STATS_CHANNEL = 'logferry.pino.stats';

/** Asks a worker thread for the counters of its streams. */
export interface StatsRequest {
  readonly id: string;
  readonly threadId: number;
}

/** The counters of every stream in the worker. */
export interface StatsReply {
  /** Id of the request that this replies to. */
  readonly requestId: string;
  readonly stats: readonly DeliveryStats[];
}

type ReadStats = () => DeliveryStats;

/** The streams of this thread. */
const streams = sharedState<ReadStats[]>('pino.streams', () => []);

/** Whether this thread is a worker that pino started (by thread-stream). */
export function isPinoWorker(): boolean {
  const data = workerData as { workerData?: { $context?: { threadStreamVersion?: string } } } | null;
  return data?.workerData?.$context?.threadStreamVersion !== undefined;
}

/** The keys that pino and its thread-stream add to the options of a single target, in all versions of the peer range. */
export const hostKeys: readonly string[] = ['$context', 'pinoWillSendConfig', 'levels', 'dedupe'];

/**
 * The user's options, without the keys that pino added. It adds the first two to the options of each single target in a worker.
 * Elsewhere all keys are the user's.
 */
export function withoutHostKeys<T extends object>(options: T): T {
  if (options === null || typeof options !== 'object') return options;
  if (!('$context' in options || 'pinoWillSendConfig' in options)) return options;
  return Object.fromEntries(Object.entries(options).filter(([key]) => !hostKeys.includes(key))) as T;
}

/** Lets `stats(transport)` in the application's thread read these counters. */
export function replyStats(read: ReadStats): void {
  if (streams.length === 0) listen();
  streams.push(read);
}

function listen(): void {
  const channel = new BroadcastChannel(STATS_CHANNEL);
  channel.onmessage = guarded((message: unknown): void => {
    const { id, threadId: receiver } = (message as { readonly data: Partial<StatsRequest> }).data;
    if (id === undefined || receiver !== threadId) return;
    channel.postMessage({ requestId: id, stats: streams.map((read) => read()) } satisfies StatsReply);
  });
}
