import { type CloudWatchOptions, cloudWatchOptionNames, createCloudWatch } from '@logferry/cloudwatch';
import { splitOptions } from '@logferry/core';
import { otherTransports } from './other-transports.js';
import { type DestinationEntry, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';

export interface CloudWatchStreamOptions extends CloudWatchOptions, StreamOptions {}

/** Makes a stream that ships bunyan's JSON lines to Amazon CloudWatch Logs. Throws `ConfigError` for wrong options. */
export function cloudWatchStream(options: CloudWatchStreamOptions): DestinationEntry {
  const [own, rest] = splitOptions(options, cloudWatchOptionNames, streamOptionNames, otherTransports);
  return destinationStream({ ...rest, destination: createCloudWatch(own) });
}
