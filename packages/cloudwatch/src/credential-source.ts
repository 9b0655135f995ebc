import {
  assertFilesLoad,
  CredentialLookup,
  type DeliveryCode,
  DeliveryError,
  MIN_RENEWAL_MS,
  noAnswer,
  type PassingFailure,
  systemClock,
} from '@logferry/core';
import { toDeliveryError } from './classify.js';
import { faultOfCredentials } from './credentials.js';

/** Asks for credentials, or for those that are remembered. The SDK's types lack the argument, but its memory takes it. */
export type CredentialProvider = (options?: { readonly forceRefresh?: true }) => Promise<unknown>;

/** Whose code looks for the credentials: the SDK's chain of sources for us, a function of the user's, a client of the user's. */
type CredentialOrigin = 'chain' | 'function' | 'client';

/** The source of the credentials of one client. */
export class CredentialSource {
  readonly #look: CredentialProvider;
  readonly #origin: CredentialOrigin;
  readonly #lookup: CredentialLookup;
  /** The last that it gave, unless the service refused them. */
  #credentials: Expiring | undefined;
  #hasGiven = false;
  #kind: string | undefined;
  /** On the monotonic clock. */
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<unknown> | undefined;

  constructor(look: CredentialProvider, origin: CredentialOrigin) {
    this.#look = look;
    this.#origin = origin;
    this.#lookup = new CredentialLookup({ cloud: 'AWS', isOurs: origin === 'chain', optionalHosts: METADATA_HOSTS });
  }

  /**
   * Goes on with the credentials that it has where new ones cannot be had, as long as they are valid. Else rejects with a
   * `DeliveryError`: `AUTH` if only the operator can mend it. Concurrent calls share a look-up.
   */
  readonly get: CredentialProvider = (options) => {
    this.#looking ??= this.#getAnew(options).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  };

  /** For people: the kind of the source, as far as it is known. Of the chain it is known with the first credentials. */
  get kind(): string {
    return this.#kind ?? KINDS[this.#origin];
  }

  /** The service refused the credentials. */
  forget(): void {
    this.#credentials = undefined;
  }

  /** The failure of a request whose time is over, if it still waits for credentials. */
  get waiting(): DeliveryError | undefined {
    if (!this.#looking) return undefined;
    const source =
      this.#lookup.waitsFor ?? (this.#origin === 'chain' ? 'their source' : 'the function that gives them');
    return new DeliveryError('TIMEOUT', `no AWS credentials yet: ${source} does not answer`);
  }

  async #getAnew(options: Parameters<CredentialProvider>[0]): Promise<unknown> {
    const valid = isValid(this.#credentials) ? this.#credentials : undefined;
    if (valid && systemClock.monotonic() - this.#failedAtMs < MIN_RENEWAL_MS) return valid;
    try {
      // The chain takes files that cannot be read for empty ones.
      if (this.#origin === 'chain') assertFilesLoad();
      const credentials = await this.#lookup.run(() => this.#look(options));
      assertUsable(credentials);
      this.#credentials = credentials as Expiring;
      this.#hasGiven = true;
      if (this.#origin !== 'function') this.#kind = kindOf(credentials as Expiring, this.#lookup.lastAnswer);
      return credentials;
    } catch (cause) {
      this.#failedAtMs = systemClock.monotonic();
      if (valid) return valid;
      throw this.#failureOf(cause);
    }
  }

  #failureOf(cause: unknown): DeliveryError {
    if (DeliveryError.is(cause)) return cause;
    const text = textOf(cause);
    const passing = this.#passingFailure(cause);
    if (!passing)
      return new DeliveryError('AUTH', `no AWS credentials${this.#profile} (${text}): ${REMEDIES[this.#origin]}`, {
        cause,
      });
    return new DeliveryError(passing.code, `no AWS credentials for now: ${passing.reason} (${text})`, { cause });
  }

  /** The SDK's errors do not name a profile that does not exist. */
  get #profile(): string {
    const { AWS_PROFILE: name } = process.env;
    return this.#origin === 'chain' && name ? ` for the profile "${name}"` : '';
  }

  #passingFailure(cause: unknown): PassingFailure | undefined {
    const { $metadata, $retryable } = (cause ?? {}) as ServiceFailure;
    if ($metadata?.httpStatusCode !== undefined) {
      const { code } = toDeliveryError(cause, { operation: '', target: '', address: undefined });
      const isPassing = $retryable !== undefined || PASSING.has(code);
      return isPassing ? { code: 'UNAVAILABLE', reason: `AWS answered HTTP ${$metadata.httpStatusCode}` } : undefined;
    }
    const failure = this.#lookup.passingFailure(this.#hasGiven);
    if (failure || this.#origin === 'chain') return failure;
    const { code } = noAnswer(cause);
    return code === 'NETWORK' || code === 'TIMEOUT' ? { code, reason: 'their source did not answer' } : undefined;
  }
}

interface Expiring {
  readonly expiration?: Date | undefined;
  /** The SDK's notes of the way that the credentials came, by name. */
  readonly $source?: object | undefined;
}

const KINDS: Readonly<Record<CredentialOrigin, string>> = {
  chain: "the AWS SDK's default chain",
  function: 'the function of the option "credentials"',
  client: 'those of the client',
};

/**
 * By the SDK's notes. The first that fits counts: a profile can name a role, and a role a token.
 * https://github.com/aws/aws-sdk-js-v3/blob/main/packages/types/src/feature-ids.ts
 */
const SOURCES: readonly (readonly [note: RegExp, kind: string])[] = [
  [/WEB_ID/, 'role by a web identity token'],
  [/SSO/, 'SSO session'],
  [/LOGIN/, 'login session'],
  [/PROCESS/, 'credential_process'],
  [/ASSUME_ROLE|SOURCE_PROFILE|NAMED_PROVIDER/, 'assumed role'],
  [/IMDS/, 'instance role'],
  [/HTTP/, 'container role'],
  [/ENV_VARS/, 'environment variables'],
  [/PROFILE/, 'keys of a profile'],
];

function kindOf({ $source = {} }: Expiring, lastAnswer: string | undefined): string | undefined {
  const notes = Object.keys($source).join(' ');
  const kind = SOURCES.find(([note]) => note.test(notes))?.[1];
  if (!kind) return lastAnswer && `role, from the metadata service at ${lastAnswer.split(' ', 1)[0]}`;
  const { AWS_PROFILE: profile } = process.env;
  return notes.includes('PROFILE') ? `${kind}, profile "${profile || 'default'}"` : kind;
}

/** An error of another service of AWS, such as STS. */
interface ServiceFailure {
  readonly $metadata?: { readonly httpStatusCode?: number };
  /** The service's model says that a retry may succeed. */
  readonly $retryable?: object;
}

const PASSING: ReadonlySet<DeliveryCode> = new Set(['THROTTLED', 'UNAVAILABLE', 'NETWORK', 'TIMEOUT']);

const REMEDIES: Readonly<Record<CredentialOrigin, string>> = {
  chain:
    'set the option "credentials", the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in the ' +
    'shared credentials file, or give this machine a role',
  function: 'the option "credentials" has to give them',
  client: 'the client has to have them',
};

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
const METADATA_HOSTS: readonly string[] = ['169.254.169.254', 'fd00:ec2::254'];

/** The SDK would fail with them only when it signs, or sends, a request. */
function assertUsable(credentials: unknown): void {
  const fault = faultOfCredentials(credentials);
  if (fault) throw new TypeError(`their ${fault.name} has to be ${fault.expected}`);
}

/** Without an expiration nobody knows: the service has not refused them. */
function isValid(credentials: Expiring | undefined): boolean {
  if (!credentials) return false;
  const { expiration } = credentials;
  return expiration === undefined || Number(expiration) > Date.now();
}

/** The text of whatever was thrown. */
export function textOf(cause: unknown): string {
  return String((cause as Error | undefined)?.message ?? cause);
}
