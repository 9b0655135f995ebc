export {
  type DestinationStream,
  type DestinationStreamOptions,
  destinationStream,
  type StreamOptions,
  streamOptionNames,
} from './stream.js';
export { close, flush, stats } from './transport.js';
