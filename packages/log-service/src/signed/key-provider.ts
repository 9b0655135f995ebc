import { types } from 'node:util';
import {
  type Clock,
  CredentialLookup,
  DeliveryError,
  loadPackage,
  noAnswer,
  type PassingFailure,
  rethrow,
} from '@logferry/core';
import { moduleUrl } from '../module-url.js';
import { type AccessKey, copyKey, faultOfKey } from './access-key.js';
import {
  type AlibabaCredential,
  type AlibabaCredentialConfig,
  type CheckedCredentials,
  keyOfEnvironment,
} from './credentials-option.js';

/** A key, as a provider gave it. */
export interface GivenKey {
  readonly key: AccessKey;
  /** Wall time, in epoch milliseconds; `Infinity` if the provider names none. */
  readonly expiresAtMs: number;
}

/**
 * Resolves if the package that the credentials need is installed: only their configuration needs one. Otherwise rejects with the
 * `DeliveryError` that the first batch would meet: code `MISCONFIGURED`, and a message with the command that installs it.
 */
export async function assertCredentialsInstalled(credentials: unknown): Promise<void> {
  const { type, getCredential } = Object(credentials) as Partial<AlibabaCredentialConfig & AlibabaCredential>;
  if (type !== undefined && getCredential === undefined) await loadCredentials();
}

/** Asks for keys: one form of the option `credentials`. */
export class KeyProvider {
  readonly #form: Form;
  readonly #lookup: CredentialLookup;
  readonly #clock: Clock;
  #hasGiven = false;

  constructor(credentials: CheckedCredentials, clock: Clock) {
    this.#form = formOf(credentials);
    const { isOurs = false } = this.#form;
    this.#lookup = new CredentialLookup({ cloud: CLOUD, isOurs, optionalHosts: OPTIONAL_HOSTS, clock });
    this.#clock = clock;
  }

  /** For people: the kind of the credentials. */
  get kind(): string {
    return this.#form.kind;
  }

  /** For this long a key is used before the provider is asked for another one, in milliseconds. */
  get maxAgeMs(): number {
    return this.#form.maxAgeMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * `isRefused`: the service refused the last key. Rejects with a `DeliveryError`: `AUTH` if only the operator can mend it. The form of
   * the key is checked, and that it has not expired.
   */
  async ask(isRefused: boolean): Promise<GivenKey> {
    try {
      const given = await this.#lookup.run(() => this.#form.ask(isRefused));
      const expiresAtMs = this.#expiryOf(given);
      this.#hasGiven = true;
      return { key: copyKey(given as AccessKey), expiresAtMs };
    } catch (cause) {
      throw this.#failureOf(cause);
    }
  }

  /** The failure of a request whose time is over while it waits for a key. */
  get waiting(): DeliveryError {
    const source = this.#lookup.waitsFor ?? this.#form.title;
    return new DeliveryError('TIMEOUT', `no ${CLOUD} credentials yet: ${source} does not answer`);
  }

  #expiryOf(given: unknown): number {
    const fault = faultOfKey(given);
    if (fault) throw new Unusable(`their ${fault.name} has to be ${fault.expected}`);
    const { expiration } = given as { readonly expiration?: unknown };
    if (expiration === undefined || expiration === null) return Number.POSITIVE_INFINITY;
    const expiresAtMs = types.isDate(expiration) ? expiration.getTime() : Number.NaN;
    if (Number.isNaN(expiresAtMs)) throw new Unusable('their expiration has to be a valid Date');
    if (expiresAtMs > this.#clock.now()) return expiresAtMs;
    const endedAt = new Date(expiresAtMs).toISOString();
    throw new Unusable(`they had ended at ${endedAt}, by the clock of this machine, when they were given`);
  }

  #failureOf(cause: unknown): DeliveryError {
    if (DeliveryError.is(cause)) return cause;
    const { quotesKeys = false, remedy } = this.#form;
    const mayQuote = quotesKeys && !(cause instanceof Unusable);
    const text = mayQuote ? this.#safeTextOf(cause) : noAnswer(cause).reason;
    const options = mayQuote ? {} : { cause };
    const passing = this.#passingFailure(cause);
    if (passing)
      return new DeliveryError(passing.code, `no ${CLOUD} credentials for now: ${passing.reason} (${text})`, options);
    return new DeliveryError('AUTH', `no ${CLOUD} credentials (${text}): ${remedy}`, options);
  }

  #passingFailure(cause: unknown): PassingFailure | undefined {
    const failure = this.#lookup.passingFailure(this.#hasGiven || this.#form.isThere === true);
    if (failure) return failure;
    const name = errorNameOf(cause);
    if (PASSING.test(name)) return { code: 'UNAVAILABLE', reason: `their source answered ${name}` };
    const { code } = noAnswer(cause);
    return code === 'NETWORK' || code === 'TIMEOUT' ? { code, reason: 'their source did not answer' } : undefined;
  }

  /** Tells a failure of the package without its own text, as far as that may quote a response, with keys in it, or a URL. */
  #safeTextOf(cause: unknown): string {
    const { message, syscall } = Object(cause) as { readonly message?: unknown; readonly syscall?: unknown };
    const text = typeof message === 'string' ? message.replace(URL_AT_END, '') : '';
    // An error of the operating system has a path or an address behind the colon.
    const head = typeof syscall === 'string' ? text : text.replace(QUOTE, '');
    const parts = [head.trim(), this.#lookup.lastAnswer, quotedNameOf(cause)];
    return parts.filter(Boolean).join(', ') || 'an error without a text';
  }
}

const CLOUD = 'Alibaba Cloud';

/**
 * The metadata of an instance (https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata), and the host that the chain
 * of the package asks at last where no `ALIBABA_CLOUD_CREDENTIALS_URI` is set.
 */
const OPTIONAL_HOSTS: readonly string[] = ['100.100.100.200', 'undefined'];

/** Names of errors of Alibaba Cloud's services, whose status can be 400. https://api.alibabacloud.com/document/Sts/2015-04-01/errorCode */
const PASSING = /^(Throttling(\.\w+)*|ServiceUnavailable|InternalError)$/;

/** Where the texts of the package begin to quote. */
const QUOTE = /[:={"<].*$/s;

/** The package's HTTP client appends it to any error. */
const URL_AT_END = /(GET|POST|PUT) \S+ failed\.$/;

/**
 * The package hides when a key ends, and renews it by itself 15 minutes before.
 * https://github.com/aliyun/credentials-nodejs/blob/master/src/providers/session.ts
 */
const MAX_AGE_MS = 60_000;

/** What was given is no key. The texts are ours. */
class Unusable extends TypeError {}

/** The name of an error of Alibaba Cloud's services: of their SDK, or in a response that the package quotes. */
function errorNameOf(cause: unknown): string {
  const { code } = Object(cause) as { readonly code?: unknown };
  return typeof code === 'string' ? code : (quotedNameOf(cause) ?? '');
}

function quotedNameOf(cause: unknown): string | undefined {
  const { message } = Object(cause) as { readonly message?: unknown };
  return /"Code"\s*:\s*"([\w.]{1,80})"/.exec(String(message))?.[1];
}

/** How a form of the option gives keys. */
interface Form {
  /** For people. */
  readonly kind: string;
  /** For messages. */
  readonly title: string;
  readonly remedy: string;
  readonly ask: (isRefused: boolean) => unknown;
  readonly maxAgeMs?: number;
  /** What it does outside of this process for a question of ours is done for us alone. */
  readonly isOurs?: boolean;
  /** The source has to be there: that it does not answer may pass. */
  readonly isThere?: boolean;
  /** Its errors may quote keys. */
  readonly quotesKeys?: boolean;
}

function formOf(credentials: CheckedCredentials): Form {
  switch (credentials.form) {
    case 'key':
      return { ...GIVEN, kind: 'the keys of the option "credentials"', ask: () => credentials.key };
    case 'env':
      return {
        ...GIVEN,
        kind: 'environment variables',
        ask: (isRefused) => (isRefused && keyOfEnvironmentNow()) || credentials.key,
      };
    case 'function': {
      const { ask } = credentials;
      return {
        kind: 'the function of the option "credentials"',
        title: 'the function that gives them',
        remedy: 'the function of the option "credentials" has to give them',
        // Without an argument: it may have a parameter of its own, with a default.
        ask: () => ask(),
      };
    }
    case 'credential':
      return {
        kind: 'the credential object of the option "credentials"',
        title: 'the credential object',
        remedy: 'the credential object of the option "credentials" has to give them',
        ask: () => credentials.credential.getCredential(),
        maxAgeMs: MAX_AGE_MS,
        isOurs: true,
        quotesKeys: true,
      };
    case 'config':
      return {
        kind: `${credentials.config.type} of @alicloud/credentials`,
        title: 'their source',
        remedy: `check the option "credentials", with the type "${credentials.config.type}"`,
        ask: createCredential(credentials.config),
        maxAgeMs: MAX_AGE_MS,
        isOurs: true,
        isThere: true,
        quotesKeys: true,
      };
  }
}

/** Of keys that are known from the beginning: no batch ever waits for them. */
const GIVEN = { title: 'the option "credentials"', remedy: 'check the option "credentials"' };

/** `undefined` if the application has taken the variables away. */
function keyOfEnvironmentNow(): AccessKey | undefined {
  try {
    return keyOfEnvironment();
  } catch {
    return undefined;
  }
}

/** Makes the credential object with the first call, and another one after a refusal: it remembers keys until they end. */
function createCredential(config: AlibabaCredentialConfig): Form['ask'] {
  let credential: AlibabaCredential | undefined;
  return async (isRefused) => {
    if (isRefused) credential = undefined;
    if (!credential) {
      // The package would ask a host "undefined".
      if (config.type === 'credentials_uri' && !(config.credentialsURI || process.env.ALIBABA_CLOUD_CREDENTIALS_URI))
        throw new Unusable('neither credentialsURI nor ALIBABA_CLOUD_CREDENTIALS_URI is set');
      const Credential = await loadCredentials();
      // Its timer would keep the process alive.
      credential = new Credential({ ...config, asyncCredentialUpdateEnabled: false });
    }
    return credential.getCredential();
  };
}

type CredentialClass = new (config: AlibabaCredentialConfig) => AlibabaCredential;

async function loadCredentials(): Promise<CredentialClass> {
  const loaded: unknown = await loadPackage({
    name: '@alicloud/credentials',
    load: () => import(/* webpackIgnore: true */ '@alicloud/credentials').catch(rethrow),
    parentUrl: moduleUrl,
  });
  // `import()` puts the exports of a CommonJS module, with a default among them, into another default.
  const { default: outer } = loaded as { readonly default: CredentialClass | { readonly default: CredentialClass } };
  return 'default' in outer ? outer.default : outer;
}
