import { type FieldsRecord, optionNames } from '@logferry/core';
import type { LogServiceCredentials } from '../signed/credentials-option.js';

/** Where a {@link createLogService} destination delivers to, and how. */
export interface LogServiceOptions {
  /**
   * Endpoint of the region: `'cn-hangzhou.log.aliyuncs.com'`. If it has no scheme, or its host ends in `.aliyuncs.com`, the
   * project is put before the host, and `https://` is the default scheme. Any other URL, such as a custom domain or a local
   * server, stands for one project and is used as it is.
   */
  readonly endpoint: string;
  /** Project: 3 to 63 of the characters `a-z 0-9 -`, with a letter or digit at both ends. */
  readonly project: string;
  /**
   * Logstore: 2 to 63 of the characters `a-z 0-9 - _`, with a letter or digit at both ends. Without `credentials`, web
   * tracking has to be switched on for it. May be a template of `{hostname}`, `{pid}`, `{start}` (start of the process), `{uuid}` (new
   * for each destination), `{level}`, `{date:yyyy-MM-dd}` (any pattern of `yyyy MM dd HH mm`, of the time of the event in UTC), and
   * `{field:tenant.id}`, with a default: `{field:tenant.id|nobody}`. May be a function of the record, which is called for each, with
   * the time that the event ships with. A record for which it throws, or returns no string, is dropped as `unencodable`. What comes
   * from records gets lower case, and `-` for other characters.
   * @see https://github.com/logferry/logferry/blob/main/docs/routing.md
   */
  readonly logstore: string | ((record: LogServiceRecord) => string);
  /**
   * Names logstore, topic and tags, or some of them, for a record: what it returns goes before these options, which apply where it
   * returns `undefined`. The same rules as for a function there. @default none
   * @see https://github.com/logferry/logferry/blob/main/docs/routing.md
   */
  readonly route?: ((record: LogServiceRecord) => LogServiceRoute | undefined) | undefined;
  /**
   * Signs the requests (PutLogs), so that the service keeps the time of each event: an access key, a function that returns one, `'env'` for
   * `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, or a credential object of `@alicloud/credentials` or its
   * configuration. @default none: anonymous requests (PutWebTracking)
   * @see https://github.com/logferry/logferry/blob/main/packages/log-service/README.md#signed-requests
   */
  readonly credentials?: LogServiceCredentials | undefined;
  /**
   * Region of the project, for signatures of version 4: `'cn-hangzhou'`. Only with `credentials`. @default the region that the
   * endpoint names; if it names none, signatures have version 1
   */
  readonly region?: string | undefined;
  /** Creates the logstore if it does not exist, never the project. Only with `credentials`. @default false */
  readonly createMissing?: boolean | undefined;
  /** Days after which a logstore that is created deletes its logs, 1 to 3650. Only with `createMissing`. @default 30 */
  readonly retentionInDays?: number | undefined;
  /** Shards of a logstore that is created, 1 to 100. The service splits them by itself. Only with `createMissing`. @default 2 */
  readonly shardCount?: number | undefined;
  /** Gives a logstore that is created a full-text index, so that its logs can be searched. Only with `createMissing`. @default false */
  readonly index?: boolean | undefined;
  /** Topic (`__topic__`), up to 128 bytes of UTF-8: a text, or a template or a function as for `logstore`. @default none */
  readonly topic?: string | ((record: LogServiceRecord) => string) | undefined;
  /** Source (`__source__`) of all logs, up to 128 bytes of UTF-8. @default the host's name */
  readonly source?: string | undefined;
  /**
   * Tags; queries see them as `__tag__:key`. Each value is a text, or a template or a function as for `logstore`, which are cut to 128
   * bytes of UTF-8. @default none
   */
  readonly tags?: Readonly<Record<string, string | ((record: LogServiceRecord) => string)>> | undefined;
  /**
   * Compression of each request body that gets smaller by it. `'lz4'` blocks the event loop for some 10 ms with the largest
   * body; `'deflate'` runs on another thread and makes smaller bodies. `'zstd'`, only with `credentials`, needs Node.js 22.15 or
   * 23.8. @default 'lz4'
   */
  readonly compression?: 'lz4' | 'deflate' | 'zstd' | 'none' | undefined;
  /** Field for the time of the event, ISO 8601 with milliseconds. @default 'time'; none with `credentials` */
  readonly timeField?: string | undefined;
  /**
   * Field for a number that counts the records of this process, or of each of its worker threads. @default 'seq'; none with
   * `credentials`
   */
  readonly sequenceField?: string | undefined;
  /**
   * Treatment of a record that is too large, or has a value of more than 1,000,000 bytes: `'truncate'` shortens its longest
   * values, `'split'` distributes the longest value in numbered parts over several logs, `'drop'` drops the record as
   * `too-large`. @default 'truncate'
   */
  readonly oversize?: 'truncate' | 'split' | 'drop' | undefined;
  /**
   * Most bytes in a request before compression, from 1024 to 3,000,000, or to 10,000,000 with `credentials`. A record is never
   * larger than a request. @default 3_000_000
   */
  readonly maxBatchBytes?: number | undefined;
  /**
   * URL of an HTTP proxy for all requests to the service, with user name and password if it wants them:
   * `'http://user:password@proxy.example:3128'`. `false` uses none. Not beside `fetch`.
   * @default the environment's: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, also in lower case
   */
  readonly proxy?: string | false | undefined;
  /**
   * Makes the requests, with an agent of your own. Unlike the default, it may keep the process alive while a request is in
   * flight. @default our own client, by node:http
   */
  readonly fetch?: LogServiceFetch | undefined;
}

/** The names of all {@link LogServiceOptions}. */
export const logServiceOptionNames: readonly (keyof LogServiceOptions)[] = optionNames<LogServiceOptions>({
  endpoint: true,
  project: true,
  logstore: true,
  route: true,
  credentials: true,
  region: true,
  createMissing: true,
  retentionInDays: true,
  shardCount: true,
  index: true,
  topic: true,
  source: true,
  tags: true,
  compression: true,
  timeField: true,
  sequenceField: true,
  oversize: true,
  maxBatchBytes: true,
  proxy: true,
  fetch: true,
});

/** A record, as the functions that name its logstore, topic and tags see it: Log Service ships fields, and no line. */
export interface LogServiceRecord extends FieldsRecord {
  readonly text?: undefined;
}

/** The result of the option `route`. */
export interface LogServiceRoute {
  readonly logstore?: string | undefined;
  readonly topic?: string | undefined;
  /** All tags: they replace those of the option `tags`. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** The part of a `fetch` function that the destination uses. The global `fetch` fits, and so does undici's. */
export type LogServiceFetch = (
  url: string,
  init: {
    readonly method: 'POST';
    readonly headers: Record<string, string>;
    /** Not `Uint8Array<ArrayBuffer>`: before TypeScript 5.7 the type has no parameter. */
    readonly body: Uint8Array & { readonly buffer: ArrayBuffer };
    readonly signal: AbortSignal;
    readonly redirect: 'manual';
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;
