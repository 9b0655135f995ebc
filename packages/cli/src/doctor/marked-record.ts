import { hostname } from 'node:os';
import type { Destination, LogRecord } from '@logferry/core';

/** The record that the check `write` ships: people and queries can tell it from others. */
export function markedRecord(): LogRecord {
  const time = Date.now();
  const fields = { logferry: 'doctor', time: new Date(time).toISOString(), host: hostname() };
  return { time, level: 'info', urgent: false, text: JSON.stringify(fields), fields };
}

/** The route that the record takes. Throws if the options make none of it. */
export function routeOfRecord(destination: Destination): string {
  const [event] = [destination.encode(markedRecord())].flat();
  if (event && 'route' in event) return event.route;
  throw new Error('the options make no route of a record: check templates and functions');
}
