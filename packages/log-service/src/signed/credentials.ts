import { type Clock, MIN_RENEWAL_MS, orAborted, systemClock } from '@logferry/core';
import { type AccessKey, isSameKey } from './access-key.js';
import { checkCredentials, type LogServiceCredentials } from './credentials-option.js';
import { type GivenKey, KeyProvider } from './key-provider.js';

/** The keys of one destination. All methods reject with a `DeliveryError`, at the latest when the signal aborts. */
export interface CredentialsSource {
  /** For people: the kind of the credentials. */
  readonly kind: string;
  /**
   * The key to sign the next request with. A key that is in hand and valid is used at once, while the provider is asked for the next one
   * in the background. Waits for the provider if there is none, if the last one has ended, or was refused.
   */
  get(signal?: AbortSignal): Promise<AccessKey>;
  /**
   * The service refused this key. Asks the provider once, and at most every 5 s if it gave the same key. After three keys in a row
   * that the service refused, only the next `get` asks.
   *
   * @returns true if there is another key now, by which the batch can be repeated at once
   */
  renew(refused: AccessKey, signal?: AbortSignal): Promise<boolean>;
  /** The service took this key. */
  confirm(taken: AccessKey): void;
}

/** Makes the source of the option `credentials`. Throws `ConfigError` for a wrong value. The first `get` asks for a key. */
export function createCredentialsSource(
  credentials: LogServiceCredentials,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): CredentialsSource {
  return new Source(new KeyProvider(checkCredentials(credentials), clock), clock);
}

class Source implements CredentialsSource {
  readonly #provider: KeyProvider;
  readonly #clock: Clock;
  #held: HeldKey | undefined;
  /** The service refused the key that is held, and the provider was not asked for a batch since. */
  #isRefused = false;
  /** Number of keys that took the place of a refused one, since the service took a key. */
  #replacements = 0;
  #asking: Asking | undefined;
  /** End of the last question, on the monotonic clock. */
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** When the provider gave the key again that was refused, on the monotonic clock. */
  #insistedAtMs = Number.NEGATIVE_INFINITY;

  constructor(provider: KeyProvider, clock: Clock) {
    this.#provider = provider;
    this.#clock = clock;
  }

  get kind(): string {
    return this.#provider.kind;
  }

  async get(signal?: AbortSignal): Promise<AccessKey> {
    const held = this.#held;
    const isUsable = held !== undefined && this.#clock.now() < held.expiresAtMs;
    if (isUsable && !this.#isRefused) {
      // A failure shows when the key has ended.
      if (this.#isDue(held)) this.#ask().catch(() => {});
      return held.key;
    }
    if (isUsable && this.#hasInsisted) return held.key;
    const { key } = await this.#wait(this.#ask(), signal);
    this.#isRefused = false;
    return key;
  }

  async renew(refused: AccessKey, signal?: AbortSignal): Promise<boolean> {
    if (this.#hasOther(refused)) return true;
    this.#isRefused = true;
    if (this.#replacements >= MAX_REPLACEMENTS) return false;
    const earlier = this.#asking;
    if (earlier && !earlier.isAfterRefusal) {
      await this.#wait(
        earlier.answer.catch(() => {}),
        signal,
      );
      if (this.#hasOther(refused)) return true;
    }
    if (!this.#asking && this.#hasInsisted) return false;
    await this.#wait(this.#ask(), signal);
    return this.#hasOther(refused);
  }

  confirm(taken: AccessKey): void {
    if (this.#held && isSameKey(this.#held.key, taken)) this.#replacements = 0;
  }

  #hasOther(refused: AccessKey): boolean {
    return this.#held !== undefined && !isSameKey(this.#held.key, refused);
  }

  /** Whether the provider was asked lately because the key was refused, and gave the same one. */
  get #hasInsisted(): boolean {
    return this.#clock.monotonic() - this.#insistedAtMs < MIN_RENEWAL_MS;
  }

  #isDue({ renewsAtMs, givenAtMs }: HeldKey): boolean {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#askedAtMs < MIN_RENEWAL_MS) return false;
    return this.#clock.now() >= renewsAtMs || nowMs - givenAtMs >= this.#provider.maxAgeMs;
  }

  async #wait<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return orAborted(work, signal, () => this.#provider.waiting);
  }

  /** Asks the provider, or joins the question that is open. */
  #ask(): Promise<HeldKey> {
    if (this.#asking) return this.#asking.answer;
    const isAfterRefusal = this.#isRefused;
    const answer = this.#askAnew(isAfterRefusal).finally(() => {
      this.#asking = undefined;
      this.#askedAtMs = this.#clock.monotonic();
    });
    this.#asking = { answer, isAfterRefusal };
    return answer;
  }

  async #askAnew(isAfterRefusal: boolean): Promise<HeldKey> {
    const given = await this.#provider.ask(isAfterRefusal);
    const { key, expiresAtMs } = given;
    const isOther = this.#held === undefined || !isSameKey(key, this.#held.key);
    if (isOther) {
      this.#isRefused = false;
      if (isAfterRefusal) this.#replacements++;
    }
    this.#insistedAtMs = isAfterRefusal && !isOther ? this.#clock.monotonic() : Number.NEGATIVE_INFINITY;
    const renewsAtMs = expiresAtMs - marginOf(expiresAtMs - this.#clock.now());
    this.#held = { key, expiresAtMs, renewsAtMs, givenAtMs: this.#clock.monotonic() };
    return this.#held;
  }
}

/** A provider can have any number of keys that the service refuses. A key can also end before a response says that it was taken. */
const MAX_REPLACEMENTS = 3;

/** Before its end a key is renewed: by so much of the rest of its life, and at most by so many milliseconds. */
const MARGIN = 0.1;
const MAX_MARGIN_MS = 300_000;

function marginOf(restMs: number): number {
  return Math.min(restMs * MARGIN, MAX_MARGIN_MS);
}

interface HeldKey extends GivenKey {
  /** Wall time, in epoch milliseconds. */
  readonly renewsAtMs: number;
  /** On the monotonic clock. */
  readonly givenAtMs: number;
}

/** An open question to the provider. */
interface Asking {
  readonly answer: Promise<HeldKey>;
  /** The provider knows that the last key was refused. */
  readonly isAfterRefusal: boolean;
}
