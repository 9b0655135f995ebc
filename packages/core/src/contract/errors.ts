/** The kind of a failure. It alone decides what the core does next. */
export type DeliveryCode =
  /** A rate or quota is exceeded: retried from `retry.throttledBaseMs`, at half the concurrency. */
  | 'THROTTLED'
  /** The service failed (5xx): retried from `retry.baseMs`. */
  | 'UNAVAILABLE'
  /** The connection failed or broke: retried from `retry.baseMs`. */
  | 'NETWORK'
  /** No response came in time: retried from `retry.baseMs`. */
  | 'TIMEOUT'
  /** Credentials are missing, wrong or lack a permission: retried every 30 to 60 s, since rotation may cure it. */
  | 'AUTH'
  /** The group, stream, project or logstore does not exist: retried every 30 to 60 s. */
  | 'NOT_FOUND'
  /** Only the operator can mend it (no SDK, no region): retried every 30 to 60 s. */
  | 'MISCONFIGURED'
  /**
   * The service refuses the content: the batch is halved until the bad record stands alone. It is dropped as `invalid` once the
   * service takes another one; if it takes none, a setting is to blame, and `onError` gets `MISCONFIGURED`.
   */
  | 'INVALID'
  /** The request is too large: the batch is halved. A single record is dropped as `too-large` once a smaller one is taken. */
  | 'TOO_LARGE'
  /**
   * The destination learned something (a sequence token, or that a kept connection was closed): the same batch is sent again at
   * once, once.
   */
  | 'AGAIN'
  /**
   * The disk of the option `spool` failed, or something there needs a look: no attempt of a delivery, which goes on. The core alone
   * reports it.
   */
  | 'SPOOL'
  /**
   * Delivery goes on again after failures that were reported: no failure, but their end. `cause` is the last of them. The core alone
   * reports it.
   */
  | 'RECOVERED';

/** Details of a {@link DeliveryError}. */
export interface DeliveryErrorOptions {
  /** The original error. */
  readonly cause?: unknown;
  /**
   * The wait that the service asked for, in milliseconds: no batch of the route is sent sooner, except by `flush()`, after
   * nine tenths of the time until `retry.maxAgeMs`, and once before the deadline of `close()`. A second route that has to wait holds back all.
   */
  readonly retryAfterMs?: number | undefined;
  /** True when the service may have stored the batch all the same, so that a retry can duplicate it. @default false */
  readonly ambiguous?: boolean | undefined;
  /** The service's name for the request, for its support. */
  readonly requestId?: string | undefined;
}

const DELIVERY_ERROR = Symbol.for('logferry.DeliveryError');
const CONFIG_ERROR = Symbol.for('logferry.ConfigError');

/** The error that `send` throws and that `onError` receives. Decide on `code`, never on the text. */
export class DeliveryError extends Error {
  override readonly name: string = 'DeliveryError';
  /** The kind of the failure, which decides what the core does. */
  readonly code: DeliveryCode;
  /** The wait that the service asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether the service may have stored the batch all the same. */
  readonly ambiguous: boolean;
  /** The service's name for the request. */
  readonly requestId: string | undefined;

  /** `message` is for people: it states what failed and where, the service's own text, and what to do. Line ends become blanks. */
  constructor(code: DeliveryCode, message: string, options: DeliveryErrorOptions = {}) {
    super(oneLine(message), options.cause === undefined ? undefined : { cause: options.cause });
    Object.defineProperty(this, DELIVERY_ERROR, { value: true });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.ambiguous = options.ambiguous ?? false;
    this.requestId = options.requestId;
  }

  /** Recognises delivery errors of every copy of this package, ES module or CommonJS; `instanceof` does not. */
  static is(value: unknown): value is DeliveryError {
    return hasMarker(value, DELIVERY_ERROR);
  }
}

/** A wrong option. Thrown at construction, never later. */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
  /** The same for all configuration errors. */
  readonly code: string = 'CONFIG';
  /** The option's name, with its path: `retry.baseMs`. */
  readonly option: string;

  /** `message` names the option, the expectation and the value that came. See {@link wrongOption}. */
  constructor(option: string, message: string) {
    super(`[logferry] ${message}`);
    Object.defineProperty(this, CONFIG_ERROR, { value: true });
    this.option = option;
  }

  /** Recognises configuration errors of every copy of this package. */
  static is(value: unknown): value is ConfigError {
    return hasMarker(value, CONFIG_ERROR);
  }
}

function oneLine(text: string): string {
  const lines = String(text).split(/[\r\n\u2028\u2029]+/);
  return lines.length === 1
    ? text
    : lines
        .map((line) => line.trim())
        .filter(Boolean)
        .join(' ');
}

const OPERATOR_FAULTS: ReadonlySet<DeliveryCode> = new Set(['AUTH', 'NOT_FOUND', 'MISCONFIGURED', 'SPOOL']);

/** Whether only an operator can mend the fault. */
export function isOperatorFault(error: DeliveryError): boolean {
  return OPERATOR_FAULTS.has(error.code);
}

function hasMarker(value: unknown, marker: symbol): boolean {
  try {
    return typeof value === 'object' && value !== null && marker in value;
  } catch {
    // A proxy may throw.
    return false;
  }
}
