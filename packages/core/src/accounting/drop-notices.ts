import type { Clock } from '../contract/clock.js';
import type { DropReason } from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';
import type { Drop } from '../options/delivery-options.js';
import { stringify } from '../tools/stringify.js';

const QUIET_MS = 30_000;

type LossSpan = Pick<Drop, 'records' | 'from' | 'to'>;

/** Remembers what was lost, until a notice in the logs themselves can say so. */
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

  /** What is remembered, for others to say. */
  drain(): readonly Drop[] {
    const drops = [...this.#lost].map(([reason, loss]) => ({ reason, ...loss, events: [] }));
    this.#lost.clear();
    return drops;
  }

  /** The notices that are due, one for each reason. `isLast` ends the quiet time that follows each notice. */
  take(isLast: boolean): readonly LogRecord[] {
    const nowMs = this.#clock.monotonic();
    if (this.#lost.size === 0 || (nowMs < this.#quietUntilMs && !isLast)) return [];
    this.#quietUntilMs = nowMs + QUIET_MS;
    const notices = [...this.#lost].map(([reason, loss]) => noticeOf(reason, loss, this.#clock.now()));
    this.#lost.clear();
    return notices;
  }
}

/** A record as a framework would make it, for destinations that read the text and for those that read the fields. */
function noticeOf(reason: DropReason, { records, from, to }: LossSpan, time: number): LogRecord {
  const level = 'warn';
  const noun = records === 1 ? 'record' : 'records';
  const message = `logferry: ${records} ${noun} dropped (${reason}) between ${isoTime(from)} and ${isoTime(to)}`;
  const fields = { message, logferry: { dropped: records, reason, from: isoTime(from), to: isoTime(to) } };
  return { time, level, urgent: true, text: stringify({ level, time: isoTime(time), ...fields }), fields };
}

/** The time of a lost record is whatever the application gave it. */
function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
