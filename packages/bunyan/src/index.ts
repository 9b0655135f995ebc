export type { BunyanLevel } from './levels.js';
export {
  type DestinationEntry,
  type DestinationStream,
  type DestinationStreamOptions,
  destinationStream,
  type FlushOptions,
  type StreamOptions,
  streamOptionNames,
} from './stream.js';
