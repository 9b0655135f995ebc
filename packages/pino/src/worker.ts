import { BroadcastChannel, threadId, workerData } from 'node:worker_threads';
import { type DeliveryReport, type FlushOptions, guarded, sharedState } from '@logferry/core';

/**
 * A broadcast channel, not the worker's `parentPort`: pino's side of that port ends the worker for a message that it does not know.
 */
export const CALLS_CHANNEL = 'logferry.pino.calls';

/** What the application's thread asks of all Logferry streams in a worker. */
export interface WorkerCall {
  readonly id: string;
  readonly threadId: number;
  readonly method: 'flush' | 'close';
  readonly options?: FlushOptions;
}

/** A call is answered twice: at once, and with its results. */
export interface WorkerReply {
  /** Id of the call that this replies to. */
  readonly callId: string;
  /** One of each stream in the worker. */
  readonly results?: readonly DeliveryReport[];
}

/** A Logferry stream, as a call from the application's thread reaches it. */
export interface CalledStream {
  /** Delivers the lines that the worker has read. */
  flush(options: FlushOptions): Promise<DeliveryReport>;
  /** The same, and counts what comes later as `closed`. The stream stays open: pino ends it. */
  close(options: FlushOptions): Promise<DeliveryReport>;
}

/** The streams of this thread. */
const streams = sharedState<CalledStream[]>('pino.streams', () => []);

/** The options of `pino.transport()`, as they come to the worker by thread-stream. */
interface PinoWorkerData {
  readonly $context?: { readonly threadStreamVersion?: string };
  readonly pipelines?: readonly unknown[];
  readonly levels?: Readonly<Record<string, number>>;
}

function pinoWorkerData(): PinoWorkerData | undefined {
  return (workerData as { readonly workerData?: PinoWorkerData } | null)?.workerData;
}

/** Whether this thread is a worker that pino started (by thread-stream). */
export function isPinoWorker(): boolean {
  return pinoWorkerData()?.$context?.threadStreamVersion !== undefined;
}

/** Whether lines may pass the stages of a pipeline in this worker. */
export function hasPipeline(): boolean {
  return (pinoWorkerData()?.pipelines?.length ?? 0) > 0;
}

/** The option `levels` of `pino.transport()`; pino sets it to `customLevels` for a logger made with `{ transport }`. */
export function levelsOfTransport(): Readonly<Record<string, number>> {
  return pinoWorkerData()?.levels ?? {};
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

/** Lets the application's thread call this stream by `flush(transport)` and `close(transport)`. */
export function answerCalls(stream: CalledStream): void {
  if (streams.length === 0) listen();
  streams.push(stream);
}

function listen(): void {
  const channel = new BroadcastChannel(CALLS_CHANNEL);
  channel.onmessage = guarded(async (message: unknown) => {
    const { id, threadId: receiver, method, options = {} } = (message as { readonly data: Partial<WorkerCall> }).data;
    if (id === undefined || method === undefined || receiver !== threadId) return;
    const reply = (results?: WorkerReply['results']): void =>
      channel.postMessage({ callId: id, ...(results && { results }) } satisfies WorkerReply);
    reply();
    reply(await Promise.all(streams.map((stream) => stream[method](options))));
  });
}
