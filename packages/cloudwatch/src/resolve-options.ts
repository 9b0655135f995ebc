import {
  booleanOption,
  ConfigError,
  choiceOption,
  functionOption,
  numberOption,
  objectOption,
  proxyOption,
  refuseUnknownOptions,
  stringOption,
  wrongOption,
  wrongSecret,
} from '@logferry/core';
import { faultOfCredentials } from './credentials.js';
import { EVENT_OVERHEAD_BYTES, MAX_BATCH_BYTES, MAX_EVENT_BYTES } from './limits.js';
import { type CloudWatchEntity, type CloudWatchOptions, cloudWatchOptionNames } from './options.js';
import { createRouting, type Routing } from './route.js';

/** The options after all checks, with defaults filled in. */
export interface ResolvedCloudWatchOptions {
  readonly routing: Routing;
  readonly connection: ConnectionSettings;
  readonly createMissing: boolean;
  readonly newGroup: NewGroupSettings;
  readonly retentionInDays: number | undefined;
  readonly entity: CloudWatchEntity | undefined;
  readonly oversize: 'truncate' | 'split' | 'drop';
  readonly compression: 'none' | 'gzip';
  readonly maxEventBytes: number;
  readonly maxBatchBytes: number;
}

/** Settings of the connection to the service. */
export type ConnectionSettings = Pick<
  CloudWatchOptions,
  'region' | 'credentials' | 'profile' | 'assumeRole' | 'proxy' | 'endpoint' | 'client'
>;

/** Settings of a log group that `CreateLogGroup` takes. */
export type NewGroupSettings = Pick<CloudWatchOptions, 'tags' | 'kmsKeyId' | 'logGroupClass'>;

/** Checks the options and fills in the defaults. Throws `ConfigError`. */
export function resolveCloudWatchOptions(options: CloudWatchOptions): ResolvedCloudWatchOptions {
  refuseUnknownOptions(objectOption('options', options), cloudWatchOptionNames);
  const { logGroupName, logStreamName, entity } = options;
  const { retentionInDays, tags, kmsKeyId, logGroupClass } = options;
  const route = functionOption('route', options.route, undefined);
  const routing = createRouting({ logGroupName, logStreamName, route });
  const connection = resolveConnection(options);
  checkNewGroup(options);
  checkEntity(entity);
  const maxBatchBytes = numberOption('maxBatchBytes', options.maxBatchBytes, MAX_BATCH_BYTES, {
    min: 1024,
    max: MAX_BATCH_BYTES,
  });
  const maxEventBytes = numberOption('maxEventBytes', options.maxEventBytes, MAX_EVENT_BYTES, {
    // Leaves room for the mark of a shortened message and the header of a part.
    min: 256,
    max: MAX_EVENT_BYTES,
  });
  return {
    routing,
    connection,
    createMissing: booleanOption('createMissing', options.createMissing, true),
    newGroup: { tags: tags && { ...tags }, kmsKeyId, logGroupClass },
    retentionInDays,
    entity,
    oversize: choiceOption('oversize', options.oversize, 'truncate', ['truncate', 'split', 'drop']),
    compression: choiceOption('compression', options.compression, 'none', ['none', 'gzip']),
    maxEventBytes: Math.min(maxEventBytes, maxBatchBytes - EVENT_OVERHEAD_BYTES),
    maxBatchBytes,
  };
}

/** Checks the options of the connection. Throws `ConfigError`. */
export function resolveConnection(options: ConnectionSettings): ConnectionSettings {
  checkConnection(options);
  const { region, credentials, profile, assumeRole, endpoint, client } = options;
  const proxy = proxyOption('proxy', options.proxy);
  return { region, credentials, profile, assumeRole: assumeRole && { ...assumeRole }, proxy, endpoint, client };
}

/** A part of the service's host name. New regions come, so that there is no list. */
const REGION = /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i;
const ENTITY_KEYS: readonly string[] = ['Type', 'ResourceType', 'Identifier', 'Name', 'Environment'];

function checkConnection(options: ConnectionSettings): void {
  const { client, region, credentials, profile, assumeRole, proxy, endpoint } = options;
  const name = stringOption('region', region, undefined);
  if (name !== undefined && !REGION.test(name)) throw wrongOption('region', 'a region such as "us-east-1"', name);
  if (endpoint !== undefined && !isHttpUrl(endpoint)) {
    throw wrongOption('endpoint', 'a URL that begins with http:// or https://', endpoint);
  }
  if (credentials !== undefined) checkCredentials(credentials);
  stringOption('profile', profile, undefined);
  if (profile !== undefined && credentials !== undefined) {
    throw new ConfigError('profile', 'profile: expected to be absent beside credentials, which it would give');
  }
  checkRole(assumeRole);
  if (client === undefined) return;
  if (typeof objectOption('client', client).send !== 'function') {
    throw wrongOption('client', 'a CloudWatchLogsClient', client);
  }
  for (const [option, value] of Object.entries({ region, credentials, profile, assumeRole, proxy, endpoint })) {
    if (value === undefined) continue;
    throw new ConfigError(option, `${option}: expected to be absent beside client, which has its own`);
  }
}

function checkRole(role: unknown): void {
  const given = objectOption('assumeRole', role, 'an object with roleArn');
  if (role === undefined) return;
  refuseUnknownOptions(given, ['roleArn', 'externalId', 'sessionName', 'durationSeconds'], 'assumeRole.');
  const { roleArn, externalId, sessionName, durationSeconds } = given;
  if (typeof roleArn !== 'string' || !ROLE_ARN.test(roleArn))
    throw wrongOption('assumeRole.roleArn', 'an ARN such as "arn:aws:iam::123456789012:role/logs"', roleArn);
  if (externalId !== undefined && (typeof externalId !== 'string' || !EXTERNAL_ID.test(externalId)))
    throw wrongSecret('assumeRole.externalId', 'a string of 2 to 1224 of a-z A-Z 0-9 _ + = , . @ : / -', externalId);
  if (sessionName !== undefined && (typeof sessionName !== 'string' || !SESSION_NAME.test(sessionName)))
    throw wrongOption('assumeRole.sessionName', 'a string of 2 to 64 of a-z A-Z 0-9 _ + = , . @ -', sessionName);
  numberOption('assumeRole.durationSeconds', durationSeconds, 3600, { min: 900, max: 43_200 });
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const ROLE_ARN = /^arn:[\w-]+:iam::\d{12}:role\/[\x21-\x7e]+$/;
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value);
}

function checkCredentials(value: NonNullable<CloudWatchOptions['credentials']>): void {
  if (typeof value === 'function') return;
  if (typeof value !== 'object' || value === null) {
    throw wrongSecret('credentials', 'an object with accessKeyId and secretAccessKey, or a function', value);
  }
  const fault = faultOfCredentials(value);
  if (!fault) return;
  const { name, expected, got } = fault;
  throw wrongSecret(`credentials.${name}`, expected, got);
}

/** Checks types only: the service's rules for these values change, and its errors name the refused value. */
function checkNewGroup({ retentionInDays, tags, kmsKeyId, logGroupClass }: CloudWatchOptions): void {
  if (retentionInDays !== undefined) numberOption('retentionInDays', retentionInDays, 0, { min: 1 });
  checkStrings('tags', tags);
  stringOption('kmsKeyId', kmsKeyId, undefined);
  stringOption('logGroupClass', logGroupClass, undefined);
}

/** Checks types only, like {@link checkNewGroup}. */
function checkEntity(entity: unknown): void {
  const given = objectOption('entity', entity);
  refuseUnknownOptions(given, ['keyAttributes', 'attributes'], 'entity.');
  for (const [name, strings] of Object.entries(given)) checkStrings(`entity.${name}`, strings);
  refuseUnknownOptions(given.keyAttributes ?? {}, ENTITY_KEYS, 'entity.keyAttributes.');
}

function checkStrings(option: string, strings: unknown): void {
  for (const [key, value] of Object.entries(objectOption(option, strings))) {
    if (value !== undefined && typeof value !== 'string') throw wrongOption(`${option}.${key}`, 'a string', value);
  }
}
