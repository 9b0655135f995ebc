export type { CloudWatchFault, CloudWatchFaultPlan } from './cloudwatch/faults.js';
export type { CloudWatchOperation } from './cloudwatch/operations.js';
export { type CloudWatchEmulator, type CloudWatchOptions, startCloudWatch } from './cloudwatch/server.js';
export type { Credentials } from './cloudwatch/sigv4.js';
export type { CloudWatchStats, CloudWatchViolation } from './cloudwatch/stats.js';
export type { CloudWatchEvent } from './cloudwatch/store.js';
export type { CommonFaultPlan } from './faults.js';
