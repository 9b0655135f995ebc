import {
  booleanOption,
  choiceOption,
  faultOfKeys,
  numberOption,
  refuseUnknownOptions,
  stringOption,
  wrongOption,
  wrongSecret,
} from '@logferry/core';
import { type AccessKey, copyKey, faultOfKey } from './access-key.js';

/**
 * Where the keys come from that sign the requests:
 *
 * - an access key, which never changes;
 * - a function that returns one, or a promise of one. It is called with the first batch, shortly before the `expiration` of the key,
 *   and when the service refuses the key;
 * - `'env'`: the environment variables `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, of a temporary key,
 *   `ALIBABA_CLOUD_SECURITY_TOKEN`, as they are at construction, and again when the service refuses the key;
 * - a credential object of the package `@alicloud/credentials`. It is asked at most every 60 s, and when the service refuses the key;
 * - the configuration of such an object, for which the package has to be installed.
 *
 * Functions and objects with methods cannot cross into a worker thread.
 */
export type LogServiceCredentials =
  | LogServiceAccessKey
  | (() => LogServiceExpiringKey | PromiseLike<LogServiceExpiringKey>)
  | 'env'
  | AlibabaCredential
  | AlibabaCredentialConfig;

/** An access key of a RAM user, or with `securityToken` a temporary one of STS. */
export interface LogServiceAccessKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** @default none */
  readonly securityToken?: string | undefined;
}

/** An access key, as a function returns it. */
export interface LogServiceExpiringKey extends LogServiceAccessKey {
  /** Time at which the key ends. The function is called again five minutes, or a tenth of the key's life, before it. @default never */
  readonly expiration?: Date | undefined;
}

/** The method of a credential object of `@alicloud/credentials` that is called. No type of that package, which may not be installed. */
export interface AlibabaCredential {
  getCredential(): Promise<{
    readonly accessKeyId?: string | undefined;
    readonly accessKeySecret?: string | undefined;
    readonly securityToken?: string | undefined;
  }>;
}

/**
 * The configuration of a credential object of `@alicloud/credentials`. For absent members the package reads environment variables.
 * https://github.com/aliyun/credentials-nodejs#usage
 */
export interface AlibabaCredentialConfig {
  /**
   * `'ecs_ram_role'`: the role of the ECS instance. `'oidc_role_arn'`: a role by an OIDC token, as in a pod. `'ram_role_arn'`: a role by
   * another access key. `'credentials_uri'`: an HTTP server that gives keys. `'access_key'`, `'sts'`: the key itself.
   */
  readonly type: 'access_key' | 'sts' | 'ecs_ram_role' | 'ram_role_arn' | 'oidc_role_arn' | 'credentials_uri';
  readonly accessKeyId?: string | undefined;
  readonly accessKeySecret?: string | undefined;
  readonly securityToken?: string | undefined;
  /** Role of the instance. @default the one that the instance has */
  readonly roleName?: string | undefined;
  /** True: only the metadata service in hardened mode is asked. @default false */
  readonly disableIMDSv1?: boolean | undefined;
  /** ARN of the role to assume. */
  readonly roleArn?: string | undefined;
  readonly roleSessionName?: string | undefined;
  /** Life of the temporary keys, in seconds. @default 3600 */
  readonly roleSessionExpiration?: number | undefined;
  /** Further limits of the role, as JSON. @default none */
  readonly policy?: string | undefined;
  readonly externalId?: string | undefined;
  /** Host of STS. @default 'sts.aliyuncs.com', or that of `stsRegionId` */
  readonly stsEndpoint?: string | undefined;
  readonly stsRegionId?: string | undefined;
  /** True: STS is reached within the VPC. @default false */
  readonly enableVpc?: boolean | undefined;
  readonly oidcProviderArn?: string | undefined;
  readonly oidcTokenFilePath?: string | undefined;
  /** URL of the server that gives keys. */
  readonly credentialsURI?: string | undefined;
  /** Limit of the wait for a response, in milliseconds. @default that of the package */
  readonly timeout?: number | undefined;
  /** Limit of the wait for a connection, in milliseconds. @default that of the package */
  readonly connectTimeout?: number | undefined;
  /** Ignored: a renewal in the background would keep the process alive. */
  readonly asyncCredentialUpdateEnabled?: boolean | undefined;
}

/** The value of the option after all checks: one member for each form. */
export type CheckedCredentials =
  | { readonly form: 'key'; readonly key: AccessKey }
  | { readonly form: 'env'; readonly key: AccessKey }
  | { readonly form: 'function'; readonly ask: () => unknown }
  | { readonly form: 'credential'; readonly credential: AlibabaCredential }
  | { readonly form: 'config'; readonly config: AlibabaCredentialConfig };

/** Checks the option. Throws `ConfigError`, which never shows a key. */
export function checkCredentials(value: LogServiceCredentials): CheckedCredentials {
  if (value === 'env') return { form: 'env', key: keyOfEnvironment() };
  if (typeof value === 'function') return { form: 'function', ask: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const forms =
      'an access key, a function, "env", or a credential object of @alicloud/credentials or its configuration';
    throw wrongSecret('credentials', forms, value);
  }
  if ('getCredential' in value) {
    if (typeof value.getCredential === 'function') return { form: 'credential', credential: value };
    throw wrongSecret('credentials.getCredential', 'a method', value.getCredential);
  }
  if ('type' in value && value.type !== undefined) return { form: 'config', config: checkConfig(value) };
  if ('expiration' in value && value.expiration !== undefined) {
    throw wrongOption(
      'credentials.expiration',
      'a function instead of a key that ends: it returns the next one',
      value.expiration,
    );
  }
  refuseUnknownOptions(value, ['accessKeyId', 'accessKeySecret', 'securityToken'], 'credentials.');
  const fault = faultOfKey(value);
  if (fault) throw wrongSecret(`credentials.${fault.name}`, fault.expected, fault.got);
  return { form: 'key', key: copyKey(value as AccessKey) };
}

/** Reads the key of the environment. Throws `ConfigError` if a variable is missing, or cannot be used. */
export function keyOfEnvironment(): AccessKey {
  const { env } = process;
  const key = {
    accessKeyId: env[VARIABLES.accessKeyId],
    accessKeySecret: env[VARIABLES.accessKeySecret],
    securityToken: env[VARIABLES.securityToken],
  };
  const fault = faultOfKey(key);
  if (!fault) return copyKey(key as AccessKey);
  const variable = VARIABLES[fault.name as keyof AccessKey];
  throw wrongSecret('credentials', `the environment variable ${variable} to be ${fault.expected}`, fault.got);
}

/** https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-node-js-access-credentials */
const VARIABLES = {
  accessKeyId: 'ALIBABA_CLOUD_ACCESS_KEY_ID',
  accessKeySecret: 'ALIBABA_CLOUD_ACCESS_KEY_SECRET',
  securityToken: 'ALIBABA_CLOUD_SECURITY_TOKEN',
} as const;

/** Those of the package that give access keys: 'bearer' gives another token, and 'rsa_key_pair' asks for a role "undefined". */
const TYPES: readonly AlibabaCredentialConfig['type'][] = [
  'access_key',
  'sts',
  'ecs_ram_role',
  'ram_role_arn',
  'oidc_role_arn',
  'credentials_uri',
];

type Check = (option: string, value: unknown) => unknown;

const aKey: Check = (option, value) => {
  const fault = faultOfKeys({ [option]: value }, [], option);
  if (fault) throw wrongSecret(option, fault.expected, fault.got);
};
const aString: Check = (option, value) => stringOption(option, value, undefined);
const aBoolean: Check = (option, value) => booleanOption(option, value, false);
const aNumber: Check = (option, value) => numberOption(option, value, 0, { min: 1 });

const CHECKS: Readonly<Record<keyof AlibabaCredentialConfig, Check>> = {
  type: (option, value) => choiceOption(option, value as AlibabaCredentialConfig['type'], 'access_key', TYPES),
  accessKeyId: aKey,
  accessKeySecret: aKey,
  securityToken: aKey,
  roleName: aString,
  disableIMDSv1: aBoolean,
  roleArn: aString,
  roleSessionName: aString,
  roleSessionExpiration: aNumber,
  policy: aString,
  externalId: aString,
  stsEndpoint: aString,
  stsRegionId: aString,
  enableVpc: aBoolean,
  oidcProviderArn: aString,
  oidcTokenFilePath: aString,
  credentialsURI: aString,
  timeout: aNumber,
  connectTimeout: aNumber,
  asyncCredentialUpdateEnabled: aBoolean,
};

/** Checks types only: the package knows which members a type needs. */
function checkConfig(config: AlibabaCredentialConfig): AlibabaCredentialConfig {
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  refuseUnknownOptions(given, Object.keys(CHECKS), 'credentials.');
  for (const [name, check] of Object.entries(CHECKS)) check(`credentials.${name}`, given[name]);
  return given as unknown as AlibabaCredentialConfig;
}
