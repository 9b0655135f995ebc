import type ThreadStream from 'thread-stream';
import { moduleUrl } from '../tools/module-url.js';
import { ownFile } from '../tools/own-file.js';
import { requireFrom } from '../tools/require-from.js';

/**
 * URL of the worker's module, in CommonJS, which Yarn Plug'n'Play reads also where its loader of ES modules is missing. Throws
 * `ConfigError` in a bundle.
 */
export function workerFile(): string {
  return ownFile(moduleUrl, '../../cjs/thread/worker.js', '@logferry/core');
}

let Constructor: typeof ThreadStream | undefined;

/** Loaded for `thread: true` only, as it costs a few milliseconds, and once: a worker that takes the place of another needs no file. */
export function loadThreadStream(): typeof ThreadStream {
  Constructor ??= requireFrom(workerFile())('thread-stream') as typeof ThreadStream;
  return Constructor;
}
