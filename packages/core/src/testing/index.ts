export { MemoryDestination, never } from './memory-destination.js';
export { VirtualClock } from './virtual-clock.js';
