import { existsSync } from 'node:fs';
import { ConfigError } from '../contract/errors.js';
import { moduleUrl } from '../tools/module-url.js';

/** Throws `ConfigError` where no worker thread can start, since only at construction the application can still do without one. */
export function checkThreadSupport(): void {
  // Known only where Node.js runs under its permission model.
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  if (permission?.has('worker') === false)
    throw refusal('the permission model of Node.js refuses worker threads', 'start Node.js with --allow-worker');
  if (!hasWorkerFile())
    throw refusal(
      `the file of the worker thread is missing beside ${moduleUrl ?? 'the bundle'}`,
      'keep @logferry packages out of the bundle (declare them as external)',
    );
}

/** A bundle has one URL for all modules, or none. A file `worker.js` beside it is the application's own. */
function hasWorkerFile(): boolean {
  return moduleUrl?.endsWith('/module-url.js') && existsSync(new URL('../thread/worker.js', moduleUrl));
}

function refusal(cause: string, remedy: string): ConfigError {
  return new ConfigError('thread', `thread: ${cause}; ${remedy}, or leave thread out to ship from this thread`);
}
