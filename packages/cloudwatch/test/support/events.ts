import {
  type Batch,
  DeliveryError,
  type Destination,
  type EncodedEvent,
  type LogRecord,
  type SendOutcome,
} from '@logferry/core';
import { type CloudWatchOptions, createCloudWatch } from '../../src/index.js';

export function record(text: string, rest: Partial<LogRecord> = {}): LogRecord {
  return { time: Date.now(), level: 'info', urgent: false, fields: {}, ...rest, text };
}

/** The events of a text; none if the destination refuses it. */
export function encoded(destination: Destination, text: string, rest?: Partial<LogRecord>): readonly EncodedEvent[] {
  const encoding = destination.encode(record(text, rest));
  if ('refused' in encoding) return [];
  return Array.isArray(encoding) ? encoding : [encoding as EncodedEvent];
}

export function messageOf({ payload }: EncodedEvent): string {
  return JSON.parse(String(payload)).message;
}

/** The messages of a text with these options. */
export function messages(text: string, options: Partial<CloudWatchOptions> = {}): string[] {
  return encoded(createCloudWatch({ logGroupName: 'shop', ...options }), text).map(messageOf);
}

/** A batch of texts with the same time. */
export function batchOf(destination: Destination, ...texts: string[]): Batch {
  const time = Date.now();
  const events = texts.flatMap((text) => encoded(destination, text, { time }));
  const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
  return { route: events[0]?.route ?? '', events, bytes };
}

/** A destination for the stream `web` of the group `shop`. */
export function create(options: Partial<CloudWatchOptions>): Destination {
  return createCloudWatch({ logGroupName: 'shop', logStreamName: 'web', ...options });
}

export function send(destination: Destination, batch: Batch): Promise<SendOutcome> {
  return destination.send(batch, AbortSignal.timeout(10_000));
}

/** Sends as the core does: repeats once, at once, after AGAIN. */
export async function deliver(destination: Destination, batch: Batch): Promise<SendOutcome> {
  try {
    return await send(destination, batch);
  } catch (error) {
    if (!DeliveryError.is(error) || error.code !== 'AGAIN' || error.ambiguous) throw error;
    return send(destination, batch);
  }
}
