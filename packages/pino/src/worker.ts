import { BroadcastChannel, threadId, workerData } from 'node:worker_threads';
import { type DeliveryReport, delay, type FlushOptions, guarded, sharedState, systemClock } from '@logferry/core';

/**
 * A broadcast channel, not the worker's `parentPort`: pino's side of that port ends the worker for a message that it does not know.
 */
export const CALLS_CHANNEL = 'logferry.pino.calls';

/** What the application's thread asks of all Logferry streams in a worker. */
export interface WorkerCall {
  readonly id: string;
  readonly threadId: number;
  /** `read`: wait for the lines that the worker has not read. */
  readonly method: 'read' | 'flush' | 'close';
  readonly options?: FlushOptions;
}

/** What a worker replies to a call. */
export interface WorkerReplies {
  /** At once: there is a Logferry stream. */
  readonly heard: true;
  readonly read: LinesRead;
  /** All that has reached the streams is delivered, or at its deadline: now the worker can be ended. */
  readonly endDue: true;
  /** Of each stream in the worker. Those of `close` come after the worker was told to end, once its streams have. */
  readonly reports: readonly DeliveryReport[];
  /** Why there are no reports. */
  readonly failure: string;
}

/** Replies come one by one. */
export interface WorkerReply extends Partial<WorkerReplies> {
  /** Id of the call that this replies to. */
  readonly callId: string;
}

/** `due`: the lines that were there when the call came. `all`: and what came since. `some`: at the deadline lines were left. */
type LinesRead = 'some' | 'due' | 'all';

/** A Logferry stream, as a call from the application's thread reaches it. */
export interface CalledStream {
  /** Delivers the lines that the worker has read. */
  flush(options: FlushOptions): Promise<DeliveryReport>;
  /** The same, within the time of a `close`, which begins now. The stream takes lines until pino ends it. */
  beforeEnd(options: FlushOptions): Promise<unknown>;
  /** Called when pino is about to end the worker. The report of the end of the stream; rejects if its input does not end in time. */
  ended(): Promise<DeliveryReport>;
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
    const reply = (content: Partial<WorkerReplies>): void =>
      channel.postMessage({ callId: id, ...content } satisfies WorkerReply);
    const ofEach = <T>(act: (stream: CalledStream) => Promise<T>): Promise<T[]> => Promise.all(streams.map(act));
    reply({ heard: true });
    try {
      if (method === 'read') return reply({ read: await readLines(options) });
      if (method === 'flush') return reply({ reports: await ofEach((stream) => stream.flush(options)) });
      await ofEach((stream) => stream.beforeEnd(options));
      const ended = ofEach((stream) => stream.ended());
      reply({ endDue: true });
      reply({ reports: await ended });
    } catch (error) {
      reply({ failure: (error as Error).message });
    }
  });
}

/**
 * Waits for thread-stream, which tells no event when it has read all lines: it may wait for the stages of a pipeline to take more. Looks
 * at its positions in the memory that both threads share.
 */
async function readLines({ timeoutMs = Number.POSITIVE_INFINITY }: FlushOptions): Promise<LinesRead> {
  const state = new Int32Array((workerData as { readonly stateBuf: SharedArrayBuffer }).stateBuf);
  const readTo = (): number => Atomics.load(state, READ_INDEX);
  const writtenTo = (): number => Atomics.load(state, WRITE_INDEX);
  const startedMs = systemClock.monotonic();
  const due = writtenTo();
  for (let seen = readTo(); ; await delay(READ_POLL_MS)) {
    const now = readTo();
    if (now === writtenTo()) return 'all';
    // The positions begin again at 0 once all up to the end of the memory is read.
    if (now >= due || now < seen) return 'due';
    seen = now;
    if (systemClock.monotonic() - startedMs >= timeoutMs) return 'some';
  }
}

/** Places in the shared memory of thread-stream: how far lines are written, and read. The same in all versions of the peer range. */
const WRITE_INDEX = 4;
const READ_INDEX = 8;

const READ_POLL_MS = 1;
