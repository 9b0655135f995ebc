// Source: "Common request headers", PutWebtracking, "Basic concepts", CreateProject and CreateLogstore in the API
// reference.

/** The only value of x-log-apiversion. */
export const API_VERSION = '0.6.0';

/** CreateProject: projectName. */
export const PROJECT_NAME: RegExp = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
/** CreateLogstore: logstoreName. */
export const LOGSTORE_NAME: RegExp = /^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/;

/** Bytes of a body before compression: the upper bound of x-log-bodyrawsize. */
export const MAX_RAW_BYTES: number = 3 * 1024 * 1024;
/** Bytes of a body as received: the limit of all operations of the service. */
export const MAX_WIRE_BYTES: number = 10_485_760;
/** Logs in a request. */
export const MAX_LOGS: number = 4096;

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
