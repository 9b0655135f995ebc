import { type Drop, type DropReason, type EncodedEvent, isLeftOut, zeroByReason } from '../contract/destination.js';

/** The fate of every record. */
export interface LedgerTotals {
  /** Records handed to the transport. */
  readonly received: number;
  /** Records that the service stored. */
  readonly delivered: number;
  /** Records that the service refused one by one in a request that it accepted: too old, too new, expired. */
  readonly rejected: number;
  /** Records lost on our side, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Records of dead processes that were found on disk; 0 without the option `spool`. */
  readonly recovered: number;
  /** Records that are on disk only: to be read back, or for the next start. */
  readonly spooled: number;
  /** Records that wait or are in flight. */
  readonly pending: number;
}

/**
 * Throws unless every record is accounted for, and none twice: no count is negative, and
 * `received + recovered = delivered + rejected + sum(dropped by reason) + spooled + pending`. This is true at every moment.
 */
export function assertBalanced(totals: LedgerTotals): void {
  const dropped = Object.values(totals.dropped).reduce((sum, count) => sum + count, 0);
  const accounted = totals.delivered + totals.rejected + dropped + totals.spooled + totals.pending;
  const isNegative = totals.pending < 0 || totals.spooled < 0;
  if (accounted === totals.received + totals.recovered && !isNegative) return;
  throw new Error(
    `the ledger does not add up: received ${totals.received} + recovered ${totals.recovered}, but delivered ${totals.delivered} + rejected ${totals.rejected} ` +
      `+ dropped ${dropped} + spooled ${totals.spooled} + pending ${totals.pending} = ${accounted}`,
  );
}

/** The way a record was lost: `rejected` by the service one by one, or given up on our side, perhaps for an error. */
export interface LossReason {
  readonly reason: DropReason;
  readonly rejected: boolean;
  readonly cause?: unknown;
}

/** The shared fate of the parts of an oversized record: delivered when all are, lost for the reason of the first lost part. */
interface Split {
  unsettled: number;
  loss: LossReason | undefined;
  /** Of the record on disk; 0 for none. */
  readonly id: number;
}

/** Properties of an event besides its content. */
export interface EventFlags {
  readonly urgent: boolean;
  readonly split: Split | undefined;
  /** A notice of our own: it takes its part of the budget, but is no record. */
  readonly isNotice: boolean;
}

/** An event in the core's keeping. */
export interface StoredEvent extends EncodedEvent, EventFlags {
  /** Of its record on disk; 0 for none. */
  readonly id: number;
}

/** The sums that the ledger needs of events with one fate. */
export interface EventTotals {
  readonly events: number;
  readonly costBytes: number;
  /** The flags of the events that are parts of a record, or notices. */
  readonly flags: readonly EventFlags[];
  /** The ids of records on disk, without those that are split. */
  readonly ids: readonly number[];
}

/** The sums over `events`. */
export function totalsOf(events: readonly StoredEvent[]): EventTotals {
  return {
    events: events.length,
    costBytes: events.reduce((sum, { payload }) => sum + bufferCost(Buffer.byteLength(payload)), 0),
    flags: events.filter(({ split, isNotice }) => split || isNotice),
    ids: events.flatMap(({ id, split }) => (id > 0 && !split ? id : [])),
  };
}

/** The event as a destination or a callback sees it. */
export function withoutFlags({ route, time, payload, bytes }: StoredEvent): EncodedEvent {
  return { route, time, payload, bytes };
}

/** Memory of an event besides its payload, in bytes: its numbers in the columns of a batch. Measured. */
const EVENT_COST_BYTES = 40;

/** What a frame on disk takes besides, in bytes: a usual route, and the head. */
const FRAME_COST_BYTES = 128;

/** The bytes of the budget that events take. */
export function bufferCost(payloadBytes: number, events = 1): number {
  return payloadBytes + EVENT_COST_BYTES * events;
}

/** Counts each record in once and out once. A loss cannot be counted without being handed to `onLoss`. */
export class Ledger {
  /** Bytes of the budget that events take. */
  eventBytes = 0;
  #received = 0;
  #delivered = 0;
  #pending = 0;
  #recovered = 0;
  #spooled = 0;
  readonly #rejected = zeroByReason();
  readonly #dropped = zeroByReason();
  readonly #onLoss: (drop: Drop, wasKept: boolean) => void;
  readonly #onOut: (ids: readonly number[]) => void;

  /** `onOut` is called with the ids of records on disk that are counted out: they have met their fate. */
  constructor(onLoss: (drop: Drop, wasKept: boolean) => void, onOut: (ids: readonly number[]) => void = () => {}) {
    this.#onLoss = onLoss;
    this.#onOut = onOut;
  }

  /** Whether the core keeps no event, no notice either. */
  get isEmpty(): boolean {
    return this.eventBytes === 0;
  }

  /** Bytes that the records in memory would take on disk, about. */
  get frameBytes(): number {
    return this.eventBytes + this.#pending * FRAME_COST_BYTES;
  }

  receive(): void {
    this.#received++;
  }

  /** Counts a record that is lost, or left out, before the core keeps it. */
  refuse(reason: DropReason, time: number, events: readonly EncodedEvent[], cause?: unknown): void {
    this.#dropped[reason]++;
    if (isLeftOut(reason)) return;
    this.#onLoss({ reason, records: 1, from: time, to: time, events, ...withCause(cause) }, false);
  }

  /** Counts a record, or a notice, that the core keeps from now on. */
  admit(costBytes: number, isNotice: boolean): void {
    if (!isNotice) this.#pending++;
    this.eventBytes += costBytes;
  }

  /** Counts a record that the core keeps on disk only. */
  park(): void {
    this.#spooled++;
  }

  /** Takes back that a record is on disk. */
  unpark(): void {
    this.#spooled--;
  }

  /** Counts records that a dead process left on disk. */
  recover(records: number): void {
    this.#recovered += records;
    this.#spooled += records;
  }

  /** Counts a record that was read back from disk. */
  readBack(costBytes: number): void {
    this.#spooled--;
    this.admit(costBytes, false);
  }

  /** Counts records that were on disk only, and are lost. */
  loseSpooled({ reason, records, from, to, cause }: Omit<Drop, 'events'>, ids: readonly number[] = []): void {
    if (records === 0) return;
    this.#spooled -= records;
    this.#dropped[reason] += records;
    this.#onLoss({ reason, records, from, to, events: [], ...withCause(cause) }, true);
    this.#out(ids);
  }

  deliver({ events, costBytes, flags, ids }: EventTotals): void {
    this.eventBytes -= costBytes;
    const records = events - flags.length;
    this.#pending -= records;
    this.#delivered += records;
    const done = flags.flatMap((each) => this.#settle(each));
    this.#out(done.length === 0 ? ids : [...ids, ...done]);
  }

  /** Counts events out that stay on disk, for the next start. Returns the ids of records that had them before. */
  leave(events: readonly StoredEvent[]): readonly number[] {
    return events.flatMap((event) => {
      this.eventBytes -= bufferCost(Buffer.byteLength(event.payload));
      return this.#settle(event, 'left');
    });
  }

  lose(events: readonly StoredEvent[], loss: LossReason): void {
    let records = 0;
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    const lost: EncodedEvent[] = [];
    const done: number[] = [];
    for (const event of events) {
      const isFirstLoss = event.split?.loss === undefined;
      this.eventBytes -= bufferCost(Buffer.byteLength(event.payload));
      done.push(...this.#settle(event, loss));
      if (event.isNotice) continue;
      lost.push(withoutFlags(event));
      if (isFirstLoss) records++;
      from = Math.min(from, event.time);
      to = Math.max(to, event.time);
    }
    const { reason, cause } = loss;
    if (lost.length > 0) this.#onLoss({ reason, records, from, to, events: lost, ...withCause(cause) }, true);
    this.#out(done);
  }

  get totals(): LedgerTotals & { readonly rejectedByReason: Readonly<Record<DropReason, number>> } {
    return {
      received: this.#received,
      delivered: this.#delivered,
      rejected: Object.values(this.#rejected).reduce((sum, count) => sum + count, 0),
      rejectedByReason: { ...this.#rejected },
      dropped: { ...this.#dropped },
      recovered: this.#recovered,
      spooled: this.#spooled,
      pending: this.#pending,
    };
  }

  /** Counts an event out. Its record leaves with the last of its parts. Returns the id of a record on disk that has left. */
  #settle({ split, isNotice, id = 0 }: EventFlags & { readonly id?: number }, fate?: LossReason | 'left'): number[] {
    if (isNotice) return [];
    let loss = fate === 'left' ? undefined : fate;
    if (split) {
      split.loss ??= loss;
      if (--split.unsettled > 0) return [];
      loss = split.loss;
    }
    this.#pending--;
    if (loss?.rejected) this.#rejected[loss.reason]++;
    else if (loss) this.#dropped[loss.reason]++;
    else if (fate === 'left') this.#spooled++;
    else this.#delivered++;
    const idOnDisk = split?.id ?? id;
    return idOnDisk > 0 ? [idOnDisk] : [];
  }

  #out(ids: readonly number[]): void {
    if (ids.length > 0) this.#onOut(ids);
  }
}

/** `cause`, if there is one, for a {@link Drop}. */
export function withCause<T>(cause: T | undefined): { readonly cause?: T } {
  return cause === undefined ? {} : { cause };
}
