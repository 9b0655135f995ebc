import { ConfigError, wrongOption } from '@logferry/core';
import type { LogServiceOptions } from './options/options.js';
import { resolveLogServiceOptions } from './options/resolve-options.js';
import { toDeliveryError } from './send/classify.js';
import { LogServiceClient } from './send/client.js';
import type { LogServiceCredentials } from './signed/credentials-option.js';
import { Signer } from './signed/signer.js';

/** What a {@link createLogServiceReader} reads, and how it gets there: as the options of the destination. */
export interface LogServiceReaderOptions extends Pick<LogServiceOptions, 'endpoint' | 'project' | 'region' | 'proxy'> {
  readonly logstore: string;
  /** Web tracking only writes: reading takes a signature. */
  readonly credentials: LogServiceCredentials;
}

/** The logs that a page is of. */
export interface LogServiceQuery {
  /** Epoch seconds of the earliest log. */
  readonly fromSeconds: number;
  /** Epoch seconds after the latest log. */
  readonly toSeconds: number;
  /** Number of logs before the page. */
  readonly offset: number;
  /** @default logs of any topic */
  readonly topic?: string | undefined;
}

/** A page of logs in order of time, which the service keeps to the minute only. */
export interface LogServiceLogs {
  /** All values are texts. */
  readonly logs: readonly Readonly<Record<string, string>>[];
  /** False if the service had no time to find all: the same request brings more. */
  readonly isComplete: boolean;
  /** Whether no logs follow, as far as it is complete. */
  readonly isLast: boolean;
}

/** Reads the logs of a logstore, which has to have an index. */
export interface LogServiceReader {
  /** Reads one page by one request (GetLogs). Repeats nothing. Rejects with a `DeliveryError`, whose code tells whether a repetition may help. */
  readPage(query: LogServiceQuery, signal: AbortSignal): Promise<LogServiceLogs>;
  /** Closes the connections. */
  close(): void;
}

/** Makes a reader of a logstore. Throws `ConfigError` for a wrong option. */
export function createLogServiceReader(options: LogServiceReaderOptions): LogServiceReader {
  const { routing, signing, placeOf, ...connection } = resolveLogServiceOptions(options);
  if (!signing) throw new ConfigError('credentials', 'credentials: expected, since web tracking only writes');
  if (routing.logstore === undefined) throw wrongOption('logstore', 'the name of one logstore', options.logstore);
  const signer = new Signer(signing.credentials, signing.region);
  const client = new LogServiceClient(connection, signer, MAX_PAGE_BYTES);
  const place = placeOf(routing.logstore);
  const attempt = { operation: 'GetLogs', ...place } as const;
  return {
    async readPage({ fromSeconds, toSeconds, offset, topic }, signal) {
      const query = new URLSearchParams({
        type: 'log',
        from: String(fromSeconds),
        to: String(toSeconds),
        line: String(MAX_PAGE_LOGS),
        offset: String(offset),
        reverse: 'false',
        ...(topic !== undefined && { topic }),
      });
      const url = `${place.origin}/logstores/${place.logstore}?${query}`;
      const page = await client.get({ url }, attempt, signal);
      const logs = page.done ? parseLogs(page.content) : undefined;
      if (!logs) throw toDeliveryError(page, attempt);
      const isComplete = page.progress?.toLowerCase() !== 'incomplete';
      return { logs, isComplete, isLast: logs.length < MAX_PAGE_LOGS };
    },
    close: () => client.close(),
  };
}

/** https://www.alibabacloud.com/help/en/sls/developer-reference/use-getlogs-to-query-logs */
const MAX_PAGE_LOGS = 100;

/** A value has at most 1 MiB, but logs are far from that: a page of a hundred logs of this size is none of a logging service. */
const MAX_PAGE_BYTES = 64 * 1024 ** 2;

/** `undefined` if the body is no list of logs. */
function parseLogs(content: string): Readonly<Record<string, string>>[] | undefined {
  try {
    const value: unknown = JSON.parse(content);
    return Array.isArray(value) ? value.filter((log) => typeof log === 'object' && log !== null) : undefined;
  } catch {
    return undefined;
  }
}
