import type { DropReason, EncodedEvent } from '../contract/destination.js';
import type { Drop } from '../options/delivery-options.js';

/** What became of every record. */
export interface LedgerTotals {
  /** Records handed to the transport. */
  readonly received: number;
  /** Records that the service stored. */
  readonly delivered: number;
  /** Records that the service refused one by one in a request it accepted: too old, too new, expired. */
  readonly rejected: number;
  /** Records lost on our side, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Records on disk, for the next start. */
  readonly spooled: number;
  /** Records that wait or are in flight. */
  readonly pending: number;
}

/**
 * Throws unless every record is accounted for:
 * `received = delivered + rejected + sum(dropped by reason) + spooled + pending`. True at every moment.
 */
export function assertBalanced(totals: LedgerTotals): void {
  const dropped = Object.values(totals.dropped).reduce((sum, count) => sum + count, 0);
  const accounted = totals.delivered + totals.rejected + dropped + totals.spooled + totals.pending;
  if (accounted === totals.received) return;
  throw new Error(
    `the ledger does not add up: received ${totals.received}, but delivered ${totals.delivered} + rejected ${totals.rejected} ` +
      `+ dropped ${dropped} + spooled ${totals.spooled} + pending ${totals.pending} = ${accounted}`,
  );
}

/** How a record was lost: refused by the service one by one (`rejected`), or given up on our side. */
export interface LossReason {
  readonly reason: DropReason;
  readonly rejected: boolean;
}

/** The shared fate of the parts of an oversized record: delivered when all are, lost for the reason of the first lost part. */
interface Split {
  unsettled: number;
  loss: LossReason | undefined;
}

/** What is known of an event besides its content. */
export interface EventFlags {
  readonly urgent: boolean;
  readonly split: Split | undefined;
  /** A notice of our own: it takes its part of the budget, but is no record. */
  readonly isNotice: boolean;
}

/** An event in the core's keeping. */
export interface StoredEvent extends EncodedEvent, EventFlags {}

/** What the ledger need of events that share a fate. */
export interface EventTotals {
  readonly events: number;
  readonly costBytes: number;
  /** Of those that are not simply a record. */
  readonly flags: readonly EventFlags[];
}

export function totalsOf(entries: readonly StoredEvent[]): EventTotals {
  return {
    events: entries.length,
    costBytes: entries.reduce((sum, { payload }) => sum + bufferCost(payload.length), 0),
    flags: entries.filter(({ split, isNotice }) => split || isNotice),
  };
}

/** What events take of the byte budget: their text, and what objects and bookkeeping around it cost. */
export function bufferCost(payloadLength: number, events = 1): number {
  return payloadLength + 256 * events;
}

/** Keeps the ledger: each record enters once and leaves once, and every loss is told. */
export class Ledger {
  /** Bytes of the budget in use. */
  bufferBytes = 0;
  #received = 0;
  #delivered = 0;
  #pending = 0;
  readonly #rejected = zeroByReason();
  readonly #dropped = zeroByReason();
  readonly #onLoss: (drop: Drop) => void;

  constructor(tell: (drop: Drop) => void) {
    this.#onLoss = tell;
  }

  /** Whether nothing is in our keeping, no notice either. */
  get isEmpty(): boolean {
    return this.bufferBytes === 0;
  }

  receive(): void {
    this.#received++;
  }

  /** A record was lost before it came into our keeping. */
  refuse(reason: DropReason, time: number, events: readonly EncodedEvent[]): void {
    this.#dropped[reason]++;
    this.#onLoss({ reason, records: 1, from: time, to: time, events });
  }

  /** A record, or a notice, is in our keeping from now on. */
  admit(costBytes: number, isNotice: boolean): void {
    if (!isNotice) this.#pending++;
    this.bufferBytes += costBytes;
  }

  deliver({ events, costBytes, flags: marks }: EventTotals): void {
    this.bufferBytes -= costBytes;
    const records = events - marks.length;
    this.#pending -= records;
    this.#delivered += records;
    for (const mark of marks) this.#settle(mark);
  }

  lose(entries: readonly StoredEvent[], loss: LossReason): void {
    let records = 0;
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    const events: StoredEvent[] = [];
    for (const entry of entries) {
      const isFirstLoss = entry.split?.loss === undefined;
      this.bufferBytes -= bufferCost(entry.payload.length);
      this.#settle(entry, loss);
      if (entry.isNotice) continue;
      events.push(entry);
      if (isFirstLoss) records++;
      from = Math.min(from, entry.time);
      to = Math.max(to, entry.time);
    }
    if (events.length > 0) this.#onLoss({ reason: loss.reason, records, from, to, events });
  }

  /** An event leaves our keeping; its record does so with the last of its parts. */
  #settle({ split, isNotice }: EventFlags, loss?: LossReason): void {
    if (isNotice) return;
    if (split) {
      split.loss ??= loss;
      if (--split.unsettled > 0) return;
      loss = split.loss;
    }
    this.#pending--;
    if (loss === undefined) this.#delivered++;
    else if (loss.rejected) this.#rejected[loss.reason]++;
    else this.#dropped[loss.reason]++;
  }

  get ledger(): LedgerTotals & { readonly rejectedByReason: Readonly<Record<DropReason, number>> } {
    return {
      received: this.#received,
      delivered: this.#delivered,
      rejected: Object.values(this.#rejected).reduce((sum, count) => sum + count, 0),
      rejectedByReason: { ...this.#rejected },
      dropped: { ...this.#dropped },
      spooled: 0,
      pending: this.#pending,
    };
  }
}

/** Whether the ledger have an account for it. */
export function isDropReason(reason: unknown): reason is DropReason {
  return typeof reason === 'string' && Object.hasOwn(zeroByReason(), reason);
}

/** An account for each reason. */
export function zeroByReason(): Record<DropReason, number> {
  return {
    'buffer-full': 0,
    'too-large': 0,
    invalid: 0,
    unencodable: 0,
    'too-old': 0,
    'too-new': 0,
    expired: 0,
    undeliverable: 0,
    closed: 0,
    'too-many-routes': 0,
    feedback: 0,
  };
}
