// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html

/** Most bytes in a batch: UTF-8 bytes of all messages, and {@link EVENT_OVERHEAD_BYTES} for each event. */
export const MAX_BATCH_BYTES: number = 1_048_576;

export const MAX_BATCH_EVENTS: number = 10_000;

/** Bytes that the service adds to the size of each message. */
export const EVENT_OVERHEAD_BYTES: number = 26;

/** Most UTF-8 bytes of a message: one event may fill a batch. */
export const MAX_EVENT_BYTES: number = MAX_BATCH_BYTES - EVENT_OVERHEAD_BYTES;

/** The service refuses a batch that spans more than 24 hours, and does not document whether exactly 24 hours pass. */
export const MAX_SPAN_MS: number = 24 * 3_600_000 - 1;

/** No event may be more than 14 days in the past. */
export const MAX_PAST_MS: number = 14 * 24 * 3_600_000;

/** No event may be more than 2 hours in the future. */
export const MAX_FUTURE_MS: number = 2 * 3_600_000;
