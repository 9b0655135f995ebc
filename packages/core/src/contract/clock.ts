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
  /** Calls back once `delayMs` have passed on the monotonic clock, never sooner. */
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
    const dueAtMs = performance.now() + delayMs;
    let isKeepingAlive = true;
    // Node.js cuts a delay to whole milliseconds, and counts from the start of the turn: its timer may fire early.
    const elapse = (): void => {
      if (performance.now() >= dueAtMs) callback();
      else timer = start();
    };
    const start = (): NodeJS.Timeout => {
      const restMs = Math.max(0, Math.ceil(dueAtMs - performance.now()));
      const started = setTimeout(elapse, Math.min(restMs, MAX_TIMER_MS));
      return isKeepingAlive ? started : started.unref();
    };
    let timer = start();
    return {
      unref() {
        isKeepingAlive = false;
        timer.unref();
      },
      cancel: () => clearTimeout(timer),
    };
  },
  defer: (callback) => void setImmediate(callback),
};
