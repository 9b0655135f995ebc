import { splitOptions } from '@logferry/core';
import {
  createLogService,
  type LogServiceOptions,
  logServiceOptionNames,
  otherLogServiceClients,
} from '@logferry/log-service';
import { type TransportOptions, transportOptionNames } from './options.js';
import { DestinationTransport } from './transport.js';

export interface LogServiceTransportOptions extends LogServiceOptions, TransportOptions {}

/** Ships the fields of the records of winston loggers to Alibaba Cloud Log Service. Several loggers may share it. */
export class LogServiceTransport extends DestinationTransport {
  /** Throws `ConfigError` for wrong options. */
  constructor(options: LogServiceTransportOptions) {
    const [own, rest] = splitOptions(options, logServiceOptionNames, transportOptionNames, otherLogServiceClients);
    super({ ...rest, destination: createLogService(own) });
  }
}
