import { AsyncLocalStorage } from 'node:async_hooks';

/** An activity of ours that can make the application, or the SDK, log. */
export type Activity = 'sending' | 'notifying';

/** Shared by all copies of this package in the process: logs of one transport's request must not feed another's either. */
const ACTIVITY = Symbol.for('logferry.activity');

const holder = globalThis as { [ACTIVITY]?: AsyncLocalStorage<Activity> };
holder[ACTIVITY] ??= new AsyncLocalStorage();
const storage = holder[ACTIVITY];

/** Runs a request or a callback, so that a record logged from inside is known as such. */
export function runAs<T>(activity: Activity, act: () => T): T {
  return storage.run(activity, act);
}

/** The activity in whose asynchronous context the caller runs: the SDK logs a line, or a callback does. */
export function currentActivity(): Activity | undefined {
  return storage.getStore();
}
