import { bufferCost, isDropReason } from '../accounting/ledger.js';
import type { BatchLimits, Destination, DropReason, EncodedEvent, Encoding } from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';

/** What a destination made of a record, checked: destinations are other people's code. */
export type CheckedEncoding =
  | { readonly events: readonly EncodedEvent[]; readonly costBytes: number; readonly urgent: boolean }
  | { readonly refused: DropReason; readonly events?: readonly EncodedEvent[] };

/** Encodes a record. Never throws. */
export function encodeChecked(destination: Destination, limits: BatchLimits, record: LogRecord): CheckedEncoding {
  try {
    return check(destination.encode(record), limits, record);
  } catch {
    return { refused: 'unencodable' };
  }
}

/** Encodes records together, or one by one if that fails: then one of them may be to blame. Never throws. */
export function encodeAllChecked(
  destination: Destination,
  limits: BatchLimits,
  records: readonly LogRecord[],
): readonly CheckedEncoding[] {
  try {
    const encodings = destination.encodeAll?.(records) ?? [];
    if (encodings.length !== records.length) throw new TypeError('encodeAll() must answer for each record');
    return records.map((record, index) => check(encodings[index] as Encoding, limits, record));
  } catch {
    return records.map((record) => encodeChecked(destination, limits, record));
  }
}

function check(encoding: Encoding, limits: BatchLimits, { urgent }: LogRecord): CheckedEncoding {
  if ('refused' in encoding) return { refused: isDropReason(encoding.refused) ? encoding.refused : 'invalid' };
  const events: readonly EncodedEvent[] = Array.isArray(encoding) ? encoding : [encoding];
  let costBytes = 0;
  for (const { payload } of events) costBytes += bufferCost(payload.length);
  const refused = misfit(events, limits);
  return refused ? { refused, events } : { events, costBytes, urgent };
}

/** Why these events can never be sent. */
function misfit(events: readonly EncodedEvent[], limits: BatchLimits): DropReason | undefined {
  if (events.length === 0) return 'invalid';
  for (const { route, payload, time, bytes } of events) {
    const isEvent = typeof route === 'string' && typeof payload === 'string' && Number.isFinite(time) && bytes >= 0;
    if (!isEvent) return 'unencodable';
    if (limits.baseBytes(route) + bytes > limits.maxBytes) return 'too-large';
  }
  return undefined;
}
