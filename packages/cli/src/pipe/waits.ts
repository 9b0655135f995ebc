/** Resolves with the promise, or when the signal is aborted. Keeps nothing of a signal that lives on. */
export function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const go = (): void => {
      signal.removeEventListener('abort', go);
      resolve();
    };
    signal.addEventListener('abort', go, { once: true });
    promise.then(go, (error) => {
      signal.removeEventListener('abort', go);
      reject(error);
    });
  });
}
