// https://www.alibabacloud.com/help/en/sls/developer-reference/api-putwebtracking
// https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-putlogs

/**
 * Most bytes of a request body of web tracking before compression, and the default of signed writes. The service states 3 MB,
 * and the documented range of `x-log-bodyrawsize` ends at 3,145,728: this holds for either meaning of MB.
 */
export const MAX_BATCH_BYTES: number = 3_000_000;

/** Most bytes of a signed request body before compression. The service states 10 MB. */
export const MAX_SIGNED_BATCH_BYTES: number = 10_000_000;

/** Most logs in a request. */
export const MAX_BATCH_EVENTS: number = 4096;

/** A signed request with an older event is refused. */
export const MAX_PAST_MS: number = 7 * 24 * 3600 * 1000;

/** A signed request with a later event is refused. */
export const MAX_FUTURE_MS: number = 15 * 60 * 1000;

/** Most UTF-8 bytes of one value. The service states 1 MB: see {@link MAX_BATCH_BYTES}. */
export const MAX_VALUE_BYTES: number = 1_000_000;

/** Most characters of a value that is split. More would not fit the default budget of the core in any case. */
export const MAX_SPLIT_CHARS: number = 32 * MAX_VALUE_BYTES;

/** Most UTF-8 bytes of a key. */
export const MAX_KEY_BYTES: number = 128;

/** Most UTF-8 bytes of the topic, and of the source. */
export const MAX_TOPIC_BYTES: number = 128;

/** The least that `maxBatchBytes` has to leave for a log beside topic, source and tags. */
export const MIN_LOG_BYTES: number = 512;
