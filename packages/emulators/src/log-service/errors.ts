/** An error response of the service. */
export class ServiceError extends Error {
  override readonly name: string = 'ServiceError';
  /** Error code as clients see it: `"PostBodyInvalid"`. */
  readonly code: string;
  readonly status: number;
  /** The exact fault of the request. Only the violation shows it, because the service's response does not. */
  readonly detail: string | undefined;

  constructor(code: string, message: string, status: number = 400, detail?: string) {
    super(message);
    this.code = code;
    this.status = status;
    this.detail = detail;
  }

  /** True if the client broke a rule; false for errors that a correct client meets too. */
  get isViolation(): boolean {
    return !EXPECTED_ERRORS.has(this.code);
  }
}

/** HTTP 400: the emulator does not have an operation that the service has. */
export class UnsupportedOperation extends ServiceError {
  /** `GET /logstores/{logstore}/track` */
  readonly operation: string;

  constructor(operation: string) {
    super('ParameterInvalid', `The emulator has no operation ${operation}`);
    this.operation = operation;
  }
}

/**
 * Called with the error for a departure from the documentation that the service accepts all the same. Notes it; a strict
 * emulator throws it.
 */
export type Tolerate = (departure: ServiceError) => void;

/** Correct clients meet these errors: an operator creates projects and logstores, and switches web tracking. */
const EXPECTED_ERRORS: ReadonlySet<string> = new Set(['ProjectNotExist', 'LogStoreNotExist', 'Unauthorized']);

// Source of codes and texts: "Common error codes", PutLogs and PutWebtracking in the API reference.

/** HTTP 404: the project does not exist. */
export function missingProject(name: string): ServiceError {
  return new ServiceError('ProjectNotExist', `The Project does not exist : ${name}`, 404);
}

/** HTTP 404: the logstore does not exist. */
export function missingLogstore(name: string): ServiceError {
  return new ServiceError('LogStoreNotExist', `logstore ${name} does not exist`, 404);
}

/** HTTP 401: web tracking is off, or a policy denies it. Only the status is documented; the text is a guess. */
export function webTrackingDenied(): ServiceError {
  return new ServiceError('Unauthorized', 'web tracking is not enabled for this logstore', 401);
}

/** HTTP 400: a member of the body has the wrong type or size. */
export function wrongDataType(detail: string): ServiceError {
  return new ServiceError('PostBodyInvalid', 'wrong data type', 400, detail);
}

/** HTTP 400: the body is not JSON, has unknown members, or repeats a key. */
export function unparsable(detail: string): ServiceError {
  return new ServiceError('PostBodyInvalid', 'Protobuffer content cannot be parsed.', 400, detail);
}

/** HTTP 400: the key of a field or tag breaks a rule. */
export function invalidKey(detail: string): ServiceError {
  return new ServiceError('InvalidKey', 'Invalid keys are in logs.', 400, detail);
}

/** HTTP 400: a text is not valid UTF-8. */
export function invalidEncoding(detail: string): ServiceError {
  return new ServiceError('InvalidEncoding', 'Non-UTF8 characters are in logs.', 400, detail);
}

/** HTTP 400: the body has too many bytes or logs. */
export function tooLarge(detail: string): ServiceError {
  return new ServiceError('PostBodyTooLarge', 'Logs must be less than or equal to 3 MB and 4096 entries.', 400, detail);
}

/** HTTP 400: the body cannot be decompressed. */
export function uncompressFailed(detail?: string): ServiceError {
  return new ServiceError('PostBodyUncompressError', 'Failed to decompress logs.', 400, detail);
}

/** Returns a ServiceError unchanged; any other value is a bug of the emulator and becomes HTTP 500. */
export function asServiceError(thrown: unknown): ServiceError {
  return thrown instanceof ServiceError
    ? thrown
    : new ServiceError('InternalServerError', `Emulator failed: ${thrown}`, 500);
}
