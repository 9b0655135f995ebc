import type { Clock, Timer } from '../contract/clock.js';
import type { Drop, DropReason } from '../contract/destination.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import { onProcessEnd, watchExit } from '../process/exit.js';
import { writeToStderr } from './stderr.js';

/** Shortest time between two lines. */
const QUIET_MS = 30_000;

/** Most failures in one line. */
const MAX_FAILURES = 3;

/** Wait for a stderr that is full: a pipe whose reader is slow. */
const FULL_MS = 1000;

/**
 * Sums up failures and losses in one line on stderr, at most every 30 s: the default of `onError` and `onDrop`. Failures and
 * losses in between are written when the 30 s are over, when the shipper closes, or when the process exits. While stderr is full
 * they go on adding up.
 */
export class StderrSummary {
  readonly #name: string;
  readonly #clock: Clock;
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #forgetExit: (() => void) | undefined;
  #pending = nothing();
  /** The rest of a line for which stderr had no room. */
  #unwritten: Buffer = Buffer.alloc(0);
  readonly #isExiting = watchExit();

  /** `name` is the destination's. */
  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  addFailure(error: DeliveryError): void {
    const { failures, codes } = this.#pending;
    codes.add(error.code);
    if (failures.size < MAX_FAILURES) failures.add(failureText(error));
    else if (!failures.has(failureText(error))) this.#pending.moreFailures++;
  }

  addDrop({ reason, records, cause }: Drop): void {
    const { dropped } = this.#pending;
    dropped.set(reason, (dropped.get(reason) ?? 0) + records);
    if (cause !== undefined) this.#pending.cause = cause;
  }

  /** Writes the summary now, or when the quiet time is over. */
  scheduleSummary(): void {
    const waitMs = this.#quietUntilMs - this.#clock.monotonic();
    if (waitMs <= 0) this.writeSummary();
    else if (describe(this.#pending) !== '') this.#schedule(waitMs);
  }

  /** Writes the summary now, if there is anything to say. */
  writeSummary(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#forgetExit?.();
    this.#forgetExit = undefined;
    if (!this.#writeRest()) return;
    const text = describe(this.#pending);
    if (text === '') return;
    this.#unwritten = Buffer.from(`[logferry] ${this.#name}: ${text}\n`);
    this.#quietUntilMs = this.#clock.monotonic() + QUIET_MS;
    this.#pending = nothing();
    this.#writeRest();
  }

  #schedule(waitMs: number): void {
    if (this.#timer) return;
    this.#timer = this.#clock.setTimer(() => this.writeSummary(), waitMs);
    this.#timer.unref();
    this.#forgetExit = onProcessEnd('exit', () => this.writeSummary());
  }

  /** Writes what stderr takes. False if it is full: the rest is written later, at the exit after a short wait. */
  #writeRest(): boolean {
    const untilMs = this.#isExiting() ? this.#clock.monotonic() + FULL_MS : Number.NEGATIVE_INFINITY;
    while (this.#unwritten.length > 0) {
      const bytes = writeToStderr(this.#unwritten);
      this.#unwritten = this.#unwritten.subarray(bytes);
      if (bytes > 0) continue;
      if (this.#clock.monotonic() >= untilMs) {
        if (!this.#isExiting()) this.#schedule(FULL_MS);
        return false;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
    return true;
  }
}

/** The first line of an error's text. The error is the application's, and may throw when it is read. */
export function firstLineOf(cause: unknown): string {
  try {
    return String(cause).split('\n', 1)[0] ?? '';
  } catch {
    return 'an error without text';
  }
}

/** The text of a failure. What is told of the disk, and of the end of failures, has no code of an attempt. */
function failureText({ code, message }: DeliveryError): string {
  return code === 'SPOOL' || code === 'RECOVERED' ? message : `${code}: ${message}`;
}

interface Summary {
  /** In the order in which they came. */
  readonly failures: Set<string>;
  readonly codes: Set<DeliveryCode>;
  /** Those that had no room. */
  moreFailures: number;
  readonly dropped: Map<DropReason, number>;
  cause: unknown;
}

function nothing(): Summary {
  return { failures: new Set(), codes: new Set(), moreFailures: 0, dropped: new Map(), cause: undefined };
}

function describe({ failures, codes, moreFailures, dropped, cause }: Summary): string {
  const parts: string[] = [];
  if (dropped.size > 0) {
    const total = [...dropped.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...dropped].map(([reason, count]) => `${reason} ${count}`).join(', ');
    parts.push(`${total} ${total === 1 ? 'record' : 'records'} lost (${reasons})`);
  }
  if (DeliveryError.is(cause)) {
    if (!codes.has(cause.code)) parts.push(`the cause: ${failureText(cause)}`);
  } else if (cause !== undefined) parts.push(`the cause: ${firstLineOf(cause)}`);
  parts.push(...failures);
  if (moreFailures > 0) parts.push(`and ${moreFailures} more`);
  return parts.join('; ');
}
