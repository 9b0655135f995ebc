export { type FlushOptions, withFlush } from '@logferry/core';
export { type HostOptions, type TransportOptions, transportOptionNames } from './options.js';
export type { Info } from './record.js';
export { DestinationTransport, type DestinationTransportOptions } from './transport.js';
