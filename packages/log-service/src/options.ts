/** Where a {@link createLogService} destination delivers to, and how. */
export interface LogServiceOptions {
  /**
   * Endpoint of the region: `'cn-hangzhou.log.aliyuncs.com'`. Without a scheme, or with a host that ends in
   * `.aliyuncs.com`, it gets `https://` (unless it says `http://`) and the project as a prefix. Any other URL, such as a
   * custom domain or a local server, stands for one project and is used as it is.
   */
  readonly endpoint: string;
  /** Project: 3 to 63 of the characters `a-z 0-9 -`, with a letter or digit at both ends. */
  readonly project: string;
  /** Logstore: 2 to 63 of the characters `a-z 0-9 - _`, with a letter or digit at both ends. Web tracking has to be on. */
  readonly logstore: string;
  /** Topic (`__topic__`) of all logs, up to 128 bytes of UTF-8. @default none */
  readonly topic?: string | undefined;
  /** Source (`__source__`) of all logs, up to 128 bytes of UTF-8. @default the host's name */
  readonly source?: string | undefined;
  /** Tags of all logs; queries see them as `__tag__:key`. @default none */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /**
   * Compression of request bodies, where it makes them smaller. `'lz4'` takes some 10 ms of the event loop for the
   * largest body, `'deflate'` runs off it and makes smaller ones. @default 'lz4'
   */
  readonly compression?: 'lz4' | 'deflate' | 'none' | undefined;
  /** Field for the time of the event, ISO 8601 with milliseconds. @default 'time' */
  readonly timeField?: string | undefined;
  /** Field for a number that counts the records of this process (of each worker thread, if it has some). @default 'seq' */
  readonly sequenceField?: string | undefined;
  /**
   * What happens to a record that is too large, or has a value of more than 1,000,000 bytes: `'truncate'` shortens its
   * longest values, `'split'` puts the longest value in numbered parts over several logs, `'drop'` loses the record as
   * `too-large`. @default 'truncate'
   */
  readonly oversize?: 'truncate' | 'split' | 'drop' | undefined;
  /**
   * Most bytes in a request before compression, from 1024. Lowers the service's limit, never raises it. A record is never
   * larger than a request. @default 3_000_000
   */
  readonly maxBatchBytes?: number | undefined;
  /**
   * Makes the requests; for a proxy or an agent of your own. Other than our own requests, one in flight may keep the process
   * alive. @default our own, by node:http
   */
  readonly fetch?: LogServiceFetch | undefined;
}

/** The names of the options. */
export const logServiceOptionNames: readonly (keyof LogServiceOptions)[] = [
  'endpoint',
  'project',
  'logstore',
  'topic',
  'source',
  'tags',
  'compression',
  'timeField',
  'sequenceField',
  'oversize',
  'maxBatchBytes',
  'fetch',
];

/** What we need of a `fetch` function: the global one fits, and so does that of undici. */
export type LogServiceFetch = (
  url: string,
  init: {
    readonly method: 'POST';
    readonly headers: Record<string, string>;
    readonly body: Uint8Array<ArrayBuffer>;
    readonly signal: AbortSignal;
    readonly redirect: 'manual';
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;
