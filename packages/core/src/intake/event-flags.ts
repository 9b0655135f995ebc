import type { EventFlags } from '../accounting/ledger.js';

export const ORDINARY: EventFlags = { urgent: false, split: undefined, isNotice: false };
export const URGENT: EventFlags = { ...ORDINARY, urgent: true };
export const NOTICE: EventFlags = { ...URGENT, isNotice: true };

/** The flags of the events of a record, which has so many. `id` is that of the record on disk; 0 for none. */
export function flagsOf(events: number, kind: EventFlags, id: number): EventFlags {
  return events > 1 ? { ...kind, split: { unsettled: events, loss: undefined, id } } : kind;
}
