import { writeSync } from 'node:fs';
import type { Clock, Timer } from '../contract/clock.js';
import type { Drop, DropReason } from '../contract/destination.js';
import { DeliveryError } from '../contract/errors.js';
import { onProcessEnd } from '../process/exit.js';

/** Shortest time between two lines. */
const QUIET_MS = 30_000;

/**
 * Sums up failures and losses in one line on stderr, at most every 30 s: the default of `onError` and `onDrop`. Failures and
 * losses in between are written when the 30 s are over, when the shipper closes, or when the process exits.
 */
export class StderrSummary {
  readonly #name: string;
  readonly #clock: Clock;
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #forgetExit: (() => void) | undefined;
  #pending = nothing();

  /** `name` is the destination's. */
  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  addFailure(error: DeliveryError): void {
    this.#pending.failures++;
    this.#pending.lastError = error;
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
    else if (!this.#timer && describe(this.#pending) !== '') {
      this.#timer = this.#clock.setTimer(() => this.writeSummary(), waitMs);
      this.#timer.unref();
      this.#forgetExit = onProcessEnd('exit', () => this.writeSummary());
    }
  }

  /** Writes the summary now, if there is anything to say. */
  writeSummary(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#forgetExit?.();
    const text = describe(this.#pending);
    if (text === '') return;
    writeLine(`[logferry] ${this.#name}: ${text}`);
    this.#quietUntilMs = this.#clock.monotonic() + QUIET_MS;
    this.#pending = nothing();
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

interface Summary {
  failures: number;
  lastError: DeliveryError | undefined;
  readonly dropped: Map<DropReason, number>;
  cause: unknown;
}

function nothing(): Summary {
  return { failures: 0, lastError: undefined, dropped: new Map(), cause: undefined };
}

function describe({ failures, lastError, dropped, cause }: Summary): string {
  const parts: string[] = [];
  if (dropped.size > 0) {
    const total = [...dropped.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...dropped].map(([reason, count]) => `${reason} ${count}`).join(', ');
    parts.push(`${total} ${total === 1 ? 'record' : 'records'} lost (${reasons})`);
  }
  const isTold = DeliveryError.is(cause) && cause.code === lastError?.code;
  if (cause !== undefined && !isTold) parts.push(`the cause: ${firstLineOf(cause)}`);
  if (lastError) {
    const times = failures === 1 ? '1 attempt failed' : `${failures} attempts failed`;
    parts.push(`${times}, the last with ${lastError.code}: ${lastError.message}`);
  }
  return parts.join('; ');
}

/** Writes to the file descriptor: `process.stderr` can lose a line at the exit of the process. */
function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // stderr is closed or full.
  }
}
