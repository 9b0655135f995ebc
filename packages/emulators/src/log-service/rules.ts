// Source: "Common request headers", PutWebtracking, PutLogs, "Basic concepts", CreateProject, CreateLogstore, CreateIndex and
// GetLogs in the API reference, https://www.alibabacloud.com/help/en/sls/developer-reference/

/** The only value of x-log-apiversion. */
export const API_VERSION = '0.6.0';

/** CreateProject: projectName. */
export const PROJECT_NAME: RegExp = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
/** CreateLogstore: logstoreName. */
export const LOGSTORE_NAME: RegExp = /^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/;

/** PutWebTracking: bytes of a body before compression. */
export const MAX_TRACKING_BYTES: number = 3 * 1024 * 1024;
/** PutWebTracking: logs in a request. */
export const MAX_TRACKING_LOGS: number = 4096;
/** Bytes of a body as received, the limit of all operations. PutLogs: also before compression. */
export const MAX_BODY_BYTES: number = 10_485_760;
/** PutLogs: logs in a request. The documentation has no limit since 2022; the official producers for Go and Java have this one. */
export const MAX_LOGS: number = 40_960;
/** PutLogs: logs older than this are refused, in seconds. */
export const MAX_AGE_S: number = 7 * 24 * 3600;
/** PutLogs: logs further in the future than this are refused, in seconds. */
export const MAX_FUTURE_S: number = 15 * 60;
/** Largest difference of a signed request's time from the service's. */
export const MAX_SKEW_MS: number = 15 * 60_000;

/** UTF-8 bytes of a key. */
export const MAX_KEY_BYTES: number = 128;
/** UTF-8 bytes of a value. */
export const MAX_VALUE_BYTES: number = 1024 * 1024;
/** UTF-8 bytes of the topic. */
export const MAX_TOPIC_BYTES: number = 128;
/** UTF-8 bytes of the source. */
export const MAX_SOURCE_BYTES: number = 128;

/** Keys that the service reserves for itself. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set([
  '__time__',
  '__source__',
  '__topic__',
  '__partition_time__',
  '_extract_others_',
  '__extract_others__',
]);
/** Queries show tags under this prefix, so a field with such a key would look like a tag. */
export const TAG_PREFIX = '__tag__:';

/** Logstores of a project. */
export const MAX_LOGSTORES: number = 200;
/** CreateLogstore: ttl, in days. */
export const TTL_DAYS: readonly [min: number, max: number] = [1, 3650];
/** CreateLogstore: shardCount. The pages give 10 or 100 as the maximum. */
export const SHARD_COUNT: readonly [min: number, max: number] = [1, 100];
/** CreateLogstore: maxSplitShard. */
export const MAX_SPLIT_SHARD: readonly [min: number, max: number] = [1, 256];

/** CreateIndex: type of a field. */
export const FIELD_TYPES: readonly string[] = ['text', 'long', 'double', 'json'];
/** The delimiters of words in the documentation's full-text index. */
export const DELIMITERS: readonly string[] = [...', \'";=()[]{}?@&<>/:\n\t\r'];

/** GetLogs: line. */
export const LINES: readonly [min: number, max: number] = [0, 100];
/** ListLogstore: size. */
export const PAGE_SIZE: readonly [min: number, max: number] = [0, 500];
