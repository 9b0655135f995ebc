export { assertSdkInstalled, type CloudWatchClient } from './client.js';
export { createCloudWatch } from './destination.js';
export {
  type CloudWatchCredentials,
  type CloudWatchEntity,
  type CloudWatchOptions,
  cloudWatchOptionNames,
} from './options.js';
