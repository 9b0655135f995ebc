import { loadPackage, rethrow } from '@logferry/core';
import type { CredentialProvider } from './credential-source.js';
import { moduleUrl } from './module-url.js';
import type { CloudWatchCredentials, CloudWatchRole } from './options.js';
import type { ConnectionSettings } from './resolve-options.js';

/** Whether the options need the SDK's package of credential providers. */
export function needsProviders({ profile, assumeRole }: Pick<ConnectionSettings, 'profile' | 'assumeRole'>): boolean {
  return profile !== undefined || assumeRole !== undefined;
}

/**
 * Makes the provider of the options `profile` and `assumeRole`. It asks by the request handler of the client that calls it, and so
 * through its proxy. Rejects with a `DeliveryError` if the SDK's package of providers is not installed.
 */
export async function createProvider({
  profile,
  assumeRole,
  credentials,
}: Pick<ConnectionSettings, 'profile' | 'assumeRole' | 'credentials'>): Promise<CredentialProvider> {
  const { fromIni, fromNodeProviderChain, fromTemporaryCredentials } = await loadProviders();
  const createBase = (): CredentialProvider => {
    const settings = sourceSettings();
    // A profile that is wrong must not end in the credentials of the machine, as in the SDK's chain.
    return (
      profile === undefined ? fromNodeProviderChain(settings) : fromIni({ profile, ...settings })
    ) as CredentialProvider;
  };
  if (!assumeRole) return createBase();
  const params = paramsOf(assumeRole);
  return (properties) => {
    // STS' client remembers the credentials that it was given first, and the chain those that it found: both are made anew.
    const masterCredentials = (credentials as CloudWatchCredentials | undefined) ?? createBase();
    return fromTemporaryCredentials({ params, masterCredentials } as Options)(properties as Properties);
  };
}

/** Resolves if the SDK's package of providers is installed. Else rejects with a `DeliveryError` that tells how to install it. */
export async function assertProvidersInstalled(): Promise<void> {
  await loadProviders();
}

function loadProviders(): Promise<Providers> {
  return loadPackage({
    name: '@aws-sdk/credential-providers',
    title: 'the package of the AWS SDK for profiles and roles',
    load: () => import(/* webpackIgnore: true */ '@aws-sdk/credential-providers').catch(rethrow),
    parentUrl: moduleUrl,
  });
}

/** Settings of the SDK's sources of credentials, for a client or for its providers. */
export function sourceSettings(): { readonly ignoreCache: boolean; readonly timeout?: 0; readonly maxRetries?: 0 } {
  return { ...FRESH_FILES, ...containerSettings() };
}

/** The SDK reads the shared files once for the whole process, unless it is told otherwise: keys in them may be rotated. */
const FRESH_FILES = { ignoreCache: true };

/**
 * The SDK does not end a request to the endpoint of a container that takes longer than 1 s: it warns, and only on the console. So the
 * limit is ours (see `lookup.ts`), and so are the repetitions. Instance metadata, which is often absent, keeps those of the SDK.
 */
function containerSettings(): { readonly timeout?: 0; readonly maxRetries?: 0 } {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: url } = process.env;
  return path || url ? { timeout: 0, maxRetries: 0 } : {};
}

const DEFAULT_SESSION_NAME = 'logferry';

function paramsOf({
  roleArn,
  externalId,
  sessionName = DEFAULT_SESSION_NAME,
  durationSeconds,
}: CloudWatchRole): Params {
  return {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    ...(externalId !== undefined && { ExternalId: externalId }),
    ...(durationSeconds !== undefined && { DurationSeconds: durationSeconds }),
  };
}

type Providers = typeof import('@aws-sdk/credential-providers');
type Options = Parameters<Providers['fromTemporaryCredentials']>[0];
type Params = Options['params'];
type Properties = Parameters<ReturnType<Providers['fromTemporaryCredentials']>>[0];
