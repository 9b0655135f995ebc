import { AsyncLocalStorage } from 'node:async_hooks';

/** An activity of ours that can make the application, or the SDK, log. */
interface Activity {
  readonly kind: 'sending' | 'notifying';
  isOver: boolean;
}

/** Shared by all copies of this package in the process: logs of one transport's request must not feed another's either. */
const ACTIVITY = Symbol.for('logferry.activity');

const holder = globalThis as { [ACTIVITY]?: AsyncLocalStorage<Activity> };
holder[ACTIVITY] ??= new AsyncLocalStorage();
const storage = holder[ACTIVITY];

/** Runs a request, so that a record logged from inside is known as such, also after the request has ended. */
export function runSending<T>(send: () => T): T {
  return storage.run({ kind: 'sending', isOver: false }, send);
}

/** Runs a callback of the application, so that a record logged from inside is known as such until its promise settles. */
export function runNotifying(callback: () => unknown): unknown {
  const activity: Activity = { kind: 'notifying', isOver: false };
  const end = (): void => {
    activity.isOver = true;
  };
  let returned: unknown;
  try {
    returned = storage.run(activity, callback);
  } finally {
    if (isThenable(returned)) returned.then(end, end);
    else end();
  }
  return returned;
}

/** The activity in whose asynchronous context the caller runs: the SDK logs a line, or a callback does. */
export function currentActivity(): Activity['kind'] | undefined {
  const activity = storage.getStore();
  return activity?.isOver ? undefined : activity?.kind;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
