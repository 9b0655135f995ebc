export { createCloudWatch } from './destination.js';
export {
  type CloudWatchInspection,
  type FoundCredentials,
  type FoundTarget,
  inspectCloudWatch,
} from './inspection.js';
export { assertSdkInstalled } from './logs-client.js';
export {
  type CloudWatchClient,
  type CloudWatchCredentials,
  type CloudWatchEntity,
  type CloudWatchOptions,
  type CloudWatchRole,
  type CloudWatchRoute,
  cloudWatchOptionNames,
} from './options.js';
export {
  type CloudWatchPage,
  type CloudWatchQuery,
  type CloudWatchReader,
  type CloudWatchReaderOptions,
  createCloudWatchReader,
  type ReadCloudWatchEvent,
} from './reader.js';
