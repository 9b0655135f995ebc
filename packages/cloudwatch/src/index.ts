export { createCloudWatch } from './destination.js';
export { assertSdkInstalled } from './logs-client.js';
export {
  type CloudWatchClient,
  type CloudWatchCredentials,
  type CloudWatchEntity,
  type CloudWatchOptions,
  type CloudWatchRole,
  cloudWatchOptionNames,
} from './options.js';
