import { type CloudWatchPage, type CloudWatchReaderOptions, createCloudWatchReader } from '@logferry/cloudwatch';
import { DeliveryError } from '@logferry/core';
import { RecentMap } from './recent-map.js';
import { OVERLAP_MS, type TailSource } from './source.js';

/** A log group of CloudWatch Logs, and the way to it: as the options of the destination. */
export interface CloudWatchTarget extends CloudWatchReaderOptions {
  readonly cloud: 'cloudwatch';
  /** The only stream; with a `*` at the end, which no name has, the streams whose names begin so. @default all streams */
  readonly logStreamName?: string | undefined;
}

/** Makes the source of a log group. Throws `ConfigError` for wrong options. */
export function createCloudWatchSource(target: CloudWatchTarget, sinceMs: number): TailSource {
  const { cloud: _, logStreamName, ...options } = target;
  const reader = createCloudWatchReader(options);
  const streams = streamsOf(logStreamName);
  const hasSeveral = streams.logStreamName === undefined;
  const seen = new RecentMap<true>();
  let startTimeMs = Math.max(0, sinceMs);
  let newestMs = startTimeMs;
  let nextToken: string | undefined;

  /** A token ends after a day: events that were read before it are not read again. */
  async function readPage(signal: AbortSignal): Promise<CloudWatchPage> {
    const query = { ...streams, startTimeMs, nextToken };
    try {
      return await reader.readPage(query, signal);
    } catch (error) {
      if (nextToken === undefined || !DeliveryError.is(error) || error.code !== 'INVALID') throw error;
      nextToken = undefined;
      startTimeMs = Math.max(startTimeMs, newestMs - OVERLAP_MS);
      return reader.readPage({ ...streams, startTimeMs }, signal);
    }
  }

  return {
    async nextPage(signal) {
      const page = await readPage(signal);
      const fresh = page.events.filter(({ id }) => !seen.get(id));
      for (const { id, timeMs } of fresh) seen.set(id, true, timeMs);
      // An event may be up to two hours ahead. It must not move the look beyond those of other hosts.
      const nowMs = Date.now();
      for (const { timeMs } of fresh) newestMs = Math.max(newestMs, Math.min(timeMs, nowMs));
      const nextStartMs = Math.max(startTimeMs, newestMs - OVERLAP_MS);
      seen.forgetBefore(nextStartMs);
      nextToken = page.nextToken;
      if (nextToken === undefined) startTimeMs = nextStartMs;
      const events = fresh.map(({ timeMs, message, logStreamName: stream }) => ({
        timeMs,
        raw: message,
        line: message,
        origin: hasSeveral ? stream : undefined,
      }));
      return { events, isLast: nextToken === undefined, pauseMs: PAUSE_MS };
    },
    remedyOfMissing:
      `check the name of the log group${logStreamName === undefined ? '' : ' and of its stream'}, the region and the account; ` +
      'a transport creates them with its first record',
    close: () => reader.close(),
  };
}

/**
 * All readers of an account share 5 to 10 requests of FilterLogEvents a second.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
 */
const PAUSE_MS = 200;

function streamsOf(name: string | undefined): { logStreamName?: string; logStreamNamePrefix?: string } {
  if (name === undefined || name === '*') return {};
  return name.endsWith('*') ? { logStreamNamePrefix: name.slice(0, -1) } : { logStreamName: name };
}
