export { createLogService } from './destination.js';
export { type LogServiceFetch, type LogServiceOptions, logServiceOptionNames } from './options/options.js';
