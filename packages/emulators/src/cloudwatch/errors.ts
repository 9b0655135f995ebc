/** An error response of the service. */
export class ServiceError extends Error {
  override readonly name: string = 'ServiceError';
  /** Error name as clients see it: `"InvalidParameterException"`. */
  readonly code: string;
  readonly status: number;
  /** Members of the response's body besides type and message. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status: number = 400, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.members = members;
  }

  /** True if the client broke a rule; false for errors that a correct client meets too. */
  get isViolation(): boolean {
    return !EXPECTED_ERRORS.has(this.code);
  }
}

/** HTTP 400: the emulator does not have an operation that the service may have. */
export class UnsupportedOperation extends ServiceError {
  constructor(operation: string) {
    super('UnknownOperationException', `The emulator has no operation ${operation}`);
  }
}

/**
 * Called with the error for a departure from the documentation that the service accepts all the same. Notes it; a strict
 * emulator throws it.
 */
export type Tolerate = (departure: ServiceError) => void;

/**
 * Correct clients meet these errors: they find missing and existing resources, sequence tokens and the permitted rate in this
 * way.
 */
const EXPECTED_ERRORS: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'ThrottlingException',
  'ResourceNotFoundException',
  'ResourceAlreadyExistsException',
  'OperationAbortedException',
  'InvalidSequenceTokenException',
  'DataAlreadyAcceptedException',
]);

/** HTTP 400: a member of the request breaks a rule. */
export function invalidParameter(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', message);
}

/** HTTP 400: the body is not JSON, or a member has the wrong type. */
export function unserializable(message: string): ServiceError {
  return new ServiceError('SerializationException', message);
}

/** HTTP 400: the log group does not exist. */
export function missingGroup(): ServiceError {
  return new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
}

/** HTTP 400: the log stream does not exist. */
export function missingStream(): ServiceError {
  return new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
}

/** Returns a ServiceError unchanged; any other value is a bug of the emulator and becomes HTTP 500. */
export function asServiceError(thrown: unknown): ServiceError {
  return thrown instanceof ServiceError
    ? thrown
    : new ServiceError('InternalFailure', `Emulator failed: ${thrown}`, 500);
}
