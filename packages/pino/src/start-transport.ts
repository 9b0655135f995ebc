import Module from 'node:module';
import { ownFile } from '@logferry/core';
import type { transport as pinoTransport } from 'pino';
import { moduleUrl } from './module-url.js';

/**
 * Calls `pino.transport(options)` of the installed pino, also where a bundle has a copy of pino, which lacks the files of its worker. Throws
 * `ConfigError` if this package is in the bundle, too: `pino.transport()` then throws an `Error` for the target, or emits 'error' later.
 */
export const transport = ((options: unknown) => {
  const file = ownFile(moduleUrl, './module-url.js', '@logferry/pino', 'transport', IN_PROCESS);
  return Module.createRequire(file)('pino').transport(options);
}) as typeof pinoTransport;

const IN_PROCESS = 'ship in process, by cloudWatchStream() or logServiceStream()';
