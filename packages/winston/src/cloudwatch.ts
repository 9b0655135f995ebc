import { type CloudWatchOptions, cloudWatchOptionNames, createCloudWatch } from '@logferry/cloudwatch';
import { splitOptions } from '@logferry/core';
import { type TransportOptions, transportOptionNames } from './options.js';
import { otherTransports } from './other-transports.js';
import { DestinationTransport } from './transport.js';

export interface CloudWatchTransportOptions extends CloudWatchOptions, TransportOptions {}

/** Ships the lines that the formats of winston loggers make to Amazon CloudWatch Logs. Several loggers may share it. */
export class CloudWatchTransport extends DestinationTransport {
  /** Throws `ConfigError` for wrong options. */
  constructor(options: CloudWatchTransportOptions) {
    const [own, rest] = splitOptions(options, cloudWatchOptionNames, transportOptionNames, otherTransports);
    super({ ...rest, destination: createCloudWatch(own) });
  }
}
