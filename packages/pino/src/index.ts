export { transport } from './start-transport.js';
export {
  type DestinationStream,
  type DestinationStreamOptions,
  destinationStream,
  type StreamOptions,
  streamOptionNames,
} from './stream.js';
export { close, flush, stats } from './transport.js';
export { withFlush } from './with-flush.js';
