import { AsyncLocalStorage } from 'node:async_hooks';

/** Shared by all copies of this package in the process: what one transport's request logs must not feed another's, either. */
const SENDING = Symbol.for('logferry.sending');

const holder = globalThis as { [SENDING]?: AsyncLocalStorage<true> };
holder[SENDING] ??= new AsyncLocalStorage();
const storage = holder[SENDING];

/** Runs a request, so that what is logged from inside of it is known as such. */
export function runSending<T>(send: () => T): T {
  return storage.run(true, send);
}

/** Whether the caller was called, however indirectly, by a request of ours: a log line of the SDK, say. */
export function isSending(): boolean {
  return storage.getStore() === true;
}
