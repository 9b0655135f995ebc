import type { Clock } from '../contract/clock.js';
import type { Drop, DropReason } from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';
import { stringify } from '../tools/stringify.js';

/** Shortest time between two notices for the same shipper. */
const QUIET_MS = 30_000;

type LossSpan = Pick<Drop, 'records' | 'from' | 'to'>;

/** Adds up losses until a record of our own in the logs can state them. */
export class DropNotices {
  readonly #clock: Clock;
  readonly #lost = new Map<DropReason, LossSpan>();
  #quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ reason, records, from, to }: Drop): void {
    const before = this.#lost.get(reason) ?? { records: 0, from, to };
    this.#lost.set(reason, {
      records: before.records + records,
      from: Math.min(before.from, from),
      to: Math.max(before.to, to),
    });
  }

  /** Takes out the losses, for another shipper to state. */
  drain(): readonly Drop[] {
    const drops = [...this.#lost].map(([reason, span]) => ({ reason, ...span, events: [] }));
    this.#lost.clear();
    return drops;
  }

  /** Takes out the notices that are due: one for each reason. `isLast` ignores the time since the last notices. */
  take(isLast: boolean): readonly LogRecord[] {
    const nowMs = this.#clock.monotonic();
    if (this.#lost.size === 0 || (nowMs < this.#quietUntilMs && !isLast)) return [];
    this.#quietUntilMs = nowMs + QUIET_MS;
    return this.drain().map((drop) => noticeOf(drop, this.#clock.now()));
  }
}

/** A record as a framework would make it, for destinations that read the text and for those that read the fields. */
function noticeOf({ reason, records, from, to }: Drop, time: number): LogRecord {
  const level = 'warn';
  const noun = records === 1 ? 'record' : 'records';
  const message = `logferry: ${records} ${noun} dropped (${reason}) between ${isoTime(from)} and ${isoTime(to)}`;
  const fields = { message, logferry: { dropped: records, reason, from: isoTime(from), to: isoTime(to) } };
  return { time, level, urgent: true, text: stringify({ level, time: isoTime(time), ...fields }), fields };
}

/** The application sets the time of a record, so that it need not be a date. */
function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
