import type { Context } from './context.js';
import { invalidParameter, ServiceError } from './errors.js';
import { Fields, type Input } from './fields.js';
import { readGroupOf } from './groups.js';
import { page, readToken } from './paging.js';
import { LOG_GROUP_NAME, LOG_STREAM_NAME } from './rules.js';
import { EventLog, findGroup, findStream, type LogStream } from './store.js';

/** Creates a log stream. */
export function createLogStream(input: Input, { store, now }: Context): undefined {
  const { logGroupName, logStreamName } = readNames(input);
  const group = findGroup(store, logGroupName);
  if (group.streams.has(logStreamName)) {
    throw new ServiceError('ResourceAlreadyExistsException', 'The specified log stream already exists');
  }
  group.streams.set(logStreamName, {
    name: logStreamName,
    arn: `${group.arn}:log-stream:${logStreamName}`,
    creationTime: now,
    log: new EventLog(),
    nextToken: undefined,
    recentPuts: [],
    lastBatch: undefined,
  });
}

/** Deletes a log stream with its events. */
export function deleteLogStream(input: Input, { store }: Context): undefined {
  const { logGroupName, logStreamName } = readNames(input);
  const group = findGroup(store, logGroupName);
  group.streams.delete(findStream(group, logStreamName).name);
  group.log = new EventLog(group.log.events.filter((event) => event.logStreamName !== logStreamName));
}

/** Lists log streams by name or last event, at most 50 per page. */
export function describeLogStreams(input: Input, { store }: Context): object {
  const fields = new Fields(input);
  const prefix = fields.optionalString('logStreamNamePrefix', LOG_STREAM_NAME);
  const orderBy = fields.optionalString('orderBy', { values: ['LogStreamName', 'LastEventTime'] });
  const descending = fields.optionalBoolean('descending') ?? false;
  const limit = fields.optionalInteger('limit', { min: 1, max: 50 }) ?? 50;
  const start = readToken(fields);
  const group = readGroupOf(fields, store);
  if (orderBy === 'LastEventTime' && prefix !== undefined) {
    throw invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
  }
  const byName = (a: LogStream, b: LogStream) => (a.name < b.name ? -1 : 1);
  const byLastEvent = (a: LogStream, b: LogStream) => (lastEventTime(a) ?? 0) - (lastEventTime(b) ?? 0);
  const streams = [...group.streams.values()]
    .filter(({ name }) => name.startsWith(prefix ?? ''))
    .toSorted(orderBy === 'LastEventTime' ? byLastEvent : byName);
  if (descending) streams.reverse();
  const { items, nextToken } = page(streams, start, limit);
  return { logStreams: items.map(describe), nextToken };
}

function readNames(input: Input): { logGroupName: string; logStreamName: string } {
  const fields = new Fields(input);
  const logGroupName = fields.string('logGroupName', LOG_GROUP_NAME);
  const logStreamName = fields.string('logStreamName', LOG_STREAM_NAME);
  fields.check();
  return { logGroupName, logStreamName };
}

function lastEventTime(stream: LogStream): number | undefined {
  return stream.log.byTime().at(-1)?.timestamp;
}

function describe(stream: LogStream): object {
  return {
    logStreamName: stream.name,
    arn: stream.arn,
    creationTime: stream.creationTime,
    firstEventTimestamp: stream.log.byTime()[0]?.timestamp,
    lastEventTimestamp: lastEventTime(stream),
    lastIngestionTime: stream.log.events.at(-1)?.ingestionTime,
    uploadSequenceToken: stream.nextToken,
    storedBytes: 0,
  };
}
