import { endOfSlice, type NameRule, toPrimitive } from '@logferry/core';
import { MAX_TOPIC_BYTES, MAX_VALUE_BYTES } from '../limits.js';

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-createlogstore */
const LOGSTORE_NAME = /^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/;
const MIN_LOGSTORE_LENGTH = 2;
const MAX_LOGSTORE_LENGTH = 63;
const LOGSTORE = 'a name (2 to 63 of a-z 0-9 - _, with a letter or digit at both ends)';

/** The logstore of a record whose own name leaves nothing to call one. */
const NO_LOGSTORE = 'none';

/**
 * Lower case; any other character becomes `-`; a beginning and an end without a letter or digit are left out. The name goes into a
 * URL, where these characters have no meaning.
 */
export const logstoreRule: NameRule = {
  option: 'logstore',
  expected: LOGSTORE,
  expectedText: `${LOGSTORE}, or a template of one`,
  isName: (text) => LOGSTORE_NAME.test(text),
  isText: (text) => /^[a-z0-9_-]*$/.test(text),
  toName(text) {
    const legal = text.toLowerCase().replace(/[^a-z0-9_-]/g, '-');
    const name = legal
      .replace(/^[_-]+/, '')
      .slice(0, MAX_LOGSTORE_LENGTH)
      .replace(/[_-]+$/, '');
    return name.length < MIN_LOGSTORE_LENGTH ? NO_LOGSTORE : name;
  },
  toText,
};

/** Well-formed, and cut to what the service takes. */
export const topicRule: NameRule = {
  option: 'topic',
  expected: `a well-formed string of at most ${MAX_TOPIC_BYTES} bytes`,
  isName: (text) => text.isWellFormed() && Buffer.byteLength(text) <= MAX_TOPIC_BYTES,
  isText: (text) => text.isWellFormed(),
  toName: cutText,
  toText,
};

/** The service limits all tags together. A value that comes from records is cut as a topic is. */
export function tagRule(key: string): NameRule {
  return {
    option: `tags.${key}`,
    expected: 'a well-formed string',
    isName: (text) => text.isWellFormed(),
    isText: (text) => text.isWellFormed(),
    toName: cutText,
    toText,
  };
}

function cutText(text: string): string {
  const wellFormed = text.slice(0, MAX_TOPIC_BYTES).toWellFormed();
  return wellFormed.slice(0, endOfSlice(wellFormed, 0, MAX_TOPIC_BYTES));
}

function toText(value: object): unknown {
  return toPrimitive(value, MAX_VALUE_BYTES);
}
