import { splitOptions } from '@logferry/core';
import { createLogService, type LogServiceOptions, logServiceOptionNames } from '@logferry/log-service';
import { type DestinationStream, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';
import { withoutPinoKeys } from './worker.js';

/** Options of a stream in the application's own thread. */
export interface LogServiceStreamOptions extends LogServiceOptions, StreamOptions {}

/** Options of `pino.transport()`. They are cloned into a worker thread, which functions cannot be. */
export interface LogServiceTargetOptions extends Omit<LogServiceStreamOptions, 'fetch' | 'onError' | 'onDrop'> {
  readonly fetch?: undefined;
  readonly onError?: undefined;
  readonly onDrop?: undefined;
}

/** A stream to Alibaba Cloud Log Service: a target of `pino.transport()`, and for `pino(await logService(options))`. */
export default async function logService(options: LogServiceStreamOptions): Promise<DestinationStream> {
  const [own, rest] = splitOptions(withoutPinoKeys(options), logServiceOptionNames, streamOptionNames);
  return destinationStream({ ...rest, destination: createLogService(own) });
}
