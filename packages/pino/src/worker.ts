import { BroadcastChannel, threadId, workerData } from 'node:worker_threads';
import type { DeliveryStats } from '@logferry/core';

/**
 * Questions do not go through the worker's `parentPort`: its first listener starts it, and messages that pino has sent
 * to a target which is not listening yet would be lost.
 */
export const STATS_CHANNEL = 'logferry.pino.stats';

/** Asks the streams of one worker thread for their counters. */
export interface StatsRequest {
  readonly request: string;
  readonly threadId: number;
}

/** The counters of every stream in the worker. */
export interface StatsReply {
  readonly reply: string;
  readonly stats: readonly DeliveryStats[];
}

type ReadStats = () => DeliveryStats;

/** Shared by all copies of this package in the thread, ES module or CommonJS. */
const REGISTRY = Symbol.for('logferry.pino.streams');

/** Whether this code runs in a worker that pino (by way of thread-stream) started, rather than in the application. */
export function isPinoWorker(): boolean {
  const data = workerData as { workerData?: { $context?: { threadStreamVersion?: string } } } | null;
  return data?.workerData?.$context?.threadStreamVersion !== undefined;
}

/** What the user gave: pino adds two keys to the options of a single target. */
export function withoutPinoKeys<T extends object>(options: T): T {
  const own: T & { $context?: unknown; pinoWillSendConfig?: unknown } = { ...options };
  delete own.$context;
  delete own.pinoWillSendConfig;
  return own;
}

/** Lets `stats(transport)` on the other side read these counters. */
export function replyStats(read: ReadStats): void {
  const holder = globalThis as { [REGISTRY]?: ReadStats[] };
  holder[REGISTRY] ??= listen();
  holder[REGISTRY].push(read);
}

function listen(): ReadStats[] {
  const streams: ReadStats[] = [];
  const channel = new BroadcastChannel(STATS_CHANNEL);
  channel.onmessage = (message: unknown): void => {
    const { request: question, threadId: asked } = (message as { readonly data: Partial<StatsRequest> }).data;
    if (question === undefined || asked !== threadId) return;
    const answer: StatsReply = { reply: question, stats: streams.map((read) => read()) };
    channel.postMessage(answer);
  };
  return streams;
}
