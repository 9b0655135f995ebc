import type { Context } from './context.js';
import { ServiceError } from './errors.js';
import { asString, Fields, type Input } from './fields.js';
import { findGroupByArn } from './groups.js';
import { checkTags, LOG_GROUP_IDENTIFIER, LOG_GROUP_NAME, MAX_TAGS } from './rules.js';
import { findGroup, type LogGroup, type Store } from './store.js';

/** Adds tags to a log group, or replaces their values. */
export function tagResource(input: Input, { store }: Context): undefined {
  const fields = new Fields(input);
  const find = groupByArn(fields, store);
  addTags(fields, find);
}

/** Removes tags from a log group; those that it does not have are ignored. */
export function untagResource(input: Input, { store }: Context): undefined {
  const fields = new Fields(input);
  const find = groupByArn(fields, store);
  removeTags(fields, fields.list('tagKeys', { min: 0, max: MAX_TAGS }), find);
}

/** Lists the tags of a log group. */
export function listTagsForResource(input: Input, { store }: Context): object {
  const fields = new Fields(input);
  const find = groupByArn(fields, store);
  fields.check();
  return { tags: Object.fromEntries(find().tags) };
}

/** The deprecated form of TagResource. */
export function tagLogGroup(input: Input, { store }: Context): undefined {
  const fields = new Fields(input);
  const find = groupByName(fields, store);
  addTags(fields, find);
}

/** The deprecated form of UntagResource. */
export function untagLogGroup(input: Input, { store }: Context): undefined {
  const fields = new Fields(input);
  const find = groupByName(fields, store);
  removeTags(fields, fields.list('tags', { min: 1, max: Number.POSITIVE_INFINITY }), find);
}

/** The deprecated form of ListTagsForResource. */
export function listTagsLogGroup(input: Input, { store }: Context): object {
  const fields = new Fields(input);
  const find = groupByName(fields, store);
  fields.check();
  return { tags: Object.fromEntries(find().tags) };
}

/** Finds the group once all members are checked. */
type FindGroup = () => LogGroup;

function groupByArn(fields: Fields, store: Store): FindGroup {
  const arn = fields.string('resourceArn', LOG_GROUP_IDENTIFIER);
  return () => findGroupByArn(store, arn);
}

function groupByName(fields: Fields, store: Store): FindGroup {
  const name = fields.string('logGroupName', LOG_GROUP_NAME);
  return () => findGroup(store, name);
}

function addTags(fields: Fields, find: FindGroup): undefined {
  const tags = fields.optionalStringMap('tags');
  if (tags) checkTags(fields, tags);
  else fields.refuseMissing('tags');
  fields.check();
  const group = find();
  const merged = new Map([...group.tags, ...(tags ?? [])]);
  if (merged.size > MAX_TAGS) {
    throw new ServiceError('TooManyTagsException', `The resource would have more than ${MAX_TAGS} tags.`);
  }
  for (const [key, value] of merged) group.tags.set(key, value);
}

function removeTags(fields: Fields, values: readonly unknown[], find: FindGroup): undefined {
  const keys = values.map(asString);
  fields.check();
  const group = find();
  for (const key of keys) group.tags.delete(key);
}
