import type { Context } from './context.js';
import { invalidParameter } from './errors.js';
import { asString, Fields, type Input } from './fields.js';
import { parseFilterPattern } from './filter-pattern.js';
import { readGroupOf } from './groups.js';
import { EVENT_OVERHEAD_BYTES, LOG_STREAM_NAME } from './rules.js';
import { type CloudWatchEvent, findStream } from './store.js';

const MAX_PAGE_EVENTS = 10_000;
const MAX_PAGE_BYTES = 1_048_576;

/** Reads a page of one stream in order of time, by default the latest events. */
export function getLogEvents(input: Input, { store }: Context): object {
  const fields = new Fields(input);
  const logStreamName = fields.string('logStreamName', LOG_STREAM_NAME);
  const { startTime, endTime, limit, token } = readCommon(fields);
  const fromHead = fields.optionalBoolean('startFromHead') ?? false;
  const stream = findStream(readGroupOf(fields, store), logStreamName);
  const log = stream.log.byTime();
  const start = token === undefined ? firstPosition(log, fromHead) : parseToken(token);
  // The end is exclusive here, and inclusive in FilterLogEvents.
  const isInTime = ({ timestamp }: CloudWatchEvent) => timestamp >= startTime && timestamp < endTime;
  const { events, next } = walk(log, start, limit, isInTime);
  const [lower, upper] = start.forward ? [start.index, next.index] : [next.index, start.index];
  if (!start.forward) events.reverse();
  return {
    events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
    nextForwardToken: formatToken({ index: upper, forward: true }),
    nextBackwardToken: formatToken({ index: lower, forward: false }),
  };
}

/** Reads a page of the events of a group that match streams, time range and pattern, in order of time. */
export function filterLogEvents(input: Input, { store, isEmptyPage }: Context): object {
  const fields = new Fields(input);
  const names = fields.optionalList('logStreamNames', { min: 1, max: 100 })?.map(asString);
  const prefix = fields.optionalString('logStreamNamePrefix', LOG_STREAM_NAME);
  const matches = parseFilterPattern(fields.optionalString('filterPattern', { max: 1024 }) ?? '');
  const { startTime, endTime, limit, token } = readCommon(fields);
  const fromHead = fields.optionalBoolean('startFromHead') ?? true;
  const group = readGroupOf(fields, store);
  if (names && prefix !== undefined) {
    throw invalidParameter('logStreamNames and logStreamNamePrefix are mutually exclusive.');
  }
  for (const name of names ?? []) findStream(group, name);

  const streams = new Set(names ?? [...group.streams.keys()].filter((name) => name.startsWith(prefix ?? '')));
  const log = group.log.byTime();
  // A token keeps the direction of the request that returned it.
  const start = token === undefined ? firstPosition(log, fromHead) : parseToken(token);
  // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
  if (isEmptyPage) return { events: [], searchedLogStreams: [], nextToken: formatToken(start) };
  const { events, next, more } = walk(
    log,
    start,
    limit,
    ({ timestamp, logStreamName, message }) =>
      timestamp >= startTime && timestamp <= endTime && streams.has(logStreamName) && matches(message),
  );
  return {
    events: events.map(({ logStreamName, timestamp, message, ingestionTime, eventId }) => ({
      logStreamName,
      timestamp,
      message,
      ingestionTime,
      eventId,
    })),
    searchedLogStreams: [],
    nextToken: more ? formatToken(next) : undefined,
  };
}

interface CommonInput {
  readonly startTime: number;
  readonly endTime: number;
  readonly limit: number;
  readonly token: string | undefined;
}

function readCommon(fields: Fields): CommonInput {
  return {
    startTime: fields.optionalInteger('startTime', { min: 0 }) ?? 0,
    endTime: fields.optionalInteger('endTime', { min: 0 }) ?? Number.POSITIVE_INFINITY,
    limit: fields.optionalInteger('limit', { min: 1, max: MAX_PAGE_EVENTS }) ?? MAX_PAGE_EVENTS,
    token: fields.optionalString('nextToken', { min: 1 }),
  };
}

/** A position between events. Forward, the event at `index` is next; backward, the event at `index - 1`. */
interface Position {
  readonly index: number;
  readonly forward: boolean;
}

function firstPosition(log: readonly CloudWatchEvent[], forward: boolean): Position {
  return { index: forward ? 0 : log.length, forward };
}

function parseToken(token: string): Position {
  const parts = /^([fb])\/(\d{1,15})$/.exec(token);
  if (!parts) throw invalidParameter('The specified nextToken is invalid.');
  return { index: Number(parts[2]), forward: parts[1] === 'f' };
}

function formatToken({ index, forward }: Position): string {
  return `${forward ? 'f' : 'b'}/${index}`;
}

/** The events of one page in the direction of reading, the position of the next page, and whether it has events. */
function walk(
  log: readonly CloudWatchEvent[],
  { index: start, forward }: Position,
  limit: number,
  isWanted: (event: CloudWatchEvent) => boolean,
): { events: CloudWatchEvent[]; next: Position; more: boolean } {
  const events: CloudWatchEvent[] = [];
  let bytes = 0;
  let index = Math.min(start, log.length);
  for (; forward ? index < log.length : index > 0; index += forward ? 1 : -1) {
    const event = log[forward ? index : index - 1];
    if (!event || !isWanted(event)) continue;
    bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
    if (events.length === limit || bytes > MAX_PAGE_BYTES) return { events, next: { index, forward }, more: true };
    events.push(event);
  }
  return { events, next: { index, forward }, more: false };
}
