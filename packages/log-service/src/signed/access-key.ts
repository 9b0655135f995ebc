import { faultOfKeys, type KeyFault } from '@logferry/core';

/** What a request is signed with. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Of temporary keys: it is sent with the request. */
  readonly securityToken?: string | undefined;
}

/** Checks the form of a key. Only the service knows whether it is right. */
export function faultOfKey(key: unknown): KeyFault | undefined {
  return faultOfKeys(key, ['accessKeyId', 'accessKeySecret'], 'securityToken');
}

/** A copy, without the members that others may have beside the key. */
export function copyKey({ accessKeyId, accessKeySecret, securityToken }: AccessKey): AccessKey {
  return { accessKeyId, accessKeySecret, securityToken: securityToken || undefined };
}

export function isSameKey(one: AccessKey, other: AccessKey): boolean {
  return (
    one.accessKeyId === other.accessKeyId &&
    one.accessKeySecret === other.accessKeySecret &&
    one.securityToken === other.securityToken
  );
}
