import { cutName, type NameRule, wrongOption } from '@logferry/core';

const MAX_LENGTH = 512;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
const OTHER_IN_GROUP = /[^.\-_/#A-Za-z0-9]/g;
/** Groups of AWS itself. */
const RESERVED_GROUP = /^aws\//;
const GROUP = 'a log group name (1 to 512 of a-z A-Z 0-9 . - _ / #, not starting with "aws/")';

/** Any other character becomes `-`, and so does the slash of `aws/` at the beginning. */
export const groupRule: NameRule = {
  option: 'logGroupName',
  expected: GROUP,
  expectedText: `${GROUP}, or a template of one`,
  isName: (text) =>
    text !== '' && text.length <= MAX_LENGTH && !RESERVED_GROUP.test(text) && isOf(text, OTHER_IN_GROUP),
  isText: (text) => isOf(text, OTHER_IN_GROUP),
  toName: (text) =>
    cutName(text, MAX_LENGTH).replace(OTHER_IN_GROUP, '-').replace(RESERVED_GROUP, 'aws-') || EMPTY_NAME,
};

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html: `[^:*]*`, 1 to 512 */
const FORBIDDEN_IN_STREAM = /[:*]/g;
const STREAM_TEXT = 'a name without ":" and "*"';

/** `:` and `*` become `-`. */
export const streamRule: NameRule = {
  option: 'logStreamName',
  expected: `a name or template of 1 to ${MAX_LENGTH} characters`,
  expectedText: STREAM_TEXT,
  isName: (text) => text !== '' && text.length <= MAX_LENGTH,
  isText: (text) => isOf(text, FORBIDDEN_IN_STREAM),
  toName: (text) => cutName(text, MAX_LENGTH).replace(FORBIDDEN_IN_STREAM, '-') || EMPTY_NAME,
};

/** Throws `ConfigError` for a template of groups that belong to AWS. */
export function checkGroup(name: unknown): void {
  if (typeof name === 'string' && RESERVED_GROUP.test(name)) throw wrongOption('logGroupName', GROUP, name);
}

/** A name has a character at least. */
const EMPTY_NAME = '-';

function isOf(text: string, others: RegExp): boolean {
  return text.search(others) < 0;
}
