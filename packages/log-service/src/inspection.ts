import { systemClock } from '@logferry/core';
import { logstoreOf } from './encode/route.js';
import type { LogServiceOptions } from './options/options.js';
import { resolveLogServiceOptions } from './options/resolve-options.js';
import { type Attempt, isLogstoreMissing, toDeliveryError } from './send/classify.js';
import { LogServiceClient } from './send/client.js';
import type { LogServiceResponse } from './send/request.js';
import { checkCredentials } from './signed/credentials-option.js';
import { KeyProvider } from './signed/key-provider.js';
import { Signer } from './signed/signer.js';

/** A key that was found, without its secrets. */
export interface FoundKey {
  /** For people: where it comes from. */
  readonly kind: string;
  readonly accessKeyId: string;
  /** `undefined` if it does not end, or does not say when. */
  readonly expiration: Date | undefined;
}

/** What is known of the logstore of a route. `hidden`: nobody may look at it, or this key may not. */
export interface FoundLogstore {
  readonly project: string;
  readonly logstore: string;
  readonly state: 'there' | 'missing' | 'hidden';
}

/**
 * Looks at what a destination with the same options would find, step by step, and writes nothing: for a diagnosis. All methods
 * reject with the `DeliveryError` that the first batch would meet, at the latest when the signal aborts.
 */
export interface LogServiceInspection {
  /** The URL that all requests of the project begin with. */
  readonly url: string;
  /** The region of signatures of version 4; `undefined` for version 1, and for web tracking. */
  readonly region: string | undefined;
  /** `undefined` for web tracking. */
  credentials(): Promise<FoundKey | undefined>;
  /** Looks for the logstore of a route, by GetLogStore, which a destination never calls. Without credentials, or by a `fetch`, it is hidden. */
  find(route: string, signal: AbortSignal): Promise<FoundLogstore>;
  /** Frees its connections. */
  close(): void;
}

/** Makes an inspection. Throws `ConfigError` for a wrong option. */
export function inspectLogService(options: LogServiceOptions): LogServiceInspection {
  const resolved = resolveLogServiceOptions(options);
  const { origin, signing, routing, placeOf, fetch } = resolved;
  const { project } = options;
  const signer = signing && new Signer(signing.credentials, signing.region);
  const client = new LogServiceClient(resolved, signer);
  return {
    url: origin,
    region: signing?.region,
    async credentials() {
      if (!signing) return undefined;
      const provider = new KeyProvider(checkCredentials(signing.credentials), systemClock);
      const { key, expiresAtMs } = await provider.ask(false);
      const expiration = Number.isFinite(expiresAtMs) ? new Date(expiresAtMs) : undefined;
      return { kind: provider.kind, accessKeyId: key.accessKeyId, expiration };
    },
    async find(route, signal) {
      const { targetLabel, resource, logstore } = placeOf(routing.logstore ?? logstoreOf(route));
      if (!signer || fetch) return { project, logstore, state: 'hidden' };
      const attempt: Attempt = { operation: 'GetLogStore', targetLabel, resource };
      const ask = (): Promise<LogServiceResponse> =>
        client.get({ url: `${origin}/logstores/${logstore}` }, attempt, signal);
      // The signer has learned the time of the service, or has another key.
      const response = await ask().catch((error) => (error.code === 'AGAIN' ? ask() : Promise.reject(error)));
      if (response.done) return { project, logstore, state: 'there' };
      if (isLogstoreMissing(response)) return { project, logstore, state: 'missing' };
      if (isDenied(response)) return { project, logstore, state: 'hidden' };
      throw toDeliveryError(response, attempt);
    },
    close: () => client.close(),
  };
}

/** A policy and a token that is not valid have the same status and name: only the text tells them apart. */
function isDenied({ status, errorName, text }: LogServiceResponse): boolean {
  return status === 401 && errorName.toLowerCase() === 'unauthorized' && !/security token/i.test(text);
}
