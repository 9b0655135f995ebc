import { hostname } from 'node:os';
import {
  addressOf,
  choiceOption,
  endOfSlice,
  functionOption,
  numberOption,
  objectOption,
  refuseUnknownOptions,
  stringOption,
  wrongOption,
} from '@logferry/core';
import { LEVEL_FIELD } from './fields.js';
import { isValidKey } from './keys.js';
import { MAX_BATCH_BYTES, MAX_TOPIC_BYTES } from './limits.js';
import { type LogServiceFetch, type LogServiceOptions, logServiceOptionNames } from './options.js';
import { projectUrl } from './project-url.js';
import { baseBytesOf, routeOf } from './route.js';

/** The options after all checks, with defaults filled in. */
export interface ResolvedLogServiceOptions {
  /** The URL to which batches are posted. */
  readonly url: string;
  /** Names the logstore and the form of the payload. Topic, source and tags are in the route. */
  readonly identity: string;
  /** For messages: `logstore "web" of project "shop" at shop.cn-hangzhou.log.aliyuncs.com:443`. */
  readonly targetLabel: string;
  /** The route of all events. */
  readonly route: string;
  readonly compression: 'lz4' | 'deflate' | 'none';
  readonly timeField: string;
  readonly sequenceField: string;
  readonly oversize: 'truncate' | 'split' | 'drop';
  readonly maxBatchBytes: number;
  readonly fetch: LogServiceFetch | undefined;
}

/** Checks the options and fills in the defaults. Throws `ConfigError`. */
export function resolveLogServiceOptions(options: LogServiceOptions): ResolvedLogServiceOptions {
  refuseUnknownOptions(objectOption('options', options), logServiceOptionNames);
  const { endpoint, project, logstore, tags = {} } = options;
  checkName('project', project, PROJECT_NAME, '3 to 63 of a-z 0-9 -, with a letter or digit at both ends');
  checkName('logstore', logstore, LOGSTORE_NAME, '2 to 63 of a-z 0-9 - _, with a letter or digit at both ends');
  checkTags(tags);
  const topic = textOption('topic', options.topic);
  const source = textOption('source', options.source) ?? nameOfHost();
  const timeField = fieldOption('timeField', options.timeField, 'time');
  const sequenceField = fieldOption('sequenceField', options.sequenceField, 'seq');
  if (sequenceField === timeField) {
    throw wrongOption('sequenceField', `another name than timeField ("${timeField}")`, sequenceField);
  }
  const route = routeOf({ topic, source, tags });
  const origin = projectUrl(endpoint, project);
  const url = `${origin}/logstores/${logstore}/track`;
  const { host, pathname } = new URL(url);
  return {
    url,
    identity: JSON.stringify(['log-service', PAYLOAD_FORMAT, project, host + pathname]),
    targetLabel: `logstore "${logstore}" of project "${project}" at ${addressOf(new URL(origin))}`,
    route,
    compression: choiceOption('compression', options.compression, 'lz4', ['lz4', 'deflate', 'none']),
    timeField,
    sequenceField,
    oversize: choiceOption('oversize', options.oversize, 'truncate', ['truncate', 'split', 'drop']),
    maxBatchBytes: batchBytesOption(options.maxBatchBytes, baseBytesOf(route)),
    fetch: functionOption('fetch', options.fetch, undefined),
  };
}

/** It changes with the form of the payload of events. */
const PAYLOAD_FORMAT = 1;

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-createproject */
const PROJECT_NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-createlogstore */
const LOGSTORE_NAME = /^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/;

/** The least that `maxBatchBytes` has to leave for a log beside topic, source and tags. */
const MIN_LOG_BYTES = 512;

function checkName(option: string, value: unknown, pattern: RegExp, expected: string): void {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrongOption(option, `a name (${expected})`, value);
}

function checkTags(tags: object): void {
  for (const [key, value] of Object.entries(objectOption('tags', tags))) {
    if (!isValidKey(key)) {
      throw wrongOption('tags', 'keys of 1 to 128 bytes that are not reserved', key);
    }
    if (typeof value !== 'string' || !value.isWellFormed()) {
      throw wrongOption(`tags.${key}`, 'a well-formed string', value);
    }
  }
}

function textOption(option: string, value: unknown): string | undefined {
  const text = stringOption(option, value, undefined);
  if (text === undefined || (text.isWellFormed() && Buffer.byteLength(text) <= MAX_TOPIC_BYTES)) return text;
  throw wrongOption(option, `a well-formed string of at most ${MAX_TOPIC_BYTES} bytes`, value);
}

function fieldOption(option: string, value: unknown, fallback: string): string {
  const key = stringOption(option, value, fallback);
  if (isValidKey(key) && key !== LEVEL_FIELD) return key;
  throw wrongOption(option, `a name of at most 128 bytes that is neither reserved nor "${LEVEL_FIELD}"`, value);
}

function batchBytesOption(value: unknown, baseBytes: number): number {
  const maxBatchBytes = numberOption('maxBatchBytes', value, MAX_BATCH_BYTES, { min: 1024, max: MAX_BATCH_BYTES });
  const needed = baseBytes + MIN_LOG_BYTES;
  if (maxBatchBytes >= needed) return maxBatchBytes;
  const expected = `at least ${needed}, since topic, source and tags take ${baseBytes} bytes of each request`;
  throw wrongOption('maxBatchBytes', expected, maxBatchBytes);
}

/** The service requires a source in every request. */
function nameOfHost(): string {
  const name = hostname().toWellFormed() || 'localhost';
  return name.slice(0, endOfSlice(name, 0, MAX_TOPIC_BYTES));
}
