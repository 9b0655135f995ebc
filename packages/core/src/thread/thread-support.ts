import { existsSync } from 'node:fs';
import { ConfigError } from '../contract/errors.js';
import { loadThreadStream, workerFile } from './worker-files.js';

/**
 * Throws `ConfigError` where no worker thread can start: only at construction the application can still do without one, and later it would
 * be taken for the death of a worker.
 */
export function checkThreadSupport(): void {
  // Known only where Node.js runs under its permission model.
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  if (permission?.has('worker') === false)
    throw refusal('the permission model of Node.js refuses worker threads', 'start Node.js with --allow-worker');
  const file = workerFile();
  if (!existsSync(new URL(file)))
    throw refusal(`the file of the worker thread is missing: ${file}`, 'install all files of @logferry/core');
  try {
    loadThreadStream();
  } catch (error) {
    throw refusal(`thread-stream cannot be loaded: ${error}`, 'install it beside @logferry/core');
  }
}

function refusal(cause: string, remedy: string): ConfigError {
  return new ConfigError('thread', `thread: ${cause}; ${remedy}, or leave thread out to ship from this thread`);
}
