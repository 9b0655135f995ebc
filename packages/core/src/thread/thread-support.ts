import { existsSync } from 'node:fs';
import { ConfigError } from '../contract/errors.js';
import { moduleUrl } from './module-url.js';

/** URL of the code in the worker. A bundle has one URL for all modules, or none: then there is no such file. */
export function workerUrl(): string | undefined {
  if (!moduleUrl?.endsWith('/module-url.js')) return undefined;
  const url = new URL('./worker.js', moduleUrl);
  return existsSync(url) ? url.href : undefined;
}

/** Throws `ConfigError` where no worker thread can start, since only at construction the application can still do without one. */
export function checkThreadSupport(): void {
  // Known only where Node.js runs under its permission model.
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  if (permission?.has('worker') === false)
    throw refusal('the permission model of Node.js refuses worker threads', 'start Node.js with --allow-worker');
  if (workerUrl() === undefined)
    throw refusal(
      `the file of the worker thread is missing beside ${moduleUrl ?? 'the bundle'}`,
      'keep @logferry packages out of the bundle (declare them as external)',
    );
}

function refusal(cause: string, remedy: string): ConfigError {
  return new ConfigError('thread', `thread: ${cause}; ${remedy}, or leave thread out to ship from this thread`);
}
