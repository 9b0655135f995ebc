import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import * as timers from 'node:timers';
import type { Clock } from '../contract/clock.js';
import { guarded } from './guarded.js';

// Bound when the module is loaded: test runners replace the globals by fake timers, which may never call back. jest, which gives each
// test file globals of its own, leaves the modules of Node.js as they are.
const { setTimeout, clearTimeout, setImmediate } = timers;
const { process } = globalThis;
const now: () => number = Object.getPrototypeOf(performance).now.bind(performance);

/**
 * Runs a function in the asynchronous context in which this module was loaded. What lives longer than a log call, such as a timer,
 * a socket or a thread, would keep the application's context for its life: a request, its body, its user.
 */
export const outsideContext: <T>(act: () => T) => T = AsyncLocalStorage.snapshot();

/** Calls back before any I/O and any timer: for callbacks of the application, whose errors are its own. */
export const nextTick: (callback: (...args: never[]) => void) => void = process.nextTick.bind(process);

/** The longest delay of a Node.js timer, which fires at once for a longer one. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Time of the system, also while the timers are faked. Callbacks run outside of the caller's asynchronous context, and an error of
 * theirs is no uncaught one.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => now(),
  setTimer(callback, delayMs) {
    const dueAtMs = now() + delayMs;
    let isKeepingAlive = true;
    // Node.js cuts a delay to whole milliseconds, and counts from the start of the turn: its timer may fire early.
    const elapse = guarded(() => {
      if (now() >= dueAtMs) callback();
      else timer = start();
    });
    const start = (): NodeJS.Timeout => {
      const restMs = Math.max(0, Math.ceil(dueAtMs - now()));
      const started = setTimeout(elapse, Math.min(restMs, MAX_TIMER_MS));
      return isKeepingAlive ? started : started.unref();
    };
    let timer = outsideContext(start);
    return {
      unref() {
        isKeepingAlive = false;
        timer.unref();
      },
      cancel: () => clearTimeout(timer),
    };
  },
  defer: (callback) => void outsideContext(() => setImmediate(guarded(callback))),
};

/** Resolves at the end of this turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => systemClock.defer(resolve));
}

/** Resolves after a delay, and keeps the process alive until then. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.setTimer(resolve, ms));
}
