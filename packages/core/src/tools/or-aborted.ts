/**
 * Waits for work until the signal aborts. Then it rejects with the error that `failure` makes, and the work goes on; where that makes
 * none, it waits on.
 */
export async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  failure: () => Error | undefined,
): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      const error = failure();
      if (error) reject(error);
    };
  });
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
