import { systemClock } from '@logferry/core';
import { isTimeRefused } from '../send/classify.js';
import type { LogServiceRequest, LogServiceResponse } from '../send/request.js';
import type { AccessKey } from './access-key.js';
import { type CredentialsSource, createCredentialsSource } from './credentials.js';
import type { LogServiceCredentials } from './credentials-option.js';
import { signRequest } from './signature.js';

/** A signed request, with what its signature depends on. */
export interface SignedRequest extends LogServiceRequest {
  readonly key: AccessKey;
  readonly clockOffsetMs: number;
}

/** Signs requests with the credentials and the time of the moment, and learns from refusals. */
export class Signer {
  readonly #credentials: CredentialsSource;
  readonly #region: string | undefined;
  /** The time of the service minus the time of this machine, as far as it matters. */
  #clockOffsetMs = 0;
  /** By the clock of this machine, in epoch milliseconds. */
  #learnedAtMs = 0;

  /** Throws `ConfigError` for wrong credentials. */
  constructor(credentials: LogServiceCredentials, region: string | undefined) {
    const clock = { ...systemClock, now: () => this.now() };
    this.#credentials = createCredentialsSource(credentials, { clock });
    this.#region = region;
  }

  /** The time of the service minus the time of this machine, in milliseconds; 0 if it differs by less than 5 minutes. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** The time of the service, in epoch milliseconds. */
  now(): number {
    return systemClock.now() + this.#clockOffsetMs;
  }

  /** Rejects with a `DeliveryError` if there are no credentials. */
  async sign(request: LogServiceRequest, signal: AbortSignal): Promise<SignedRequest> {
    const key = await this.#credentials.get(signal);
    const clockOffsetMs = this.#clockOffsetMs;
    const options = { region: this.#region, dateMs: this.now() };
    const headers = signRequest({ method: 'POST', ...request }, key, options);
    return { ...request, headers, key, clockOffsetMs };
  }

  /** Takes the time of the service from a response. */
  learn({ clockOffsetMs }: LogServiceResponse): void {
    if (clockOffsetMs === undefined) return;
    this.#clockOffsetMs = Math.abs(clockOffsetMs) < TOLERATED_MS ? 0 : clockOffsetMs;
    this.#learnedAtMs = systemClock.now();
  }

  /**
   * Trusts the clock of this machine again, unless it was just found wrong: it may have been set since.
   *
   * @returns whether the time of the service is another one now
   */
  forgetOldOffset(): boolean {
    const ageMs = Math.abs(systemClock.now() - this.#learnedAtMs);
    if (this.#clockOffsetMs === 0 || ageMs < FRESH_MS) return false;
    this.#clockOffsetMs = 0;
    return true;
  }

  /** Whether the next signature may be taken although the service refused this one: it has another time, or another key. */
  async canImprove(signed: SignedRequest, response: LogServiceResponse, signal: AbortSignal): Promise<boolean> {
    if (isTimeRefused(response)) return Math.abs(this.#clockOffsetMs - signed.clockOffsetMs) >= TOLERATED_MS;
    return response.status === 401 && (await this.#credentials.renew(signed.key, signal));
  }
}

/** The service refuses a signature whose time differs by more than 15 minutes. */
const TOLERATED_MS = 300_000;

/** A clock that is set meanwhile makes a measurement older than this at once. */
const FRESH_MS = 5000;
