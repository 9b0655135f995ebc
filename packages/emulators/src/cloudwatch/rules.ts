import type { Fields, StringRule } from './fields.js';

// Source: the service's model (logs/2014-03-28) and its API reference,
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/

/** CreateLogGroup: logGroupName. */
export const LOG_GROUP_NAME: StringRule = { min: 1, max: 512, pattern: /^[.\-_/#A-Za-z0-9]+$/ };
/** CreateLogStream: logStreamName. */
export const LOG_STREAM_NAME: StringRule = { min: 1, max: 512, pattern: /^[^:*]*$/ };
/** A group's name or ARN. */
export const LOG_GROUP_IDENTIFIER: StringRule = { min: 1, max: 2048, pattern: /^[\w#+=/:,.@-]*$/ };
/** CreateLogGroup: logGroupClass. */
export const LOG_GROUP_CLASSES: readonly string[] = ['STANDARD', 'INFREQUENT_ACCESS', 'ESSENTIALS', 'DELIVERY'];
/** CreateLogGroup: kmsKeyId must be the ARN of a symmetric key, not of an alias. */
export const KMS_KEY_ARN: RegExp = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/\S+$/;

/** PutRetentionPolicy: retentionInDays. */
export const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const HOUR_MS = 3_600_000;
export const DAY_MS: number = 24 * HOUR_MS;

// PutLogEvents: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html

/** Events in a batch. */
export const MAX_BATCH_EVENTS: number = 10_000;
/** Bytes of a batch: for each event its UTF-8 bytes and {@link EVENT_OVERHEAD_BYTES}. */
export const MAX_BATCH_BYTES: number = 1_048_576;
/** Bytes that the service adds to each message, for both limits. */
export const EVENT_OVERHEAD_BYTES: number = 26;
/** Bytes of an event, with {@link EVENT_OVERHEAD_BYTES}. */
export const MAX_EVENT_BYTES: number = 1_048_576;
/** Time from the first valid event of a batch to the last. */
export const MAX_SPAN_MS: number = 24 * HOUR_MS;
/** Events older than this are rejected. */
export const MAX_AGE_MS: number = 14 * DAY_MS;
/** Events further in the future than this are rejected. */
export const MAX_FUTURE_MS: number = 2 * HOUR_MS;

/** Tags of a log group. */
export const MAX_TAGS: number = 50;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

/** Records the rules that the tags of a group break. */
export function checkTags(fields: Fields, tags: ReadonlyMap<string, string>): void {
  if (tags.size < 1) fields.refuse('{}', 'tags', 'Member must have length greater than or equal to 1');
  if (tags.size > MAX_TAGS) fields.refuse('{...}', 'tags', `Member must have length less than or equal to ${MAX_TAGS}`);
  for (const [key, value] of tags) {
    if (!TAG_KEY.test(key) || key.startsWith('aws:')) {
      fields.refuse(key, 'tags', `Map keys must satisfy constraint: ${TAG_KEY.source}, not starting with aws:`);
    }
    if (!TAG_VALUE.test(value)) fields.refuse(value, `tags.${key}`, `Map values must satisfy: ${TAG_VALUE.source}`);
  }
}
