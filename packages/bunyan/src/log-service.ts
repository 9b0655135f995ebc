import { splitOptions } from '@logferry/core';
import { createLogService, type LogServiceOptions, logServiceOptionNames } from '@logferry/log-service';
import { type DestinationEntry, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';

export interface LogServiceStreamOptions extends LogServiceOptions, StreamOptions {}

/** Ships the records of bunyan loggers to Alibaba Cloud Log Service, field by field. */
export function logServiceStream(options: LogServiceStreamOptions): DestinationEntry {
  const [own, rest] = splitOptions(options, logServiceOptionNames, streamOptionNames);
  return destinationStream({ ...rest, destination: createLogService(own) });
}
