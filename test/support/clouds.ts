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

/** A cloud's emulator, in a process of its own. */
export interface RunningCloud<Options = object> {
  /** Options that make a transport ship to it. */
  readonly options: Options;
  records(): Promise<readonly StoredRecord[]>;
  /** The times of the events as the service knows them, in epoch milliseconds. */
  times(): Promise<readonly number[]>;
  /** Requests that carried data, answered or not. */
  dataRequests(): Promise<number>;
  stats(): Promise<CloudWatchStats | LogServiceStats>;
  /** Faults that both emulators know, by probability. */
  faults(
    plan?: Partial<Record<'serverError' | 'throttle' | 'quota' | 'busy' | 'reset' | 'hang', number>> & {
      down?: boolean;
    },
  ): Promise<void>;
  close(): Promise<void>;
}

export interface Cloud<Options = object> {
  readonly name: 'cloudwatch' | 'log-service';
  /** Most events that the service takes in a request. */
  readonly maxEvents: number;
  start(): Promise<RunningCloud<Options>>;
}

const cloudWatch: Cloud<CloudWatchOptions> = {
  name: 'cloudwatch',
  maxEvents: 10_000,
  async start() {
    const { started, ask, close } = await forkEmulator<CloudWatchEmulator>('cloudwatch');
    const events = (): Promise<readonly CloudWatchEvent[]> => ask('events');
    const stats = (): Promise<CloudWatchStats> => ask('stats');
    return {
      options: shipTo(started),
      records: async () => (await events()).map(({ message }) => parse(message)),
      times: async () => (await events()).map(({ timestamp }) => timestamp),
      dataRequests: async () => (await stats()).requests.PutLogEvents ?? 0,
      stats,
      faults: (plan) => ask('faults', plan),
      close,
    };
  },
};

const logService: Cloud<LogServiceOptions> = {
  name: 'log-service',
  maxEvents: 4096,
  async start() {
    const { started, ask, close } = await forkEmulator<LogServiceEmulator>('log-service');
    const events = (): Promise<readonly LogServiceEvent[]> => ask('events');
    const stats = (): Promise<LogServiceStats> => ask('stats');
    return {
      options: started.target,
      records: async () => (await events()).map(({ fields }) => fields),
      times: async () => (await events()).map(({ fields }) => Date.parse(fields.time ?? '')),
      dataRequests: async () => (await stats()).requests,
      stats,
      faults: (plan) => ask('faults', plan),
      close,
    };
  },
};

export const clouds: readonly Cloud[] = [cloudWatch, logService];

/** Options that make a transport ship to a CloudWatch emulator, without an environment variable. */
export function shipTo({ url, env }: Pick<CloudWatchEmulator, 'url' | 'env'>): CloudWatchOptions {
  return {
    logGroupName: 'test',
    endpoint: url,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  };
}

/** A line that is no JSON object has a text only. */
function parse(message: string): StoredRecord {
  try {
    return Object(JSON.parse(message));
  } catch {
    return { message };
  }
}

async function forkEmulator<Emulator>(name: Cloud['name']): Promise<{
  started: Emulator;
  ask: <Answer>(call: string, argument?: unknown) => Promise<Answer>;
  close(): Promise<void>;
}> {
  const file = fileURLToPath(new URL('emulator-child.js', import.meta.url));
  const child = fork(file, [name], { serialization: 'advanced' });
  const [started] = (await once(child, 'message')) as [Emulator];
  let lastId = 0;
  return {
    started,
    async ask<Answer>(call: string, argument?: unknown) {
      const id = ++lastId;
      child.send({ id, call, argument });
      for (;;) {
        const [answer] = (await once(child, 'message')) as [{ id: number; result: Answer }];
        if (answer.id === id) return answer.result;
      }
    },
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
