import { writeSync } from 'node:fs';
import { type Clock, systemClock, type Timer } from '../contract/clock.js';
import type { DeliveryCode, DeliveryError } from '../contract/errors.js';
import { isOperatorFault } from '../delivery/retry-policy.js';
import type { DeliveryOptions, Drop } from '../options/delivery-options.js';
import { onProcessEnd } from '../process/exit.js';

const QUIET_MS = 30_000;

const OPERATOR_FAULT_QUIET_MS = 60_000;

/** Where failures and losses are told. */
export interface Reporter {
  onError(error: DeliveryError): void;
  onDrop(drop: Drop): void;
  /** Says at once what waits for the end of a quiet time. */
  flush(): void;
}

/**
 * The default of `onError` and `onDrop`: one line on stderr, at most every 30 s. What comes in between is counted, and
 * said when the time is over, the shipper is closed or the process ends.
 */
export function stderrReporter(name: string, clock: Clock = systemClock): Reporter {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let timer: Timer | undefined;
  let forgetExit: (() => void) | undefined;
  let failures = 0;
  let lastError: DeliveryError | undefined;
  const dropped = new Map<string, number>();

  const speak = (): void => {
    timer?.cancel();
    timer = undefined;
    forgetExit?.();
    if (failures === 0 && dropped.size === 0) return;
    writeLine(`[logferry] ${name}: ${describe(failures, lastError, dropped)}`);
    quietUntilMs = clock.monotonic() + QUIET_MS;
    failures = 0;
    lastError = undefined;
    dropped.clear();
  };
  const speakSoon = (): void => {
    const waitMs = quietUntilMs - clock.monotonic();
    if (waitMs <= 0) speak();
    else if (!timer) {
      timer = clock.setTimer(speak, waitMs);
      timer.unref();
      forgetExit = onProcessEnd('exit', speak);
    }
  };
  return {
    onError(error) {
      failures++;
      lastError = error;
      speakSoon();
    },
    onDrop({ reason, records }) {
      dropped.set(reason, (dropped.get(reason) ?? 0) + records);
      speakSoon();
    },
    flush: speak,
  };
}

/** A reporter that minds what the callbacks do. */
export interface CarefulReporter extends Reporter {
  /** Whether a callback runs now. */
  readonly isTelling: boolean;
  /** Does what a callback asked for: losses that come of it are not told. */
  quietly<T>(act: () => T): T;
  /** Times that `onError` or `onDrop` threw, or rejected. */
  readonly callbackErrors: number;
}

/**
 * The user's own `onError` and `onDrop`, and stderr for what has none. Neither throws, nor is called from inside of the
 * other: news that come meanwhile are told afterwards, but for losses that a callback itself causes (it logged, say), so
 * that telling never feeds itself. Faults that somebody has to mend are told at most once a minute.
 */
export function createReporter(name: string, options: DeliveryOptions, clock: Clock): CarefulReporter {
  const stderr = stderrReporter(name, clock);
  const { onError = stderr.onError, onDrop = stderr.onDrop } = options;
  const toldMs = new Map<DeliveryCode, number>();
  const untold: (() => unknown)[] = [];
  let isTelling = false;
  let isQuiet = false;
  let callbackErrors = 0;
  const failed = (): void => void callbackErrors++;
  const call = (callback: () => unknown): void => {
    try {
      const returned = callback();
      if (isThenable(returned)) returned.then(undefined, failed);
    } catch {
      // The application's callback failed; delivery goes on.
      failed();
    }
  };
  const tell = (callback: () => unknown): void => {
    if (isQuiet) return;
    untold.push(callback);
    if (isTelling) return;
    isTelling = true;
    for (let next = untold.shift(); next; next = untold.shift()) call(next);
    isTelling = false;
  };
  return {
    get isTelling() {
      return isTelling;
    },
    quietly(act) {
      const before = isQuiet;
      isQuiet = true;
      try {
        return act();
      } finally {
        isQuiet = before;
      }
    },
    onError(error) {
      const nowMs = clock.monotonic();
      if (isOperatorFault(error)) {
        if (nowMs < (toldMs.get(error.code) ?? Number.NEGATIVE_INFINITY) + OPERATOR_FAULT_QUIET_MS) return;
        toldMs.set(error.code, nowMs);
      }
      tell(() => onError(error));
    },
    onDrop: (drop) => tell(() => onDrop(drop)),
    flush: stderr.flush,
    get callbackErrors() {
      return callbackErrors;
    },
  };
}

function describe(failures: number, error: DeliveryError | undefined, dropped: ReadonlyMap<string, number>): string {
  const parts: string[] = [];
  if (dropped.size > 0) {
    const total = [...dropped.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...dropped].map(([reason, count]) => `${reason} ${count}`).join(', ');
    parts.push(`${total} ${total === 1 ? 'record' : 'records'} lost (${reasons})`);
  }
  if (error) {
    const times = failures === 1 ? '1 attempt failed' : `${failures} attempts failed`;
    parts.push(`${times}, the last with ${error.code}: ${error.message}`);
  }
  return parts.join('; ');
}

/** Straight to the file descriptor: a worker's own `process.stderr` is silent while the main thread waits for it to end. */
function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // stderr is closed or full; there is nowhere left to say it.
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
