export { stats } from './stats.js';
export {
  type DestinationStream,
  type DestinationStreamOptions,
  destinationStream,
  type StreamOptions,
  streamOptionNames,
} from './stream.js';
