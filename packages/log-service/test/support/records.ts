import type { Batch, Destination, EncodedEvent, FieldsDestination, LogRecord } from '@logferry/core';
import { createLogService, type LogServiceOptions } from '../../src/index.js';

/** Options for tests that send nothing. */
export const SHOP: LogServiceOptions = {
  endpoint: 'http://127.0.0.1:1',
  project: 'shop',
  logstore: 'web',
  source: 'host',
};

export function shop(options: Partial<LogServiceOptions> = {}): FieldsDestination {
  return createLogService({ ...SHOP, ...options });
}

export function record(fields: Readonly<Record<string, unknown>>, rest: Partial<LogRecord> = {}): LogRecord {
  return { time: 1_700_000_000_123, level: 'info', urgent: false, text: '', ...rest, fields };
}

/** An event of web tracking. */
export interface TextEvent extends EncodedEvent {
  readonly payload: string;
}

/** The events of a record for web tracking; none if the destination refuses it. */
export function encoded(destination: Destination, input: LogRecord): readonly TextEvent[] {
  return eventsOf(destination, input) as readonly TextEvent[];
}

/** The events of a record; none if the destination refuses it. */
export function eventsOf(destination: Destination, input: LogRecord): readonly EncodedEvent[] {
  const encoding = destination.encode(input);
  if ('refused' in encoding) return [];
  return Array.isArray(encoding) ? encoding : [encoding as EncodedEvent];
}

export type Fields = Readonly<Record<string, string>>;

/** The log of a record with these fields. */
export function stored(
  fields: Readonly<Record<string, unknown>>,
  options: Partial<LogServiceOptions> = {},
  rest: Partial<LogRecord> = {},
): Fields {
  const [event] = encoded(shop(options), record(fields, rest));
  return JSON.parse(String(event?.payload ?? '{}'));
}

/** The log of a record with these fields, without time, sequence number and level. */
export function storedFields(fields: Readonly<Record<string, unknown>>): Fields {
  const { time, seq, level, ...own } = stored(fields);
  return own;
}

export function batchOf(destination: Destination, ...records: readonly Readonly<Record<string, unknown>>[]): Batch {
  return batchAt(1_700_000_000_123, destination, ...records);
}

/** A batch with events of a time in epoch milliseconds. */
export function batchAt(
  time: number,
  destination: Destination,
  ...records: readonly Readonly<Record<string, unknown>>[]
): Batch {
  const events = records.flatMap((fields) => eventsOf(destination, record(fields, { time })));
  const route = events[0]?.route ?? '';
  const bytes = events.reduce((sum, event) => sum + event.bytes, destination.limits.baseBytes?.(route) ?? 0);
  return { route, events, bytes, separator: destination.separator };
}
