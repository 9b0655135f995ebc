import { splitOptions } from '@logferry/core';
import { createLogService, type LogServiceOptions, logServiceOptionNames } from '@logferry/log-service';
import { type TransportOptions, transportOptionNames } from './options.js';
import { DestinationTransport } from './transport.js';

export interface LogServiceTransportOptions extends LogServiceOptions, TransportOptions {}

/** Ships the records of one winston logger to Alibaba Cloud Log Service, field by field. */
export class LogServiceTransport extends DestinationTransport {
  constructor(options: LogServiceTransportOptions) {
    const [own, rest] = splitOptions(options, logServiceOptionNames, transportOptionNames);
    super({ ...rest, destination: createLogService(own) });
  }
}
