import { type Clock, systemClock } from '@logferry/core';
import { isTimeRefused } from '../send/classify.js';
import type { LogServiceGet, LogServiceRequest, LogServiceResponse } from '../send/request.js';
import type { AccessKey } from './access-key.js';
import { type CredentialsSource, createCredentialsSource } from './credentials.js';
import type { LogServiceCredentials } from './credentials-option.js';
import { signRequest } from './signature.js';

/** What a signature depends on, besides the request. */
export interface Signature {
  readonly key: AccessKey;
  readonly clockOffsetMs: number;
}

/** The headers of a signed request, and what its signature depends on. */
export interface SignedHeaders extends Signature {
  readonly headers: Readonly<Record<string, string>>;
}

/** Signs requests with the credentials and the time of the moment, and learns from refusals. */
export class Signer {
  readonly #credentials: CredentialsSource;
  readonly #region: string | undefined;
  readonly #clock: Clock;
  #learned: LearnedOffset | undefined;

  /** Throws `ConfigError` for wrong credentials. */
  constructor(
    credentials: LogServiceCredentials,
    region: string | undefined,
    { clock = systemClock }: { readonly clock?: Clock } = {},
  ) {
    this.#clock = clock;
    this.#region = region;
    const ofService: Clock = {
      now: () => this.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
      defer: (callback) => clock.defer(callback),
    };
    this.#credentials = createCredentialsSource(credentials, { clock: ofService });
  }

  /** For people: the kind of the credentials. */
  get credentialKind(): string {
    return this.#credentials.kind;
  }

  /** The time of the service, in epoch milliseconds. */
  now(): number {
    return this.#clock.now() + this.clockOffsetMs;
  }

  /** The time of the service minus the time of this machine, as far as it matters, and as far as it is known still; else 0. */
  get clockOffsetMs(): number {
    if (!this.#learned) return 0;
    const { offsetMs, wallMs, monotonicMs } = this.#learned;
    const passedMs = this.#clock.monotonic() - monotonicMs;
    const jumpMs = this.#clock.now() - wallMs - passedMs;
    return passedMs < MAX_AGE_MS && Math.abs(jumpMs) < MAX_JUMP_MS ? offsetMs : 0;
  }

  /** Rejects with a `DeliveryError` if there are no credentials. */
  async sign(request: LogServiceRequest | LogServiceGet, signal: AbortSignal): Promise<SignedHeaders> {
    const key = await this.#credentials.get(signal);
    const { clockOffsetMs } = this;
    const options = { region: this.#region, dateMs: this.now() };
    const headers = signRequest({ method: 'POST', ...request }, key, options);
    return { headers, key, clockOffsetMs };
  }

  /** Takes the time of the service from a response of its own, since the clock of a proxy may be wrong, and whether it took the key. */
  learn({ key }: Signature, { status, requestId, clockOffsetMs: offsetMs }: LogServiceResponse): void {
    if (requestId === undefined) return;
    if (status !== 401) this.#credentials.confirm(key);
    if (offsetMs === undefined) return;
    const isRight = Math.abs(offsetMs) < TOLERATED_MS;
    const at = { wallMs: this.#clock.now(), monotonicMs: this.#clock.monotonic() };
    this.#learned = isRight ? undefined : { offsetMs, ...at };
  }

  /** Whether the next signature may be taken although the service refused this one: it has another time, or another key. */
  async canImprove(signed: Signature, response: LogServiceResponse, signal: AbortSignal): Promise<boolean> {
    if (isTimeRefused(response)) return Math.abs(this.clockOffsetMs - signed.clockOffsetMs) >= TOLERATED_MS;
    return response.status === 401 && (await this.#credentials.renew(signed.key, signal));
  }
}

/** An offset, and when it was learned. */
interface LearnedOffset {
  readonly offsetMs: number;
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** After a larger one the clock of this machine was set, or the machine slept: the offset was that of another clock. */
const MAX_JUMP_MS = 60_000;

/** While all events lie outside the window by the offset, no request is made that could show that it is wrong by now. */
const MAX_AGE_MS = 600_000;

/** A smaller offset does no harm: the service refuses a signature whose time differs by more than 15 minutes. */
const TOLERATED_MS = 300_000;
