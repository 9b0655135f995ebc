import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CloudWatchOptions } from '@logferry/cloudwatch';
import type {
  CloudWatchEmulator,
  CloudWatchEvent,
  CloudWatchStats,
  LogServiceEmulator,
  LogServiceEvent,
  LogServiceStats,
} from '@logferry/emulators';
import type { LogServiceOptions } from '@logferry/log-service';

/** A record as it was stored, with the text under the name that its framework gives it. */
type StoredRecord = Readonly<Record<string, unknown>>;

/** Faults that a way can meet; `quota` and `busy` only with Log Service. */
export type Fault = 'serverError' | 'throttle' | 'quota' | 'busy' | 'html' | 'reset' | 'hang' | 'lostAck';

interface FaultPlan extends Partial<Record<Fault, number>> {
  readonly next?: readonly (Fault | 'ok')[];
  readonly down?: boolean;
  readonly delayMs?: readonly [min: number, max: number];
  readonly retryAfterSeconds?: number;
}

/** The time of a stored event. */
export interface EventTime {
  /** In epoch milliseconds. */
  readonly ms: number;
  /** Position among the events of the millisecond, as far as the service knows it: else 0. */
  readonly order: number;
}

/** A cloud's emulator, in a process of its own. */
export interface RunningCloud<Options = object> {
  readonly port: number;
  /** Options that make a transport ship to it. */
  readonly options: Options;
  records(): Promise<readonly StoredRecord[]>;
  /** The records of each request that stored some, in order of arrival. */
  batches(): Promise<readonly (readonly StoredRecord[])[]>;
  /** The times of the stored events. */
  times(): Promise<readonly EventTime[]>;
  /** The log streams, or the topics, of the stored events. */
  routes(): Promise<readonly string[]>;
  /** Requests that carried data, with or without a response. */
  dataRequests(): Promise<number>;
  stats(): Promise<CloudWatchStats | LogServiceStats>;
  faults(plan?: FaultPlan): Promise<void>;
  close(): Promise<void>;
}

export interface Cloud<Options = object> {
  /** The entry point of the transports. */
  readonly name: 'cloudwatch' | 'log-service';
  readonly label: 'cloudwatch' | 'log-service' | 'signed log-service';
  /** The option that names the route of a record: its log stream, or its topic. */
  readonly routeOption: 'logStreamName' | 'topic';
  /** Most events that the service accepts in a request. */
  readonly maxEvents: number;
  /** Port 0, the default, is a free one. */
  start(port?: number): Promise<RunningCloud<Options>>;
}

const cloudWatch: Cloud<CloudWatchOptions> = {
  name: 'cloudwatch',
  label: 'cloudwatch',
  routeOption: 'logStreamName',
  maxEvents: 10_000,
  async start(port) {
    const { started, ask, close } = await forkEmulator<CloudWatchEmulator>('cloudwatch', port);
    const events = (): Promise<readonly CloudWatchEvent[]> => ask('events');
    const stats = (): Promise<CloudWatchStats> => ask('stats');
    return {
      port: Number(new URL(started.url).port),
      options: shipTo(started),
      records: async () => (await events()).map(({ message }) => parse(message)),
      batches: async () => byRequest(await events(), ({ message }) => parse(message)),
      times: async () => (await events()).map(({ timestamp }) => ({ ms: timestamp, order: 0 })),
      routes: async () => (await events()).map(({ logStreamName }) => logStreamName),
      dataRequests: async () => (await stats()).requests.PutLogEvents ?? 0,
      stats,
      faults: (plan) => ask('faults', plan),
      close,
    };
  },
};

const logService = logServiceBy({
  label: 'log-service',
  operation: 'PutWebTracking',
  optionsFor: ({ target }) => target,
  timeOf: ({ fields: { time = '', seq } }) => ({ ms: Date.parse(time), order: Number(seq) }),
});

/** The same with credentials. */
export const signedLogService: Cloud = logServiceBy({
  label: 'signed log-service',
  operation: 'PutLogs',
  optionsFor: ({ signedTarget }) => signedTarget,
  timeOf: ({ time, timeNs }) => ({ ms: time, order: timeNs }),
});

/** One of the two ways to write to Log Service. */
function logServiceBy({
  label,
  operation,
  optionsFor,
  timeOf,
}: {
  readonly label: Cloud['label'];
  readonly operation: string;
  readonly optionsFor: (started: LogServiceEmulator) => LogServiceOptions;
  readonly timeOf: (event: LogServiceEvent) => EventTime;
}): Cloud<LogServiceOptions> {
  return {
    name: 'log-service',
    label,
    routeOption: 'topic',
    maxEvents: 4096,
    async start(port) {
      const { started, ask, close } = await forkEmulator<LogServiceEmulator>('log-service', port);
      const events = (): Promise<readonly LogServiceEvent[]> => ask('events');
      const stats = (): Promise<LogServiceStats> => ask('stats');
      return {
        port: Number(new URL(started.url).port),
        options: optionsFor(started),
        records: async () => (await events()).map(({ fields }) => fields),
        batches: async () => byRequest(await events(), ({ fields }) => fields),
        times: async () => (await events()).map(timeOf),
        routes: async () => (await events()).map(({ topic }) => topic),
        dataRequests: async () => (await stats()).operations[operation] ?? 0,
        stats,
        faults: (plan) => ask('faults', plan),
        close,
      };
    },
  };
}

export const clouds: readonly Cloud[] = [cloudWatch, logService];

/** Options that make a transport ship to a CloudWatch emulator, without an environment variable. */
export function shipTo({ target }: Pick<CloudWatchEmulator, 'target'>): CloudWatchOptions {
  return { logGroupName: 'test', ...target };
}

/** A line that is no JSON object becomes the text of a record. */
function parse(message: string): StoredRecord {
  try {
    return Object(JSON.parse(message));
  } catch {
    return { message };
  }
}

function byRequest<Event extends { readonly requestId: string }>(
  events: readonly Event[],
  toRecord: (event: Event) => StoredRecord,
): StoredRecord[][] {
  const batches = new Map<string, StoredRecord[]>();
  for (const event of events) {
    const batch = batches.get(event.requestId);
    if (batch) batch.push(toRecord(event));
    else batches.set(event.requestId, [toRecord(event)]);
  }
  return [...batches.values()];
}

async function forkEmulator<Emulator>(
  name: Cloud['name'],
  port = 0,
): Promise<{
  started: Emulator;
  ask: <Reply>(call: string, argument?: unknown) => Promise<Reply>;
  close(): Promise<void>;
}> {
  const file = fileURLToPath(new URL('emulator-child.js', import.meta.url));
  const child = fork(file, [name, String(port)], { serialization: 'advanced' });
  const [started] = (await once(child, 'message')) as [Emulator];
  let lastId = 0;
  const questions = new Map<number, (result: unknown) => void>();
  child.on('message', ({ id, result }: { readonly id: number; readonly result: unknown }) =>
    questions.get(id)?.(result),
  );
  return {
    started,
    async ask<Reply>(call: string, argument?: unknown) {
      const id = ++lastId;
      const result = await new Promise((resolve) => {
        questions.set(id, resolve);
        child.send({ id, call, argument });
      });
      questions.delete(id);
      return result as Reply;
    },
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
