export { createCloudWatch } from './destination.js';
export {
  type CloudWatchClient,
  type CloudWatchCredentials,
  type CloudWatchEntity,
  type CloudWatchOptions,
  cloudWatchOptionNames,
} from './options.js';
export { assertSdkInstalled } from './sdk.js';
