import { types } from 'node:util';
import { bufferCost } from '../accounting/ledger.js';
import {
  type Destination,
  type DropReason,
  type EncodedEvent,
  type Encoding,
  isDropReason,
  type TextDestination,
  type TextRecord,
} from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';
import type { ResolvedLimits } from '../options/delivery-options.js';
import { isThenable } from '../tools/is-thenable.js';
import type { TimeWindow } from './time-window.js';

/** An event, checked. */
export interface CheckedEvent extends EncodedEvent {
  /** Bytes of a batch of its route before the first event. */
  readonly baseBytes: number;
}

/** The encoding of a record, checked: a destination may be a third party's. */
export type CheckedEncoding =
  | { readonly events: readonly CheckedEvent[]; readonly costBytes: number; readonly urgent: boolean }
  | { readonly refused: DropReason; readonly events?: readonly EncodedEvent[]; readonly cause?: unknown };

/** Encodes a record, with the time that the window allows. Never throws: an error becomes the cause of a refusal. */
export function encodeChecked(
  destination: Destination,
  limits: ResolvedLimits,
  window: TimeWindow,
  record: LogRecord,
): CheckedEncoding {
  try {
    const { urgent } = record;
    return check(encode(destination, record, window.dateOf(record.time)), limits, urgent);
  } catch (cause) {
    return { refused: 'unencodable', cause };
  }
}

/** Encodes dated records together, or each alone if that fails: then one of them may be to blame. Never throws. */
export function encodeAllChecked(
  destination: TextDestination,
  limits: ResolvedLimits,
  window: TimeWindow,
  records: readonly TextRecord[],
): readonly CheckedEncoding[] {
  try {
    const encodings = destination.encodeAll?.(records) ?? [];
    if (encodings.length !== records.length)
      throw new TypeError('encodeAll() must return one encoding for each record');
    return records.map(({ urgent }, index) => check(encodings[index] as Encoding, limits, urgent));
  } catch {
    return records.map((record) => encodeChecked(destination, limits, window, { ...record, fields: NO_FIELDS }));
  }
}

const NO_FIELDS = Object.freeze({});

/** Calls `encode` of the destination, which gets what it reads and nothing else, here as in a worker thread. */
export function encode(destination: Destination, record: LogRecord, time: number = record.time): Encoding {
  const { level, urgent } = record;
  switch (destination.reads) {
    case 'text':
      return destination.encode({ time, level, urgent, text: record.text });
    case 'fields':
      return destination.encode({ time, level, urgent, fields: record.fields });
    case 'both':
      return destination.encode({ time, level, urgent, text: record.text, fields: record.fields });
  }
}

function check(encoding: Encoding, limits: ResolvedLimits, urgent: boolean): CheckedEncoding {
  if (isThenable(encoding)) {
    encoding.then(undefined, () => {});
    throw new TypeError('encode() must be synchronous');
  }
  if ('refused' in encoding) return { refused: isDropReason(encoding.refused) ? encoding.refused : 'invalid' };
  const events = Array.isArray(encoding)
    ? encoding.map((event) => checkEvent(event, limits))
    : [checkEvent(encoding as EncodedEvent, limits)];
  if (events.length === 0) return { refused: 'invalid' };
  let costBytes = 0;
  for (const { payload, bytes, baseBytes } of events) {
    if (baseBytes + bytes > limits.maxBytes) return { refused: 'too-large', events };
    costBytes += bufferCost(Buffer.byteLength(payload));
  }
  return { events, costBytes, urgent };
}

/** Reads each member once: it may be a getter. Throws for an object that is not an event. */
function checkEvent({ route, time, payload, bytes }: EncodedEvent, limits: ResolvedLimits): CheckedEvent {
  const hasPayload = typeof payload === 'string' || types.isUint8Array(payload);
  if (typeof route !== 'string' || !hasPayload || !Number.isFinite(time) || !isSize(bytes))
    throw new TypeError('encode() must return events with route, time, payload and bytes');
  const baseBytes = limits.baseBytes(route);
  if (!isSize(baseBytes)) throw new TypeError('limits.baseBytes() must return a number of at least 0');
  return { route, time, payload, bytes, baseBytes };
}

function isSize(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}
