import { BroadcastChannel, threadId, workerData } from 'node:worker_threads';
import type { DeliveryStats } from '@logferry/core';

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

/** Shared by all copies of this package in the thread, ES module or CommonJS. */
const REGISTRY = Symbol.for('logferry.pino.streams');

/** Whether this thread is a worker that pino started (by thread-stream). */
export function isPinoWorker(): boolean {
  const data = workerData as { workerData?: { $context?: { threadStreamVersion?: string } } } | null;
  return data?.workerData?.$context?.threadStreamVersion !== undefined;
}

/** The user's options, without the two keys that pino adds to those of a single target. */
export function withoutPinoKeys<T extends object>(options: T): T {
  const own: T & { $context?: unknown; pinoWillSendConfig?: unknown } = { ...options };
  delete own.$context;
  delete own.pinoWillSendConfig;
  return own;
}

/** Lets `stats(transport)` in the application's thread read these counters. */
export function replyStats(read: ReadStats): void {
  const holder = globalThis as { [REGISTRY]?: ReadStats[] };
  holder[REGISTRY] ??= listen();
  holder[REGISTRY].push(read);
}

function listen(): ReadStats[] {
  const streams: ReadStats[] = [];
  const channel = new BroadcastChannel(STATS_CHANNEL);
  channel.onmessage = (message: unknown): void => {
    const { id, threadId: receiver } = (message as { readonly data: Partial<StatsRequest> }).data;
    if (id === undefined || receiver !== threadId) return;
    channel.postMessage({ requestId: id, stats: streams.map((read) => read()) } satisfies StatsReply);
  };
  return streams;
}
