// Names and numbers of the API reference: "Common request headers", PutWebtracking, "Basic concepts", CreateProject,
// CreateLogstore.

export const API_VERSION = '0.6.0';

export const PROJECT_NAME: RegExp = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
export const LOGSTORE_NAME: RegExp = /^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/;

/** Before compression: the range of x-log-bodyrawsize. */
export const MAX_RAW_BYTES: number = 3 * 1024 * 1024;
/** As received: the cap of all of the service's operations. */
export const MAX_WIRE_BYTES: number = 10_485_760;
export const MAX_LOGS: number = 4096;

export const MAX_KEY_BYTES: number = 128;
export const MAX_VALUE_BYTES: number = 1024 * 1024;
export const MAX_TOPIC_BYTES: number = 128;
export const MAX_SOURCE_BYTES: number = 128;

export const RESERVED_KEYS: ReadonlySet<string> = new Set([
  '__time__',
  '__source__',
  '__topic__',
  '__partition_time__',
  '_extract_others_',
  '__extract_others__',
]);
/** Under this prefix queries see the tags, so that a field of such a name would be taken for one. */
export const TAG_PREFIX = '__tag__:';
