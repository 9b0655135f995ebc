import type { DeliveryError, Destination, ProxySetting } from '@logferry/core';
import type { Finding } from '../finding.js';

/** What differs between the clouds. All methods may reject with a `DeliveryError`. */
export interface Cloud {
  /** `"CloudWatch Logs"` */
  readonly title: string;
  readonly proxy: ProxySetting;
  /** The option by which the user makes the connections; `undefined` if they are ours. */
  readonly ownConnections: string | undefined;
  readonly probe: Probe;
  /** What the service takes, for people. */
  readonly quotas: string;
  /** Makes the destination of a transport with the same options. */
  createDestination(): Destination;
  packages(): Promise<Finding>;
  region(signal: AbortSignal): Promise<Finding>;
  credentials(signal: AbortSignal): Promise<Finding>;
  url(): Promise<string>;
  /** Looks for the place of a route. Rejects if the service does not take the credentials. */
  find(route: string, signal: AbortSignal): Promise<Place>;
  /** The command to run, or the option to set, after a failure. */
  remedyOf(error: DeliveryError): string;
  close(): Promise<void>;
}

/** A request of a browser, which asks so before it posts, without a signature: it finds out who answers at an address. */
interface Probe {
  readonly path: string;
  /** Names of the headers that the request after it would have. */
  readonly requestHeaders: string;
  /** The header that only the service gives its responses. */
  readonly requestIdHeader: string;
  /** Whether only the service has such a body. */
  readonly isServices: (body: string) => boolean;
}

/** What a look at group and stream, or at the logstore, shows. */
export interface Place {
  /** Whether the service itself answered: else there was no look, and nothing is known of it. */
  readonly isAnswered: boolean;
  /** Whether the service took the credentials of the look. */
  readonly access: Finding;
  readonly target: Finding;
}
