import {
  booleanOption,
  ConfigError,
  choiceOption,
  numberOption,
  objectOption,
  refuseUnknownOptions,
  stringOption,
  wrongOption,
} from '@logferry/core';
import { EVENT_OVERHEAD_BYTES, MAX_BATCH_BYTES, MAX_EVENT_BYTES } from './limits.js';
import { type CloudWatchEntity, type CloudWatchOptions, cloudWatchOptionNames } from './options.js';
import { createRouter, type Router } from './route.js';
import { compileStreamName } from './stream-name.js';

/** Options with every value checked and in place. */
export interface ResolvedCloudWatchOptions {
  /** The route of an event. */
  readonly routeOf: Router;
  readonly connection: ConnectionSettings;
  readonly createMissing: boolean;
  readonly newGroup: NewGroupSettings;
  readonly entity: CloudWatchEntity | undefined;
  readonly oversize: 'truncate' | 'split' | 'drop';
  readonly compression: 'none' | 'gzip';
  readonly maxEventBytes: number;
  readonly maxBatchBytes: number;
}

/** How the service is reached. */
export type ConnectionSettings = Pick<CloudWatchOptions, 'region' | 'credentials' | 'endpoint' | 'client'>;

/** What a log group gets when it is created. */
export type NewGroupSettings = Pick<CloudWatchOptions, 'retentionInDays' | 'tags' | 'kmsKeyId' | 'logGroupClass'>;

/** Checks the options and fills in the defaults. */
export function resolveCloudWatchOptions(options: CloudWatchOptions): ResolvedCloudWatchOptions {
  refuseUnknownOptions(objectOption('options', options), cloudWatchOptionNames);
  const { logGroupName, logStreamName = DEFAULT_STREAM_NAME, entity } = options;
  const { region, credentials, endpoint, client } = options;
  const { retentionInDays, tags, kmsKeyId, logGroupClass } = options;
  checkGroupName(logGroupName);
  checkConnection(options);
  checkNewGroup(options);
  if (entity !== undefined) checkEntity(entity);
  const maxBatchBytes = numberOption('maxBatchBytes', options.maxBatchBytes, MAX_BATCH_BYTES, {
    min: 1024,
    max: MAX_BATCH_BYTES,
  });
  const maxEventBytes = numberOption('maxEventBytes', options.maxEventBytes, MAX_EVENT_BYTES, {
    // Room for the marks of a shortened or split message.
    min: 256,
    max: MAX_EVENT_BYTES,
  });
  return {
    routeOf: createRouter(logGroupName, compileStreamName(logStreamName)),
    connection: { region, credentials, endpoint, client },
    createMissing: booleanOption('createMissing', options.createMissing, true),
    newGroup: { retentionInDays, tags: tags && { ...tags }, kmsKeyId, logGroupClass },
    entity,
    oversize: choiceOption('oversize', options.oversize, 'truncate', ['truncate', 'split', 'drop']),
    compression: choiceOption('compression', options.compression, 'none', ['none', 'gzip']),
    maxEventBytes: Math.min(maxEventBytes, maxBatchBytes - EVENT_OVERHEAD_BYTES),
    maxBatchBytes,
  };
}

/** Unique to the process: no two writers share a stream. */
const DEFAULT_STREAM_NAME = '{hostname}/{pid}/{start}';

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
const GROUP_NAME = /^(?!aws\/)[.\-_/#A-Za-z0-9]{1,512}$/;
const TAG_KEY = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const MAX_TAGS = 50;
const KMS_KEY_ARN = /^(?=.{1,256}$)arn:[^:\s]+:kms:[^:\s]+:\d+:key\/\S+$/;
const GROUP_CLASSES = ['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY'] as const;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const ENTITY_KEYS: readonly string[] = ['Type', 'ResourceType', 'Identifier', 'Name', 'Environment'];

function checkGroupName(name: unknown): void {
  if (typeof name === 'string' && GROUP_NAME.test(name)) return;
  const expected = 'a log group name (1 to 512 of a-z A-Z 0-9 . - _ / #, not starting with "aws/")';
  throw wrongOption('logGroupName', expected, name);
}

function checkConnection({ client, region, credentials, endpoint }: CloudWatchOptions): void {
  stringOption('region', region, undefined);
  if (endpoint !== undefined && !isHttpUrl(endpoint)) {
    throw wrongOption('endpoint', 'a URL that begins with http:// or https://', endpoint);
  }
  if (credentials !== undefined) checkCredentials(credentials);
  if (client === undefined) return;
  if (typeof objectOption('client', client).send !== 'function') {
    throw wrongOption('client', 'a CloudWatchLogsClient', client);
  }
  for (const [option, value] of Object.entries({ region, credentials, endpoint })) {
    if (value === undefined) continue;
    throw new ConfigError(option, `${option}: expected to be absent beside client, which has its own`);
  }
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value);
}

function checkCredentials(value: NonNullable<CloudWatchOptions['credentials']>): void {
  if (typeof value === 'function') return;
  if (typeof value !== 'object' || value === null) {
    throw wrongOption('credentials', 'an object with accessKeyId and secretAccessKey, or a function', value);
  }
  for (const name of ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const) {
    const part: unknown = value[name];
    if ((typeof part === 'string' && part !== '') || (name === 'sessionToken' && part === undefined)) continue;
    // The value itself stays out of the message: it may be a secret.
    const got = part === '' ? 'an empty one' : typeof part;
    throw new ConfigError(`credentials.${name}`, `credentials.${name}: expected a string, got ${got}`);
  }
}

function checkNewGroup({ retentionInDays, tags, kmsKeyId, logGroupClass }: CloudWatchOptions): void {
  if (retentionInDays !== undefined && !RETENTION_DAYS.includes(retentionInDays)) {
    throw wrongOption('retentionInDays', `one of ${RETENTION_DAYS.join(', ')}`, retentionInDays);
  }
  if (kmsKeyId !== undefined && !(typeof kmsKeyId === 'string' && KMS_KEY_ARN.test(kmsKeyId))) {
    throw wrongOption('kmsKeyId', 'the ARN of a KMS key (arn:aws:kms:…:key/…, at most 256 characters)', kmsKeyId);
  }
  choiceOption('logGroupClass', logGroupClass, 'STANDARD', GROUP_CLASSES);
  if (tags !== undefined) checkTags(tags);
}

function checkTags(tags: object): void {
  const entries = Object.entries(objectOption('tags', tags));
  if (entries.length < 1 || entries.length > MAX_TAGS) {
    throw wrongOption('tags', `1 to ${MAX_TAGS} tags`, entries.length);
  }
  const allowed = 'letters, digits, spaces and _ . : / = + - @';
  for (const [key, value] of entries) {
    if (!TAG_KEY.test(key)) {
      throw wrongOption('tags', `keys of 1 to 128 ${allowed}, not starting with "aws:"`, key);
    }
    if (typeof value !== 'string' || !TAG_VALUE.test(value)) {
      throw wrongOption(`tags.${key}`, `up to 256 ${allowed}`, value);
    }
  }
}

function checkEntity(entity: CloudWatchEntity): void {
  refuseUnknownOptions(objectOption('entity', entity), ['keyAttributes', 'attributes'], 'entity.');
  const keys = objectOption('entity.keyAttributes', entity.keyAttributes);
  refuseUnknownOptions(keys, ENTITY_KEYS, 'entity.keyAttributes.');
  checkTexts('entity.keyAttributes', keys, { min: 2, max: 4 });
  checkTexts('entity.attributes', objectOption('entity.attributes', entity.attributes), { min: 0, max: 10 });
}

function checkTexts(option: string, texts: object, { min, max }: { readonly min: number; readonly max: number }): void {
  const entries = Object.entries(texts).filter(([, value]) => value !== undefined);
  if (entries.length < min || entries.length > max) {
    throw wrongOption(option, `${min} to ${max} entries`, entries.length);
  }
  for (const [key, value] of entries) {
    if (key.length < 1 || key.length > 256) throw wrongOption(option, 'names of 1 to 256 characters', key);
    const valid = typeof value === 'string' && value.length >= 1 && value.length <= 512;
    if (!valid) throw wrongOption(`${option}.${key}`, 'a string of 1 to 512 characters', value);
  }
}
