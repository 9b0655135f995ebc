import type { Context } from './context.js';
import { invalidParameter, ServiceError } from './errors.js';
import { Fields, type Input } from './fields.js';
import { page, readToken } from './paging.js';
import {
  checkTags,
  KMS_KEY_ARN,
  LOG_GROUP_CLASSES,
  LOG_GROUP_IDENTIFIER,
  LOG_GROUP_NAME,
  RETENTION_DAYS,
} from './rules.js';
import { EventLog, findGroup, type LogGroup, type Store } from './store.js';

/** The account ID in every ARN. */
const ACCOUNT_ID = '123456789012';

/** Creates a log group. */
export function createLogGroup(input: Input, { store, region, now }: Context): undefined {
  const fields = new Fields(input);
  const name = fields.string('logGroupName', LOG_GROUP_NAME);
  const kmsKeyId = fields.optionalString('kmsKeyId', { max: 256 });
  const tags = fields.optionalStringMap('tags');
  const logGroupClass = fields.optionalString('logGroupClass', { values: LOG_GROUP_CLASSES }) ?? 'STANDARD';
  if (tags) checkTags(fields, tags);
  fields.check();
  if (name.startsWith('aws/')) throw invalidParameter('Log groups starting with AWS/ are reserved for AWS.');
  if (kmsKeyId !== undefined && !KMS_KEY_ARN.test(kmsKeyId)) {
    throw invalidParameter(`The specified KMS key is not the ARN of a symmetric key: ${kmsKeyId}`);
  }
  if (store.groups.has(name)) {
    throw new ServiceError('ResourceAlreadyExistsException', 'The specified log group already exists');
  }
  store.groups.set(name, {
    name,
    arn: `arn:aws:logs:${region}:${ACCOUNT_ID}:log-group:${name}`,
    creationTime: now,
    logGroupClass,
    kmsKeyId,
    tags: new Map(tags),
    streams: new Map(),
    retentionInDays: undefined,
    log: new EventLog(),
  });
}

/** Deletes a log group with its streams and events. */
export function deleteLogGroup(input: Input, { store }: Context): undefined {
  store.groups.delete(readGroup(input, store).name);
}

/** Sets the retention of a log group, in days. */
export function putRetentionPolicy(input: Input, { store }: Context): undefined {
  const fields = new Fields(input);
  const name = fields.string('logGroupName', LOG_GROUP_NAME);
  const retentionInDays = fields.integer('retentionInDays', { values: RETENTION_DAYS });
  fields.check();
  findGroup(store, name).retentionInDays = retentionInDays;
}

/** Removes the retention of a log group: its events never expire. */
export function deleteRetentionPolicy(input: Input, { store }: Context): undefined {
  readGroup(input, store).retentionInDays = undefined;
}

/** Lists log groups by name, at most 50 per page. */
export function describeLogGroups(input: Input, { store }: Context): object {
  const fields = new Fields(input);
  const prefix = fields.optionalString('logGroupNamePrefix', LOG_GROUP_NAME);
  const pattern = fields.optionalString('logGroupNamePattern', LOG_GROUP_NAME);
  const logGroupClass = fields.optionalString('logGroupClass', { values: LOG_GROUP_CLASSES });
  const limit = fields.optionalInteger('limit', { min: 1, max: 50 }) ?? 50;
  const start = readToken(fields);
  fields.check();
  if (prefix !== undefined && pattern !== undefined) {
    throw invalidParameter('logGroupNamePrefix and logGroupNamePattern are mutually exclusive.');
  }
  const groups = [...store.groups.values()]
    .filter(({ name }) => name.startsWith(prefix ?? '') && name.includes(pattern ?? ''))
    .filter((group) => logGroupClass === undefined || group.logGroupClass === logGroupClass)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const { items, nextToken } = page(groups, start, limit);
  return { logGroups: items.map(describe), nextToken };
}

/** The log group named by `logGroupName`, or by `logGroupIdentifier` (an ARN or a name). Calls `fields.check()`. */
export function readGroupOf(fields: Fields, store: Store): LogGroup {
  if (fields.has('logGroupName') === fields.has('logGroupIdentifier')) {
    fields.check();
    throw invalidParameter('Exactly one of logGroupName and logGroupIdentifier must be given.');
  }
  const name = fields.optionalString('logGroupName', LOG_GROUP_NAME);
  const identifier = fields.optionalString('logGroupIdentifier', LOG_GROUP_IDENTIFIER);
  fields.check();
  return name === undefined && identifier?.startsWith('arn:')
    ? findGroupByArn(store, identifier)
    : findGroup(store, name ?? identifier ?? '');
}

/** The log group of that ARN. Throws `ResourceNotFoundException`. */
export function findGroupByArn(store: Store, arn: string): LogGroup {
  const group = [...store.groups.values()].find((candidate) => candidate.arn === arn);
  return group ?? findGroup(store, arn);
}

function readGroup(input: Input, store: Store): LogGroup {
  const fields = new Fields(input);
  const name = fields.string('logGroupName', LOG_GROUP_NAME);
  fields.check();
  return findGroup(store, name);
}

function describe(group: LogGroup): object {
  return {
    logGroupName: group.name,
    // The service returns both forms. Operations that take an ARN accept only the second.
    arn: `${group.arn}:*`,
    logGroupArn: group.arn,
    creationTime: group.creationTime,
    logGroupClass: group.logGroupClass,
    metricFilterCount: 0,
    storedBytes: 0,
    retentionInDays: group.retentionInDays,
    kmsKeyId: group.kmsKeyId,
  };
}
