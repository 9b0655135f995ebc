import type { StreamNamer } from './stream-name.js';

/** The log group and log stream of a batch. */
export interface Target {
  readonly group: string;
  readonly stream: string;
}

/** Returns the route of an event with this time (epoch milliseconds) and level. */
export type Router = (time: number, level: string) => string;

/** Joins both names to one string. Neither can contain the separator. */
export function routeOf({ group, stream }: Target): string {
  return `${group}:${stream}`;
}

export function targetOf(route: string): Target {
  const separator = route.indexOf(':');
  return { group: route.slice(0, separator), stream: route.slice(separator + 1) };
}

/** Makes a router. It caches the routes of the current minute, so that most events neither format a name nor make a string. */
export function createRouter(group: string, streamName: string | StreamNamer): Router {
  if (typeof streamName === 'string') {
    const route = routeOf({ group, stream: streamName });
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
      route = routeOf({ group, stream: streamName(time, level) });
      routes.set(level, route);
    }
    return route;
  };
}

/** The finest unit of a date in a stream name. */
const MINUTE_MS = 60_000;

/** More than any framework has. Bounds memory when a program invents levels. */
const MAX_LEVELS = 100;
