import type { DeliveryError } from '@logferry/core';
import { isNotFound, nameOf, toDeliveryError } from './classify.js';
import { LogsClient } from './logs-client.js';
import type { CloudWatchOptions } from './options.js';
import { resolveCloudWatchOptions } from './resolve-options.js';
import { targetOf } from './route.js';

/** Credentials that were found, without their secrets. */
export interface FoundCredentials {
  /** For people: where they come from. */
  readonly kind: string;
  readonly accessKeyId: string | undefined;
  /** `undefined` if they do not end, or do not say when. */
  readonly expiration: Date | undefined;
}

/** What is known of group and stream of a route. `hidden`: the credentials are taken, but may not look at it. */
export interface FoundTarget {
  readonly group: string;
  readonly stream: string;
  readonly state: 'there' | 'no group' | 'no stream' | 'hidden';
}

/**
 * Looks at what a destination with the same options would find, step by step, and writes nothing: for a diagnosis. All methods
 * reject with the `DeliveryError` that the first batch would meet, at the latest when the signal aborts.
 */
export interface CloudWatchInspection {
  region(signal: AbortSignal): Promise<string | undefined>;
  credentials(signal: AbortSignal): Promise<FoundCredentials>;
  /** URL of the service, if the client is not the user's. Makes no request. */
  url(): Promise<string>;
  /** Looks for group and stream of a route, by DescribeLogStreams, which a destination never calls. */
  find(route: string, signal: AbortSignal): Promise<FoundTarget>;
  /** Frees its connections. */
  close(): Promise<void>;
}

/** Makes an inspection. Throws `ConfigError` for a wrong option. */
export function inspectCloudWatch(options: CloudWatchOptions): CloudWatchInspection {
  const { connection } = resolveCloudWatchOptions(options);
  const client = new LogsClient(connection);
  return {
    async region(signal) {
      const region = await client.findRegion(signal);
      return typeof region === 'string' ? region : undefined;
    },
    async credentials(signal) {
      const found = Object(await client.findCredentials(signal)) as Partial<FoundCredentials>;
      const { accessKeyId, expiration } = found;
      return { kind: client.credentialKind, accessKeyId, expiration };
    },
    async url() {
      const { protocol, hostname, port } = await client.findAddress();
      return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
    },
    async find(route, signal) {
      const first = await look(client, route, signal);
      // The SDK has learned the time of the service.
      const found = first instanceof Error && first.code === 'AGAIN' ? await look(client, route, signal) : first;
      if (found instanceof Error) throw found;
      return found;
    },
    close: () => client.close(),
  };
}

async function look(client: LogsClient, route: string, signal: AbortSignal): Promise<FoundTarget | DeliveryError> {
  const target = targetOf(route);
  const { group, stream } = target;
  try {
    return { ...target, state: (await client.hasStream(target, signal)) ? 'there' : 'no stream' };
  } catch (error) {
    if (isNotFound(error)) return { ...target, state: 'no group' };
    if (nameOf(error) === 'AccessDenied') return { ...target, state: 'hidden' };
    const attempt = { operation: 'DescribeLogStreams', target: `of "${group}", stream "${stream}"` };
    return toDeliveryError(error, { ...attempt, address: client.address });
  }
}
