import { splitOptions } from '@logferry/core';
import {
  createLogService,
  type LogServiceOptions,
  logServiceOptionNames,
  otherLogServiceClients,
} from '@logferry/log-service';
import { type DestinationEntry, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';

export interface LogServiceStreamOptions extends LogServiceOptions, StreamOptions {}

/** Makes a stream that ships the fields of bunyan's records to Alibaba Cloud Log Service. Throws `ConfigError` for wrong options. */
export function logServiceStream(options: LogServiceStreamOptions): DestinationEntry {
  const [own, rest] = splitOptions(options, logServiceOptionNames, streamOptionNames, otherLogServiceClients);
  return destinationStream({ ...rest, destination: createLogService(own) });
}
