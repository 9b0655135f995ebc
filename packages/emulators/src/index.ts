export type { CloudWatchFault, CloudWatchFaultPlan } from './cloudwatch/faults.js';
export type { CloudWatchOperation } from './cloudwatch/operations.js';
export {
  type CloudWatchEmulator,
  type CloudWatchEmulatorOptions,
  startCloudWatch,
} from './cloudwatch/server.js';
export type { Credentials } from './cloudwatch/sigv4.js';
export type { CloudWatchStats, CloudWatchViolation } from './cloudwatch/stats.js';
export type { CloudWatchEvent } from './cloudwatch/store.js';
export { type Dev, type DevOptions, startDev } from './dev.js';
export type { CommonFaultPlan } from './faults.js';
export type { LogServiceFault, LogServiceFaultPlan } from './log-service/faults.js';
export type { LogServiceOperation } from './log-service/operations.js';
export {
  type LogServiceEmulator,
  type LogServiceEmulatorOptions,
  type LogServiceEnv,
  startLogService,
} from './log-service/server.js';
export type { LogServiceCredentials } from './log-service/signature.js';
export type { LogServiceStats, LogServiceViolation } from './log-service/stats.js';
export type { LogServiceEvent } from './log-service/store.js';
export { type ForwardProxy, type ProxiedRequest, type ProxyOptions, startProxy } from './proxy.js';
export { type Session, type StsEmulator, type StsOptions, startSts } from './sts.js';
