import {
  callRoute,
  compileName,
  type FieldsRecord,
  functionOption,
  nameOf,
  objectOption,
  type RecordName,
  stringOption,
  wrongOption,
} from '@logferry/core';
import { isValidKey } from '../encode/keys.js';
import { routeOf } from '../encode/route.js';
import { MAX_TOPIC_BYTES } from '../limits.js';
import { logstoreRule, tagRule, topicRule } from './names.js';
import type { LogServiceOptions, LogServiceRecord } from './options.js';

/** How logs come to their routes. */
export interface Routing {
  /** The logstore of all logs; `undefined` if the route of each log names its own. */
  readonly logstore: string | undefined;
  /** The route, if it is the same for all logs. */
  readonly fixed: string | undefined;
  /** Whether fields, or functions of records, decide: any number of routes may come of them. */
  readonly readsFields: boolean;
  /** Makes the route of a record. Throws if a function of the application does, or returns what is no name. */
  readonly of: (record: FieldsRecord) => string;
  /** The longest route, unless the option `route` makes a longer one. */
  readonly longest: string;
}

type Name = RecordName<LogServiceRecord>;

/** Compiles the options that name logstore, topic and tags. Throws `ConfigError`. */
export function createRouting(options: LogServiceOptions, source: string): Routing {
  const route = functionOption('route', options.route, undefined);
  const logstore = compileName<LogServiceRecord>(options.logstore, logstoreRule);
  const topic = topicName(options.topic);
  const tags = tagNames(options.tags);
  const names = [logstore, ...(topic ? [topic] : []), ...tags.map(([, name]) => name)];
  // A template may have another name at each start: what is on disk names its own.
  const isPlain = !route && typeof options.logstore === 'string' && options.logstore === logstore.fixed;
  const make = (record: LogServiceRecord): string => {
    const given = route ? callRoute(route, record, ROUTE_MEMBERS) : {};
    const { logstore: ownLogstore, topic: ownTopic, tags: ownTags } = given;
    const head = {
      topic: (ownTopic === undefined ? topic?.of(record) : nameOf(ownTopic, topicRule)) || undefined,
      source,
      tags: ownTags === undefined ? textsOf(tags, record) : givenTags(ownTags),
    };
    if (isPlain) return routeOf(head);
    return routeOf(head, ownLogstore === undefined ? logstore.of(record) : nameOf(ownLogstore, logstoreRule));
  };
  const isFixed = !route && names.every(({ fixed }) => fixed !== undefined);
  const fixed = isFixed ? make(NO_RECORD) : undefined;
  const longestTags = tags.map(([key, name]) => [key, name.fixed ?? LONGEST_TEXT]);
  const longestTopic = topic && (topic.fixed ?? LONGEST_TEXT);
  return {
    logstore: isPlain ? logstore.fixed : undefined,
    fixed,
    readsFields: route !== undefined || names.some(({ readsFields }) => readsFields),
    of: fixed === undefined ? make : () => fixed,
    longest: routeOf({ topic: longestTopic, source, tags: Object.fromEntries(longestTags) }),
  };
}

const ROUTE_MEMBERS = ['logstore', 'topic', 'tags'] as const;

/** No name reads it. */
const NO_RECORD: LogServiceRecord = { time: 0, level: '', urgent: false, fields: {} };

/** No text that is cut takes more bytes in JSON. */
const LONGEST_TEXT = '\u0001'.repeat(MAX_TOPIC_BYTES);

function topicName(option: unknown): Name | undefined {
  if (typeof option === 'function') return compileName(option, topicRule);
  const text = stringOption('topic', option, undefined);
  return text === undefined ? undefined : compileName(text, topicRule);
}

function tagNames(option: unknown): (readonly [key: string, name: Name])[] {
  return Object.entries(objectOption('tags', option)).map(([key, value]) => {
    if (!isValidKey(key)) throw wrongOption('tags', TAG_KEYS, key);
    return [key, compileName<LogServiceRecord>(value, tagRule(key))] as const;
  });
}

function textsOf(tags: readonly (readonly [key: string, name: Name])[], record: LogServiceRecord): Tags {
  return Object.fromEntries(tags.map(([key, name]) => [key, name.of(record)]));
}

/** The tags that the option `route` returned. Throws `TypeError` for anything else. */
function givenTags(tags: unknown): Tags {
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags))
    throw new TypeError('route: expected tags that are an object of strings');
  return Object.fromEntries(
    Object.entries(tags).map(([key, value]) => {
      if (!isValidKey(key)) throw new TypeError(`route: expected tags with ${TAG_KEYS}, got "${key}"`);
      return [key, nameOf(value, tagRule(key))];
    }),
  );
}

type Tags = Readonly<Record<string, string>>;

const TAG_KEYS = 'keys of 1 to 128 bytes that are not reserved';
