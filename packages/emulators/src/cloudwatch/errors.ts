/** An error that the service answers with. */
export class ServiceError extends Error {
  override readonly name: string = 'ServiceError';
  /** Error name, as clients see it: `"InvalidParameterException"`. */
  readonly code: string;
  readonly status: number;
  /** Further members of the error's body. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status: number = 400, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.members = members;
  }

  /** True when the client broke a rule; false for answers that a correct client meets too. */
  get isViolation(): boolean {
    return !NORMAL_ANSWERS.has(this.code);
  }
}

/** Missing and existing resources and the sequence tokens of old are how a client learns, not mistakes. */
const NORMAL_ANSWERS: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'ResourceAlreadyExistsException',
  'OperationAbortedException',
  'InvalidSequenceTokenException',
  'DataAlreadyAcceptedException',
]);

export function invalidParameter(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', message);
}

/** The body is not JSON, or a member has the wrong type. */
export function unserializable(message: string): ServiceError {
  return new ServiceError('SerializationException', message);
}

export function missingGroup(): ServiceError {
  return new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
}

export function missingStream(): ServiceError {
  return new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
}

/** The error itself, or HTTP 500 for a failure of the emulator. */
export function asServiceError(thrown: unknown): ServiceError {
  return thrown instanceof ServiceError
    ? thrown
    : new ServiceError('InternalFailure', `Emulator failed: ${thrown}`, 500);
}
