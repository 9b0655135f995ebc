import { AsyncLocalStorage } from 'node:async_hooks';

/** What of ours runs the application's code, or the SDK's, which can log: a request, or a callback. */
type ActivityKind = 'sending' | 'notifying';

interface Activity {
  readonly kind: ActivityKind;
  readonly endsMs: number;
}

/**
 * Longer than requests and most callbacks take. A connection or a timer that starts in a context keeps it for ever, and serves
 * others later: without an end their records would be taken for ours. A loop whose round takes longer does no harm.
 */
const CONTEXT_MS = 60_000;

/** Shared by all copies of this package in the process: logs of one transport's request must not feed another's either. */
const ACTIVITY = Symbol.for('logferry.activity');

const holder = globalThis as { [ACTIVITY]?: AsyncLocalStorage<Activity> };
holder[ACTIVITY] ??= new AsyncLocalStorage();
const storage = holder[ACTIVITY];

/** Runs a request or a callback, so that a record is known that it logs, or what it starts, in the next 60 s. */
export function runAs<T>(kind: ActivityKind, act: () => T): T {
  return storage.run({ kind, endsMs: performance.now() + CONTEXT_MS }, act);
}

/** The activity in whose asynchronous context the caller runs: the SDK logs a line, or a callback does. */
export function currentActivity(): ActivityKind | undefined {
  const activity = storage.getStore();
  return activity && performance.now() < activity.endsMs ? activity.kind : undefined;
}
