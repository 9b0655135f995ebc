import type { Logger } from 'winston';

/** Tells winston's handlers, and no others, of an uncaught exception: a process of its own would take 300 ms. */
export function crash(error: Error): void {
  for (const listener of process.listeners('uncaughtException'))
    if (listener.name === 'bound _uncaughtException') listener(error, 'uncaughtException');
}

/** Removes the handlers of a logger. */
export function forgetCrashes(logger: Logger): void {
  logger.exceptions.unhandle();
  logger.rejections.unhandle();
}
