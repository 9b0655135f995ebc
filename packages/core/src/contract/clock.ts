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
