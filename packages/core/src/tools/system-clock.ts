import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import * as timers from 'node:timers';
import type { Clock } from '../contract/clock.js';
import { guarded } from './guarded.js';

// Bound when the module is loaded: test runners replace the globals by fake timers, which may never call back. jest, which gives each
// test file globals of its own, leaves the modules of Node.js as they are. `now` of the prototype is never a fake; Bun has it on the object.
const { setTimeout, clearTimeout, setImmediate } = timers;
const { process } = globalThis;
const now: () => number = (Object.getPrototypeOf(performance).now ?? performance.now).bind(performance);

/** What has the context of the module. `jest --detectOpenHandles` takes it for an open handle unless it says that it holds nothing. */
class ModuleContext extends AsyncResource {
  hasRef(): boolean {
    return false;
  }
}

const moduleContext = new ModuleContext('LogferryModule');

/**
 * Runs a function in the asynchronous context in which this module was loaded. What lives longer than a log call, such as a timer,
 * a socket or a thread, would keep the application's context for its life: a request, its body, its user.
 */
export const outsideContext = <T>(act: () => T): T => moduleContext.runInAsyncScope(act);

/** Calls back before any I/O and any timer: for callbacks of the application, whose errors are its own. */
export const nextTick: (callback: (...args: never[]) => void) => void = process.nextTick.bind(process);

/** The longest delay of a Node.js timer, which fires at once for a longer one. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * A timer that is late by so much was due while the process stood still: it was frozen between invocations, or blocked. Node.js calls
 * such timers before it reads what came meanwhile, which may be what the timer limits the wait for.
 */
export const STANDSTILL_MS = 1000;

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
    let isCancelled = false;
    // Node.js cuts a delay to whole milliseconds, and counts from the start of the turn: its timer may fire early.
    const elapse = guarded(() => {
      const lateMs = now() - dueAtMs;
      if (lateMs < 0) timer = start();
      else if (lateMs < STANDSTILL_MS) callback();
      else
        afterReading(() => {
          if (!isCancelled) callback();
        });
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
      cancel() {
        isCancelled = true;
        clearTimeout(timer);
      },
    };
  },
  defer: (callback) => void outsideContext(() => setImmediate(guarded(callback))),
};

/**
 * Calls back once this process has read what its connections have: the end of a turn in which something was written, or in which timers
 * were due, may come before.
 */
export function afterReading(callback: () => void): void {
  systemClock.defer(() => systemClock.defer(callback));
}

/** Resolves at the end of this turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => systemClock.defer(resolve));
}

/** Resolves after a delay, and keeps the process alive until then. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.setTimer(resolve, ms));
}
