/** A pending timer. */
export interface Timer {
  /** Lets the process end although the timer is pending. */
  unref(): void;
  /** Prevents the callback. Does nothing once it was called. */
  cancel(): void;
}

/** The core's source of time: a parameter, so that tests control time. */
export interface Clock {
  /** Wall time, in epoch milliseconds. */
  now(): number;
  /** Milliseconds on a clock that never jumps. */
  monotonic(): number;
  /** Calls back after `delayMs`. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Calls back at the end of this turn of the event loop. */
  defer(callback: () => void): void;
}

/** The longest delay of a Node.js timer, which fires at once for a longer one. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Time of the system. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));
    return { unref: () => void timer.unref(), cancel: () => clearTimeout(timer) };
  },
  defer: (callback) => void setImmediate(callback),
};
