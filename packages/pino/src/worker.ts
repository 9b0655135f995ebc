import { workerData } from 'node:worker_threads';

/** Whether this thread is a worker that pino started (by thread-stream). */
export function isPinoWorker(): boolean {
  const data = workerData as { workerData?: { $context?: { threadStreamVersion?: string } } } | null;
  return data?.workerData?.$context?.threadStreamVersion !== undefined;
}

/** The keys that pino and its thread-stream add to the options of a single target, in all versions of the peer range. */
export const hostKeys: readonly string[] = ['$context', 'pinoWillSendConfig', 'levels', 'dedupe'];

/**
 * The user's options, without the keys that pino added. It adds the first two to the options of each single target in a worker.
 * Elsewhere all keys are the user's.
 */
export function withoutHostKeys<T extends object>(options: T): T {
  if (options === null || typeof options !== 'object') return options;
  if (!('$context' in options || 'pinoWillSendConfig' in options)) return options;
  return Object.fromEntries(Object.entries(options).filter(([key]) => !hostKeys.includes(key))) as T;
}
