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

/** The encoding of a record, checked: a destination may be a third party's. */
export type CheckedEncoding =
  | { readonly events: readonly EncodedEvent[]; readonly costBytes: number; readonly urgent: boolean }
  | { readonly refused: DropReason; readonly events?: readonly EncodedEvent[]; readonly cause?: unknown };

/** Encodes a record. Never throws: an error becomes the cause of a refusal. */
export function encodeChecked(destination: Destination, limits: ResolvedLimits, record: LogRecord): CheckedEncoding {
  try {
    const { urgent } = record;
    return check(encode(destination, record), limits, urgent);
  } catch (cause) {
    return { refused: 'unencodable', cause };
  }
}

/** Encodes records together, or each alone if that fails: then one of them may be to blame. Never throws. */
export function encodeAllChecked(
  destination: TextDestination,
  limits: ResolvedLimits,
  records: readonly TextRecord[],
): readonly CheckedEncoding[] {
  try {
    const encodings = destination.encodeAll?.(records) ?? [];
    if (encodings.length !== records.length)
      throw new TypeError('encodeAll() must return one encoding for each record');
    return records.map(({ urgent }, index) => check(encodings[index] as Encoding, limits, urgent));
  } catch {
    return records.map((record) => encodeChecked(destination, limits, { ...record, fields: NO_FIELDS }));
  }
}

const NO_FIELDS = Object.freeze({});

/** Calls `encode` of the destination, which gets what it reads and nothing else, here as in a worker thread. */
export function encode(destination: Destination, record: LogRecord): Encoding {
  const { time, level, urgent } = record;
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
  if ('refused' in encoding) return { refused: isDropReason(encoding.refused) ? encoding.refused : 'invalid' };
  const events: readonly EncodedEvent[] = Array.isArray(encoding) ? encoding : [encoding];
  const refused = refusalOf(events, limits);
  if (refused) return { refused, events };
  let costBytes = 0;
  for (const { payload } of events) costBytes += bufferCost(Buffer.byteLength(payload));
  return { events, costBytes, urgent };
}

/** The reason why these events can never be sent. Throws for an object that is not an event. */
function refusalOf(events: readonly EncodedEvent[], limits: ResolvedLimits): DropReason | undefined {
  if (events.length === 0) return 'invalid';
  for (const { route, payload, time, bytes } of events) {
    const isEvent = typeof route === 'string' && typeof payload === 'string' && Number.isFinite(time) && bytes >= 0;
    if (!isEvent) throw new TypeError('encode() must return events with route, time, payload and bytes');
    if (limits.baseBytes(route) + bytes > limits.maxBytes) return 'too-large';
  }
  return undefined;
}
