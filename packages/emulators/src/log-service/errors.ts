/** An error that the service answers with. */
export class ServiceError extends Error {
  override readonly name: string = 'ServiceError';
  /** Error code, as clients see it: `"PostBodyInvalid"`. */
  readonly code: string;
  readonly status: number;
  /** What exactly was wrong. The service does not say so, but a violation does. */
  readonly detail: string | undefined;

  constructor(code: string, message: string, status: number = 400, detail?: string) {
    super(message);
    this.code = code;
    this.status = status;
    this.detail = detail;
  }

  /** True when the client broke a rule; false for answers that a correct client meets too. */
  get isViolation(): boolean {
    return !NORMAL_ANSWERS.has(this.code);
  }
}

/** Whether a project, a logstore and its web tracking exist is not the client's to decide. */
const NORMAL_ANSWERS: ReadonlySet<string> = new Set(['ProjectNotExist', 'LogStoreNotExist', 'Unauthorized']);

// Codes and texts: "Common error codes" and the error codes of PutLogs and PutWebtracking in the API reference.

export function missingProject(name: string): ServiceError {
  return new ServiceError('ProjectNotExist', `The Project does not exist : ${name}`, 404);
}

export function missingLogstore(name: string): ServiceError {
  return new ServiceError('LogStoreNotExist', `logstore ${name} does not exist`, 404);
}

/** Web tracking is off, or a policy of the project denies it. Only the status is known of the service. */
export function webTrackingDenied(): ServiceError {
  return new ServiceError('Unauthorized', 'web tracking is not enabled for this logstore', 401);
}

export function wrongDataType(detail: string): ServiceError {
  return new ServiceError('PostBodyInvalid', 'wrong data type', 400, detail);
}

export function unparsable(detail: string): ServiceError {
  return new ServiceError('PostBodyInvalid', 'Protobuffer content cannot be parsed.', 400, detail);
}

export function invalidKey(detail: string): ServiceError {
  return new ServiceError('InvalidKey', 'Invalid keys are in logs.', 400, detail);
}

export function invalidEncoding(detail: string): ServiceError {
  return new ServiceError('InvalidEncoding', 'Non-UTF8 characters are in logs.', 400, detail);
}

export function tooLarge(detail: string): ServiceError {
  return new ServiceError('PostBodyTooLarge', 'Logs must be less than or equal to 3 MB and 4096 entries.', 400, detail);
}

export function uncompressFailed(detail?: string): ServiceError {
  return new ServiceError('PostBodyUncompressError', 'Failed to decompress logs.', 400, detail);
}

/** The error itself, or HTTP 500 for a failure of the emulator. */
export function asServiceError(thrown: unknown): ServiceError {
  return thrown instanceof ServiceError
    ? thrown
    : new ServiceError('InternalServerError', `Emulator failed: ${thrown}`, 500);
}
