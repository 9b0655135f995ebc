import type { BatchLimits, Destination, DropReason, EncodedEvent } from './destination.js';
import { costOf, isDropReason } from './ledger.js';
import type { LogRecord } from './record.js';

/** What a destination made of a record, checked: destinations are other people's code. */
export type CheckedEncoding =
  | { readonly events: readonly EncodedEvent[]; readonly costBytes: number; readonly urgent: boolean }
  | { readonly refused: DropReason; readonly events?: readonly EncodedEvent[] };

/** Encodes a record. Never throws. */
export function encodeChecked(destination: Destination, limits: BatchLimits, record: LogRecord): CheckedEncoding {
  try {
    const encoding = destination.encode(record);
    if ('refused' in encoding) return { refused: isDropReason(encoding.refused) ? encoding.refused : 'invalid' };
    const events: readonly EncodedEvent[] = Array.isArray(encoding) ? encoding : [encoding];
    const { urgent } = record;
    let costBytes = 0;
    for (const { payload } of events) costBytes += costOf(payload.length);
    const refused = misfit(events, limits);
    return refused ? { refused, events } : { events, costBytes, urgent };
  } catch {
    return { refused: 'unencodable' };
  }
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
