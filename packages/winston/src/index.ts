export { type HostOptions, type TransportOptions, transportOptionNames } from './options.js';
export type { Info } from './record.js';
export { DestinationTransport, type DestinationTransportOptions, type FlushOptions } from './transport.js';
