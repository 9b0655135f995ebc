import { isThenable } from './is-thenable.js';
import { warn } from './warn.js';

/**
 * A function for somebody else to call: an emitter, a timer, the end of the process. An error of it would reach the application as
 * an uncaught one, and end it. Here it becomes a warning of the process. The function of the application is not for this: its
 * errors are its own.
 */
export function guarded<Args extends readonly unknown[]>(act: (...args: Args) => unknown): (...args: Args) => void {
  return (...args) => {
    try {
      const returned = act(...args);
      if (isThenable(returned)) inBackground(returned);
    } catch (error) {
      tell(error);
    }
  };
}

/** Lets work go on that nobody waits for. */
export function inBackground(work: PromiseLike<unknown>): void {
  work.then(undefined, tell);
}

/** An error that comes again and again is told once: a timer of ours may meet it each second. */
const told = new Set<string>();
const MAX_TOLD = 100;

function tell(error: unknown): void {
  try {
    const text = String((error as { readonly stack?: unknown } | null)?.stack ?? error);
    if (told.has(text) || told.size >= MAX_TOLD) return;
    told.add(text);
    warn(`an error inside of Logferry was caught, please report it: ${text}`);
  } catch {
    // The error cannot be read, or the application has replaced process.emitWarning.
  }
}
