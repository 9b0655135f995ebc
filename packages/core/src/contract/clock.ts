/** A pending timer. */
export interface Timer {
  /** Lets the process end although the timer is pending. */
  unref(): void;
  cancel(): void;
}

/** Where the core gets time from; a parameter, so that tests can turn the hands. */
export interface Clock {
  /** Wall time, in epoch milliseconds. */
  now(): number;
  /** Milliseconds on a clock that never jumps. */
  monotonic(): number;
  /** Calls back after `delayMs`. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Calls back in the next turn of the event loop. */
  defer(callback: () => void): void;
}

/** The longest delay that a Node.js timer keeps; for more it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));
    return { unref: () => void timer.unref(), cancel: () => clearTimeout(timer) };
  },
  defer: (callback) => void setImmediate(callback),
};
