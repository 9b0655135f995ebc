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

/**
 * Whose code looks for the credentials: the SDK's for us, in its chain of sources, in a profile or by a role; a function of the user's,
 * a client of the user's.
 */
type CredentialOrigin = 'chain' | 'profile' | 'role' | 'function' | 'client';

/** The source of the credentials of one client. */
export class CredentialSource {
  readonly #look: CredentialProvider;
  readonly #origin: CredentialOrigin;
  readonly #name: string | undefined;
  readonly #lookup: CredentialLookup;
  /** The last that it gave, unless the service refused them. */
  #credentials: Expiring | undefined;
  #hasGiven = false;
  /** On the monotonic clock. */
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<unknown> | undefined;

  /** `name`: of the profile or the role, for messages. */
  constructor(look: CredentialProvider, origin: CredentialOrigin, name?: string) {
    this.#look = look;
    this.#origin = origin;
    this.#name = name;
    this.#lookup = new CredentialLookup({ cloud: 'AWS', isOurs: this.#isOurs, optionalHosts: METADATA_HOSTS });
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

  /** The service refused the credentials. */
  forget(): void {
    this.#credentials = undefined;
  }

  /** The failure of a request whose time is over, if it still waits for credentials. */
  get waiting(): DeliveryError | undefined {
    if (!this.#looking) return undefined;
    const source = this.#lookup.waitsFor ?? (this.#isOurs ? 'their source' : 'the function that gives them');
    return new DeliveryError('TIMEOUT', `no AWS credentials yet: ${source} does not answer`);
  }

  async #getAnew(options: Parameters<CredentialProvider>[0]): Promise<unknown> {
    const valid = isValid(this.#credentials) ? this.#credentials : undefined;
    if (valid && systemClock.monotonic() - this.#failedAtMs < MIN_RENEWAL_MS) return valid;
    try {
      // The SDK takes files that cannot be read for empty ones.
      if (this.#isOurs) assertFilesLoad();
      const credentials = await this.#lookup.run(() => this.#look(options));
      assertUsable(credentials);
      this.#credentials = credentials as Expiring;
      this.#hasGiven = true;
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
    const { code, reason } = noAnswer(cause);
    // A certificate that is refused, or a proxy that lets no request through.
    if (this.#isOurs && code === 'MISCONFIGURED')
      return new DeliveryError(code, `no AWS credentials${this.#whose}: ${reason}`, { cause });
    const passing = this.#passingFailure(cause);
    if (!passing)
      return new DeliveryError('AUTH', `no AWS credentials${this.#whose} (${text}): ${REMEDIES[this.#origin]}`, {
        cause,
      });
    return new DeliveryError(
      passing.code,
      `no AWS credentials${this.#whose} for now: ${passing.reason} (${this.#isOurs ? reason : text})`,
      { cause },
    );
  }

  /** The SDK's errors do not name a profile that does not exist. */
  get #whose(): string {
    const name = this.#name ?? (this.#origin === 'chain' ? process.env.AWS_PROFILE : undefined);
    return name ? ` for the ${this.#origin === 'role' ? 'role' : 'profile'} "${name}"` : '';
  }

  /** Whether all that the look-up does is done for us alone. */
  get #isOurs(): boolean {
    return this.#origin === 'chain' || this.#origin === 'profile' || this.#origin === 'role';
  }

  #passingFailure(cause: unknown): PassingFailure | undefined {
    const { $metadata, $retryable } = (cause ?? {}) as ServiceFailure;
    if ($metadata?.httpStatusCode !== undefined) {
      const { code } = toDeliveryError(cause, { operation: '', target: '', address: undefined });
      const isPassing = $retryable !== undefined || PASSING.has(code);
      return isPassing ? { code: 'UNAVAILABLE', reason: `AWS answered HTTP ${$metadata.httpStatusCode}` } : undefined;
    }
    const failure = this.#lookup.passingFailure(this.#hasGiven);
    if (failure || this.#isOurs) return failure;
    const { code } = noAnswer(cause);
    return code === 'NETWORK' || code === 'TIMEOUT' ? { code, reason: 'their source did not answer' } : undefined;
  }
}

interface Expiring {
  readonly expiration?: Date | undefined;
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
  profile:
    'the option "profile" has to name a profile of the shared config or credentials file, with credentials that are valid',
  role: 'the trust policy of the role has to allow sts:AssumeRole to the credentials it is assumed with, by its conditions',
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
