import { type CloudWatchOptions, cloudWatchOptionNames, createCloudWatch } from '@logferry/cloudwatch';
import { splitOptions } from '@logferry/core';
import { type DestinationEntry, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';

export interface CloudWatchStreamOptions extends CloudWatchOptions, StreamOptions {}

/** Ships the records of bunyan loggers to Amazon CloudWatch Logs, as the JSON that bunyan makes of them. */
export function cloudWatchStream(options: CloudWatchStreamOptions): DestinationEntry {
  const [own, rest] = splitOptions(options, cloudWatchOptionNames, streamOptionNames);
  return destinationStream({ ...rest, destination: createCloudWatch(own) });
}
