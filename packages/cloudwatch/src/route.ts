import { callRoute, compileName, type LogRecord, type NamedRecord, nameOf, type RecordName } from '@logferry/core';
import { checkGroup, groupRule, streamRule } from './names.js';
import type { CloudWatchOptions } from './options.js';

/** The log group and log stream of a batch. */
export interface Target {
  readonly group: string;
  readonly stream: string;
}

/** How records come to their routes: by time (epoch milliseconds) and level, or by all that they hold. */
export type Routing = {
  /** The stream that no group has yet when this process starts. `undefined` if its name does not say so, or is not the only one. */
  readonly newStream: string | undefined;
} & (
  | { readonly by: 'time and level'; readonly routeOf: (time: number, level: string) => string }
  | { readonly by: 'record'; readonly routeOf: (record: LogRecord) => string }
);

/** Joins both names to one string. A group cannot contain the separator. */
export function routeOf({ group, stream }: Target): string {
  return `${group}:${stream}`;
}

export function targetOf(route: string): Target {
  const separator = route.indexOf(':');
  return { group: route.slice(0, separator), stream: route.slice(separator + 1) };
}

/** Compiles the options that name group and stream. Throws `ConfigError`. `route` is a function, or `undefined`. */
export function createRouting({
  logGroupName,
  logStreamName = DEFAULT_STREAM_NAME,
  route,
}: Pick<CloudWatchOptions, 'logGroupName' | 'logStreamName' | 'route'>): Routing {
  checkGroup(logGroupName);
  const group = compileName<LogRecord>(logGroupName, groupRule);
  const stream = compileName<LogRecord>(logStreamName, streamRule);
  const newStream = NEW_WITH_PROCESS.test(String(logStreamName)) ? stream.fixed : undefined;
  if (route) return { newStream, by: 'record', routeOf: routeByFunction(route, group, stream) };
  if (group.readsFields || stream.readsFields) {
    const routeOfRecord = (record: LogRecord): string =>
      routeOf({ group: group.of(record), stream: stream.of(record) });
    return { newStream, by: 'record', routeOf: routeOfRecord };
  }
  return {
    newStream,
    by: 'time and level',
    routeOf: createRouter(group as RecordName<NamedRecord>, stream as RecordName<NamedRecord>),
  };
}

function routeByFunction(
  route: NonNullable<CloudWatchOptions['route']>,
  group: RecordName<LogRecord>,
  stream: RecordName<LogRecord>,
): (record: LogRecord) => string {
  return (record) => {
    const { logGroupName, logStreamName } = callRoute(route, record, ROUTE_MEMBERS);
    return routeOf({
      group: logGroupName === undefined ? group.of(record) : nameOf(logGroupName, groupRule),
      stream: logStreamName === undefined ? stream.of(record) : nameOf(logStreamName, streamRule),
    });
  };
}

/** It caches the routes of the current minute, so that most events neither format a name nor make a string. */
function createRouter(
  group: RecordName<NamedRecord>,
  stream: RecordName<NamedRecord>,
): (time: number, level: string) => string {
  if (group.fixed !== undefined && stream.fixed !== undefined) {
    const route = routeOf({ group: group.fixed, stream: stream.fixed });
    return () => route;
  }
  const routes = new Map<string, string>();
  let minute = Number.NaN;
  return (time, level) => {
    const minuteOfEvent = Math.floor(time / MINUTE_MS);
    if (minuteOfEvent !== minute || routes.size > MAX_LEVELS) {
      minute = minuteOfEvent;
      routes.clear();
    }
    let route = routes.get(level);
    if (route === undefined) {
      route = routeOf({ group: group.of({ time, level }), stream: stream.of({ time, level }) });
      routes.set(level, route);
    }
    return route;
  };
}

const ROUTE_MEMBERS = ['logGroupName', 'logStreamName'] as const;

/** Unique to the process, so that no two writers share a stream. */
const DEFAULT_STREAM_NAME = '{hostname}/{pid}/{start}';

/** The tokens of a name that no earlier process had. */
const NEW_WITH_PROCESS = /\{(start|uuid)\}/;

/** The finest unit of a date in a name. */
const MINUTE_MS = 60_000;

/** More than any framework has. Bounds memory when a program invents levels. */
const MAX_LEVELS = 100;
