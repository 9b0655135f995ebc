import { DeliveryError, systemClock } from '@logferry/core';
import type { ConnectionSettings } from './resolve-options.js';

/** Shortest time between two requests for new credentials: a provider may start a process, or call a service. */
const MIN_RENEWAL_MS = 5000;

/**
 * Looks region and credentials up before a request, so that their errors are not taken for errors of the service. The SDK
 * remembers both for ever, except credentials with an expiration: {@link forget} ends that.
 */
export class ConnectionCheck {
  readonly #settings: ConnectionSettings;
  #mustRenew = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #renewing: Promise<void> | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** Resolves if there are a region and credentials. Rejects with a `DeliveryError`. */
  async pass({ config }: Connected): Promise<void> {
    const isOurs = this.#settings.client === undefined;
    // New credentials come first: looking for them reads the shared files again, which may have a region by now.
    const failure = await rejectionOf(() => this.#renew(config));
    const regionFailure = await rejectionOf(() => config?.region?.());
    if (regionFailure) {
      this.#mustRenew = true;
      throw noRegion(regionFailure.cause, isOurs);
    }
    // A client of the user's may work without credentials, or even without `config`.
    if (!isOurs) return;
    const credentialsFailure = failure ?? (await rejectionOf(() => config?.credentials?.()));
    if (credentialsFailure) throw noCredentials(credentialsFailure.cause, this.#settings);
  }

  /** Asks for new credentials before the next request: the service refused those that the SDK has. */
  forget(): void {
    this.#mustRenew = true;
  }

  /** Concurrent requests share a renewal. */
  async #renew(config: Config | undefined): Promise<void> {
    const nowMs = systemClock.monotonic();
    if (this.#mustRenew && nowMs - this.#renewedAtMs >= MIN_RENEWAL_MS) {
      this.#renewedAtMs = nowMs;
      this.#renewing = this.#askAnew(config);
    }
    await this.#renewing;
  }

  async #askAnew(config: Config | undefined): Promise<void> {
    try {
      await config?.credentials?.({ forceRefresh: true });
      this.#mustRenew = false;
    } finally {
      this.#renewing = undefined;
    }
  }
}

/** The part of a client that knows region and credentials. A client of the user's may lack it. */
export interface Connected {
  readonly config?: Config;
}

interface Config {
  readonly region?: () => Promise<unknown>;
  /** The SDK's type lacks the argument, but its memory of credentials takes it. */
  readonly credentials?: (options?: { readonly forceRefresh: true }) => Promise<unknown>;
}

function noRegion(cause: unknown, isOurs: boolean): DeliveryError {
  const remedy = isOurs
    ? 'set the option "region", the environment variable AWS_REGION or the shared config file'
    : 'set the region of the client';
  return new DeliveryError('MISCONFIGURED', `no AWS region (${textOf(cause)}): ${remedy}`, { cause });
}

function noCredentials(cause: unknown, { credentials }: ConnectionSettings): DeliveryError {
  const remedy = credentials
    ? 'the option "credentials" has to give them'
    : 'set the option "credentials", the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in the ' +
      'shared credentials file, or give this machine a role';
  return new DeliveryError('AUTH', `no AWS credentials (${textOf(cause)}): ${remedy}`, { cause });
}

async function rejectionOf(act: () => Promise<unknown> | undefined): Promise<{ readonly cause: unknown } | undefined> {
  try {
    await act();
    return undefined;
  } catch (cause) {
    return { cause };
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
