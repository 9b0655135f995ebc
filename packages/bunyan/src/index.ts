export type { FlushOptions } from '@logferry/core';
export type { BunyanLevel } from './levels.js';
export {
  type DestinationEntry,
  type DestinationStream,
  type DestinationStreamOptions,
  destinationStream,
  type StreamOptions,
  streamOptionNames,
} from './stream.js';
export { withFlush } from './with-flush.js';
