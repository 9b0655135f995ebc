export { createLogService } from './destination.js';
export {
  type FoundKey,
  type FoundLogstore,
  inspectLogService,
  type LogServiceInspection,
} from './inspection.js';
export {
  type LogServiceFetch,
  type LogServiceOptions,
  type LogServiceRecord,
  type LogServiceRoute,
  logServiceOptionNames,
} from './options/options.js';
export { otherLogServiceClients } from './options/other-clients.js';
export {
  createLogServiceReader,
  type LogServiceLogs,
  type LogServiceQuery,
  type LogServiceReader,
  type LogServiceReaderOptions,
} from './reader.js';
export type {
  AlibabaCredential,
  AlibabaCredentialConfig,
  LogServiceAccessKey,
  LogServiceCredentials,
  LogServiceExpiringKey,
} from './signed/credentials-option.js';
export { assertCredentialsInstalled } from './signed/key-provider.js';
