import { assertFilesLoad, DeliveryError, MIN_RENEWAL_MS, orAborted, systemClock } from '@logferry/core';
import { type CredentialProvider, type CredentialSource, textOf } from './credential-source.js';

/** The part of a client that knows region and credentials. A client of the user's may lack it. */
export interface Config {
  readonly region?: () => Promise<unknown>;
  credentials?: CredentialProvider;
}

/**
 * Looks region and credentials up before a request, so that their errors are not taken for errors of the service. The SDK
 * remembers both for ever, except credentials with an expiration: {@link forget} ends that.
 */
export class ConnectionCheck {
  readonly #config: Config;
  readonly #source: CredentialSource | undefined;
  readonly #credentials: CredentialProvider | undefined;
  readonly #isOurs: boolean;
  #mustRenew = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #renewing: Promise<void> | undefined;

  /** `source` is absent where the user gave the credentials themselves: nothing has to be looked up then. */
  constructor(config: Config, source: CredentialSource | undefined, isOurs: boolean) {
    this.#config = config;
    this.#source = source;
    this.#isOurs = isOurs;
    // The memory of our own client is above the source, that of the user's below it.
    this.#credentials = isOurs ? (options) => config.credentials?.(options) ?? Promise.resolve() : source?.get;
  }

  /** Resolves if there are a region and credentials. Rejects with a `DeliveryError`, at the latest when the signal aborts. */
  async pass(signal: AbortSignal): Promise<void> {
    await orAborted(this.#lookUp(), signal, () => this.#source?.waiting);
  }

  /** The region of requests. Rejects as {@link pass} does. */
  region(signal: AbortSignal): Promise<unknown> {
    return orAborted(this.#findRegion(), signal, () => undefined);
  }

  /** The credentials of requests; `undefined` if a client of the user's has none. Rejects as {@link pass} does. */
  async credentials(signal: AbortSignal): Promise<unknown> {
    try {
      return await orAborted(this.#credentials?.() ?? Promise.resolve(), signal, () => this.#source?.waiting);
    } catch (cause) {
      if (this.#mayLackCredentials(cause)) return undefined;
      throw cause;
    }
  }

  /**
   * Asks for new credentials before the next request: the service refused the request. `areRefused`: it refused the credentials
   * themselves, rather than what they allow.
   */
  forget(areRefused: boolean): void {
    this.#mustRenew = true;
    if (areRefused) this.#source?.forget();
  }

  async #lookUp(): Promise<void> {
    // New credentials come first: looking for them reads the shared files again, which may have a region by now.
    const failure = await rejectionOf(() => this.#renew());
    await this.#findRegion();
    const { cause } = failure ?? (await rejectionOf(() => this.#credentials?.())) ?? {};
    if (DeliveryError.is(cause) && !this.#mayLackCredentials(cause)) throw cause;
  }

  /** A client of the user's may work without credentials. */
  #mayLackCredentials(cause: unknown): boolean {
    return !this.#isOurs && DeliveryError.is(cause) && cause.code === 'AUTH';
  }

  async #findRegion(): Promise<unknown> {
    try {
      return await this.#config.region?.();
    } catch (cause) {
      this.#mustRenew = true;
      // Files that cannot be read are empty to the SDK.
      assertFilesLoad();
      throw noRegion(cause, this.#isOurs);
    }
  }

  /** Concurrent requests share a renewal. */
  async #renew(): Promise<void> {
    const nowMs = systemClock.monotonic();
    if (this.#mustRenew && nowMs - this.#renewedAtMs >= MIN_RENEWAL_MS) {
      this.#renewedAtMs = nowMs;
      this.#renewing = this.#askAnew();
    }
    await this.#renewing;
  }

  async #askAnew(): Promise<void> {
    try {
      await this.#credentials?.({ forceRefresh: true });
      this.#mustRenew = false;
    } finally {
      this.#renewing = undefined;
    }
  }
}

function noRegion(cause: unknown, isOurs: boolean): DeliveryError {
  const remedy = isOurs
    ? 'set the option "region", the environment variable AWS_REGION or the shared config file'
    : 'set the region of the client';
  return new DeliveryError('MISCONFIGURED', `no valid AWS region (${textOf(cause)}): ${remedy}`, { cause });
}

async function rejectionOf(act: () => Promise<unknown> | undefined): Promise<{ readonly cause: unknown } | undefined> {
  try {
    await act();
    return undefined;
  } catch (cause) {
    return { cause };
  }
}
