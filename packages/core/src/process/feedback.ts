import { AsyncLocalStorage } from 'node:async_hooks';
import { sharedState } from '../tools/shared-state.js';
import { outsideContext, systemClock } from '../tools/system-clock.js';
import { untraced } from '../tools/untraced.js';

/**
 * What of ours runs the application's code, or the SDK's, which can log. `feedback`: a request, or a function that decides about a record:
 * shipping what it logs would cause the next call of it. `notifying`: a callback.
 */
type ActivityKind = 'feedback' | 'notifying';

/** Plain data, since copies of this package share it. */
interface Activity {
  readonly kind: ActivityKind;
  /** On the monotonic clock. */
  endsMs: number;
}

/**
 * Longer than most callbacks take. A connection or a timer that starts in a context keeps it for ever, and serves others
 * later: without an end their records would be taken for ours. A loop whose round takes longer does no harm.
 */
const CALLBACK_MS = 60_000;

/** Shared by all copies of this package in the process: logs of one transport's request must not feed another's either. */
const storage = sharedState('activity', () => new AsyncLocalStorage<Activity>());

/** The calls of functions that decide about records, one within the other. They are synchronous. */
const deciding = sharedState('deciding', () => ({ depth: 0 }));

/** Runs a function of the application that decides about a record, so that a record is known that it logs meanwhile. */
export function runDecision<T>(decide: () => T): T {
  deciding.depth++;
  try {
    return decide();
  } finally {
    deciding.depth--;
  }
}

/** Runs a callback, so that a record is known that it logs, or what it starts, in the next 60 s. */
export function runCallback<T>(callback: () => T): T {
  return storage.run({ kind: 'notifying', endsMs: systemClock.monotonic() + CALLBACK_MS }, callback);
}

/** A request that runs. */
export interface Sending {
  /** Runs the code that makes the request, untraced, so that a record is known that it logs, or what it starts, before the end. */
  run<T>(act: () => T): T;
  /**
   * Ends the request, one turn of the event loop from now: a client may log its end in this turn. A timer that the request
   * started, such as one that renews credentials, logs for the application from then on.
   */
  end(): void;
}

/** Begins a request. Without {@link Sending.end} it lasts for ever. */
export function beginSending(): Sending {
  const activity: Activity = { kind: 'feedback', endsMs: Number.POSITIVE_INFINITY };
  return {
    // Outside of the application's context, which connections would keep.
    run: (act) => outsideContext(() => storage.run(activity, () => untraced(act))),
    // The immediate keeps the process alive for this turn: one that is unreferenced may run after the timers of later turns.
    end: () =>
      systemClock.defer(() => {
        activity.endsMs = Number.NEGATIVE_INFINITY;
      }),
  };
}

/** The activity that the caller is a part of: the SDK logs a line, or a function of the application does. */
export function currentActivity(): ActivityKind | undefined {
  if (deciding.depth > 0) return 'feedback';
  const activity = storage.getStore();
  return activity && systemClock.monotonic() < activity.endsMs ? activity.kind : undefined;
}
