import { objectOption, refuseUnknownOptions, wrongOption } from '@logferry/core';
import { toDeliveryError } from './classify.js';
import { LogsClient } from './logs-client.js';
import { groupRule } from './names.js';
import type { CloudWatchOptions } from './options.js';
import { resolveConnection } from './resolve-options.js';

/** What a {@link createCloudWatchReader} reads, and how it gets there: as the options of the destination. */
export interface CloudWatchReaderOptions
  extends Pick<CloudWatchOptions, 'region' | 'credentials' | 'profile' | 'assumeRole' | 'proxy' | 'endpoint'> {
  /** Name of the log group. */
  readonly logGroupName: string;
}

/** The events that a page is of. */
export interface CloudWatchQuery {
  /** The only stream. @default all streams */
  readonly logStreamName?: string | undefined;
  /** What the names of the streams begin with. Not beside `logStreamName`. @default all streams */
  readonly logStreamNamePrefix?: string | undefined;
  /** Epoch milliseconds of the earliest event. @default from the first one on */
  readonly startTimeMs?: number | undefined;
  /** The `nextToken` of the page before. @default the first page */
  readonly nextToken?: string | undefined;
}

/** A stored event. */
export interface ReadCloudWatchEvent {
  /** Unique among the events of the group. */
  readonly id: string;
  readonly timeMs: number;
  readonly message: string;
  readonly logStreamName: string;
}

/** Events in order of time. A page may be empty although more follow. */
export interface CloudWatchPage {
  readonly events: readonly ReadCloudWatchEvent[];
  /** Leads to the next page; `undefined` on the last one. */
  readonly nextToken: string | undefined;
}

/** Reads the events of a log group. */
export interface CloudWatchReader {
  /** Reads one page by one request (FilterLogEvents). Repeats nothing. Rejects with a `DeliveryError`, whose code tells whether a repetition may help. */
  readPage(query: CloudWatchQuery, signal: AbortSignal): Promise<CloudWatchPage>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** Makes a reader of a log group. Throws `ConfigError` for a wrong option. The first page loads the AWS SDK. */
export function createCloudWatchReader(options: CloudWatchReaderOptions): CloudWatchReader {
  refuseUnknownOptions(objectOption('options', options), OPTION_NAMES);
  const { logGroupName, ...connection } = options;
  if (typeof logGroupName !== 'string' || logGroupName === '' || !groupRule.isText(logGroupName))
    throw wrongOption('logGroupName', 'the name of one log group', logGroupName);
  const client = new LogsClient(resolveConnection(connection), MAX_PAGE_BYTES);
  const target = `from "${logGroupName}"`;
  return {
    async readPage({ logStreamName, logStreamNamePrefix, startTimeMs, nextToken }, signal) {
      const input = {
        logGroupName,
        ...(logStreamName !== undefined && { logStreamNames: [logStreamName] }),
        ...(logStreamNamePrefix !== undefined && { logStreamNamePrefix }),
        ...(startTimeMs !== undefined && { startTime: Math.floor(startTimeMs) }),
        ...(nextToken !== undefined && { nextToken }),
      };
      try {
        const { events = [], nextToken: next } = await client.filterLogEvents(input, signal);
        return { events: events.map(readEvent), nextToken: next };
      } catch (error) {
        throw toDeliveryError(error, { operation: 'FilterLogEvents', target, address: client.address });
      }
    },
    close: () => client.close(),
  };
}

const OPTION_NAMES: readonly (keyof CloudWatchReaderOptions)[] = [
  'logGroupName',
  'region',
  'credentials',
  'profile',
  'assumeRole',
  'proxy',
  'endpoint',
];

/**
 * A page has up to 1 MiB of events, or 10,000. JSON may need six bytes for one of a message, and some hundred for ids and names.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
 */
const MAX_PAGE_BYTES = 16 * 1024 ** 2;

function readEvent(event: SdkEvent): ReadCloudWatchEvent {
  const { eventId = '', timestamp = 0, message = '', logStreamName = '' } = event;
  return { id: eventId, timeMs: timestamp, message, logStreamName };
}

type SdkEvent = NonNullable<Awaited<ReturnType<LogsClient['filterLogEvents']>>['events']>[number];
