import { faultOfKeys, type KeyFault } from '@logferry/core';

/** Checks the form of credentials. Only the service knows whether they are right. */
export function faultOfCredentials(credentials: unknown): KeyFault | undefined {
  return faultOfKeys(credentials, ['accessKeyId', 'secretAccessKey'], 'sessionToken');
}
