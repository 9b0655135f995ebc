import { type CloudWatchOptions, cloudWatchOptionNames, createCloudWatch } from '@logferry/cloudwatch';
import { splitOptions } from '@logferry/core';
import { type TransportOptions, transportOptionNames } from './options.js';
import { DestinationTransport } from './transport.js';

export interface CloudWatchTransportOptions extends CloudWatchOptions, TransportOptions {}

/** Ships the records of one winston logger to Amazon CloudWatch Logs: what the logger's format made of them. */
export class CloudWatchTransport extends DestinationTransport {
  constructor(options: CloudWatchTransportOptions) {
    const [own, rest] = splitOptions(options, cloudWatchOptionNames, transportOptionNames);
    super({ ...rest, destination: createCloudWatch(own) });
  }
}
