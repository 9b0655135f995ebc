import { writeSync } from 'node:fs';
import type { Clock, Timer } from '../contract/clock.js';
import type { Drop, DropReason } from '../contract/destination.js';
import type { DeliveryError } from '../contract/errors.js';
import { onProcessEnd } from '../process/exit.js';

/** Shortest time between two lines. */
const QUIET_MS = 30_000;

/**
 * Sums up failures and losses in one line on stderr, at most every 30 s: the default of `onError` and `onDrop`. What comes
 * in between is written when the time is over, when the shipper closes, or when the process exits.
 */
export class StderrSummary {
  readonly #name: string;
  readonly #clock: Clock;
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #forgetExit: (() => void) | undefined;
  #failures = 0;
  #lastError: DeliveryError | undefined;
  readonly #dropped = new Map<DropReason, number>();
  #cause: unknown;

  /** `name` is the destination's. */
  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  addFailure(error: DeliveryError): void {
    this.#failures++;
    this.#lastError = error;
  }

  addDrop({ reason, records, cause }: Drop): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + records);
    this.#cause = cause ?? this.#cause;
  }

  /** Writes the summary now, or when the quiet time is over. */
  scheduleSummary(): void {
    if (this.#isEmpty) return;
    const waitMs = this.#quietUntilMs - this.#clock.monotonic();
    if (waitMs <= 0) this.writeSummary();
    else if (!this.#timer) {
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
    if (this.#isEmpty) return;
    writeLine(`[logferry] ${this.#name}: ${this.#describe()}`);
    this.#quietUntilMs = this.#clock.monotonic() + QUIET_MS;
    this.#failures = 0;
    this.#lastError = undefined;
    this.#dropped.clear();
    this.#cause = undefined;
  }

  get #isEmpty(): boolean {
    return this.#failures === 0 && this.#dropped.size === 0;
  }

  #describe(): string {
    const parts: string[] = [];
    if (this.#dropped.size > 0) {
      const total = [...this.#dropped.values()].reduce((sum, count) => sum + count, 0);
      const reasons = [...this.#dropped].map(([reason, count]) => `${reason} ${count}`).join(', ');
      parts.push(`${total} ${total === 1 ? 'record' : 'records'} lost (${reasons})`);
    }
    if (this.#cause !== undefined) parts.push(`the cause: ${textOf(this.#cause)}`);
    if (this.#lastError) {
      const times = this.#failures === 1 ? '1 attempt failed' : `${this.#failures} attempts failed`;
      parts.push(`${times}, the last with ${this.#lastError.code}: ${this.#lastError.message}`);
    }
    return parts.join('; ');
  }
}

/** The first line of an error's text. The error is the application's, and may throw when it is read. */
function textOf(cause: unknown): string {
  try {
    return String(cause).split('\n', 1)[0] ?? '';
  } catch {
    return 'an error without text';
  }
}

/** Writes to the file descriptor: `process.stderr` of a worker is silent while the main thread waits for its end. */
function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // stderr is closed or full.
  }
}
