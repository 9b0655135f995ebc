import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { createShipper, type LogRecord } from '@logferry/core';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  type LogServiceEmulatorOptions,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import { createLogService, type LogServiceOptions } from '@logferry/log-service';
import { expect, onTestFinished } from 'vitest';
import type { CloudWatchTarget } from '../../src/tail/cloudwatch-source.js';
import type { LogServiceTarget } from '../../src/tail/log-service-source.js';
import { runTail, type TailOutput, type TailSettings, type TailTarget } from '../../src/tail/tail.js';

/** A running tail. */
export interface Tail {
  /** What was printed, without times. */
  lines(): string[];
  text(): string;
  readonly errors: readonly string[];
  readonly end: Promise<void>;
  /** Ends it by its signal. */
  stop(): Promise<void>;
}

/** Follows from the last hour on, unless told otherwise. */
export function tail(target: TailTarget, settings: Partial<TailSettings> = {}, output: Partial<TailOutput> = {}): Tail {
  const controller = new AbortController();
  const errors: string[] = [];
  let text = '';
  const end = runTail(
    target,
    { sinceMs: Date.now() - 3_600_000, follow: true, raw: false, pollMs: 20, ...settings },
    {
      hasColours: false,
      async out(more) {
        text += more;
      },
      error: (message) => errors.push(message),
      ...output,
    },
    controller.signal,
  );
  const stop = async (): Promise<void> => {
    controller.abort();
    await end;
  };
  end.catch(() => {});
  onTestFinished(() => {
    controller.abort();
  });
  return {
    lines: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => line.replace(/^(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3} /, '')),
    text: () => text,
    errors,
    end,
    stop,
  };
}

/** Resolves after some further requests for records, which would have printed what is printed twice. */
export async function looksAgain(emulator: CloudWatchEmulator | LogServiceEmulator, requests = 4): Promise<void> {
  const before = looks(emulator);
  await expect.poll(() => looks(emulator)).toBeGreaterThanOrEqual(before + requests);
}

/** Number of the requests for records so far. */
export function looks(emulator: CloudWatchEmulator | LogServiceEmulator): number {
  const stats = emulator.stats();
  return ('operations' in stats ? stats.operations.GetLogs : stats.requests.FilterLogEvents) ?? 0;
}

/** A CloudWatch Logs with the group `shop` and the streams `web-1` and `web-2`. */
export async function startShop(): Promise<{
  readonly emulator: CloudWatchEmulator;
  readonly target: CloudWatchTarget;
  put(logStreamName: string, ...events: readonly (readonly [timestamp: number, message: string])[]): Promise<void>;
}> {
  const emulator = await startCloudWatch({ strict: true });
  onTestFinished(() => emulator.close());
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region } = emulator.env;
  const connection = { endpoint: emulator.url, region, credentials: { accessKeyId, secretAccessKey } };
  const client = new CloudWatchLogsClient(connection);
  onTestFinished(() => client.destroy());
  const logGroupName = 'shop';
  await client.send(new CreateLogGroupCommand({ logGroupName }));
  for (const logStreamName of ['web-1', 'web-2'])
    await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return {
    emulator,
    target: { cloud: 'cloudwatch', logGroupName, ...connection },
    async put(logStreamName, ...events) {
      const logEvents = events.map(([timestamp, message]) => ({ timestamp, message }));
      await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    },
  };
}

/** A Log Service with the logstore `web`, which has an index. */
export async function startLogstore(options: LogServiceEmulatorOptions = {}): Promise<{
  readonly emulator: LogServiceEmulator;
  readonly target: LogServiceTarget;
  /** Ships records by the destination of the transports. */
  ship(records: readonly Partial<LogRecord>[], options?: Partial<LogServiceOptions>): Promise<void>;
}> {
  const emulator = await startLogService({ strict: true, ...options });
  onTestFinished(() => emulator.close());
  const { env } = emulator;
  const credentials = {
    accessKeyId: env.ALIBABA_CLOUD_ACCESS_KEY_ID,
    accessKeySecret: env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
  };
  const place = { endpoint: emulator.url, project: emulator.target.project, logstore: 'web' };
  const ship = async (records: readonly Partial<LogRecord>[], options: Partial<LogServiceOptions> = {}) => {
    const index = options.createMissing ? {} : { createMissing: true, index: true };
    const signed = 'credentials' in options ? {} : { credentials, ...index };
    const shipper = createShipper(createLogService({ ...place, ...signed, ...options }));
    for (const record of records)
      shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: '', fields: {}, ...record });
    expect(await shipper.close()).toMatchObject({ pending: 0 });
  };
  await ship([{ time: Date.now() - 2 * 3_600_000, fields: { msg: 'too old' } }]);
  emulator.webTracking('web', true);
  return { emulator, target: { cloud: 'log-service', ...place, credentials }, ship };
}
