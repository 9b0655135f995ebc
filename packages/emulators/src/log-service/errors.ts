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
  /** `GET /logstores/{logstore}/track`, or a part of an operation. */
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

/**
 * Correct clients meet these errors: an operator creates projects, logstores and indexes, switches web tracking, and withdraws
 * keys; another client creates the same resource; and a client with a wrong clock learns the service's time in this way.
 */
const EXPECTED_ERRORS: ReadonlySet<string> = new Set([
  'ProjectNotExist',
  'LogStoreNotExist',
  'LogStoreAlreadyExist',
  'IndexAlreadyExist',
  'IndexConfigNotExist',
  'ProjectQuotaExceed',
  'InvalidAccessKeyId',
  'RequestTimeExpired',
  'Unauthorized',
]);

// Source of codes and texts: "Error codes" and the operations' own pages in the API reference,
// https://www.alibabacloud.com/help/en/sls/developer-reference/error-codes

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

/** HTTP 400: a logstore of this name exists. */
export function logstoreExists(name: string): ServiceError {
  return new ServiceError('LogStoreAlreadyExist', `logstore ${name} already exists`);
}

/** HTTP 400: a header that signed requests need is missing. */
export function missingHeader(name: string): ServiceError {
  return new ServiceError('MissingParameter', `Missing http extend header key : ${name}.`);
}

/** HTTP 400: a header, or the parameter of a query, has an invalid value. */
export function invalidParameter(message: string): ServiceError {
  return new ServiceError('ParameterInvalid', message);
}

/** HTTP 400: the request's time differs too much from the service's. Both times are texts. */
export function timeExpired(requestTime: string, serverTime: string): ServiceError {
  return new ServiceError(
    'RequestTimeExpired',
    `Request time ${requestTime} has been expired while server time is ${serverTime}.`,
  );
}

/** HTTP 401: no accepted credentials have this ID. */
export function unknownAccessKey(id: string): ServiceError {
  return new ServiceError('InvalidAccessKeyId', `The access key id you provided is invalid: ${id}.`, 401);
}

/** HTTP 401: the security token is missing, or is not that of the access key. */
export function invalidToken(): ServiceError {
  return new ServiceError('Unauthorized', 'The security token you provided is invalid', 401);
}

/** HTTP 401: the credentials have expired. */
export function expiredToken(): ServiceError {
  return new ServiceError('Unauthorized', 'The security token you provided has expired', 401);
}

/** HTTP 401: the signature is not that of the received request. */
export function wrongSignature(signature: string, detail?: string): ServiceError {
  return new ServiceError('SignatureNotMatch', `Signature ${signature} not matched.`, 401, detail);
}

/** HTTP 401: a RAM policy does not permit the write. The text is that of published reports. */
export function writeDenied(region: string, project: string, logstore: string): ServiceError {
  const resource = `acs:log:${region}:${ACCOUNT_ID}:project/${project}/logstore/${logstore}`;
  const message = `denied by sts or ram, action: log:PostLogStoreLogs, resource: ${resource}`;
  return new ServiceError('Unauthorized', message, 401);
}

/** HTTP 400: a member of the body has the wrong type or size. */
export function wrongDataType(detail: string): ServiceError {
  return new ServiceError('PostBodyInvalid', 'wrong data type', 400, detail);
}

/** HTTP 400: the body is neither JSON nor Protobuf as expected, has unknown members, or repeats a key. */
export function unparsable(detail: string): ServiceError {
  return new ServiceError('PostBodyInvalid', 'Protobuffer content cannot be parsed.', 400, detail);
}

/** HTTP 400: the key of a field or tag breaks a rule. */
export function invalidKey(detail: string): ServiceError {
  return new ServiceError('InvalidKey', 'Invalid keys are in logs.', 400, detail);
}

/** HTTP 400: a time cannot be one. */
export function invalidTimestamp(detail?: string): ServiceError {
  return new ServiceError('InvalidTimestamp', 'Invalid timestamps are in logs.', 400, detail);
}

/** A log is too old or too new. The documentation gives HTTP 499 in some versions, and 400 in others. */
export function timeOutOfRange(status: 400 | 499, detail?: string): ServiceError {
  return new ServiceError('PostBodyInvalid', 'The post data time is out of range', status, detail);
}

/** HTTP 400: a text is not valid UTF-8. */
export function invalidEncoding(detail: string): ServiceError {
  return new ServiceError('InvalidEncoding', 'Non-UTF8 characters are in logs.', 400, detail);
}

/** HTTP 413: the body has more bytes than any operation takes. `size` is their number, if it is known. */
export function bodyTooLarge(size: number | string, limit: number): ServiceError {
  return new ServiceError('PostBodyTooLarge', `Body size ${size} must little than ${limit}.`, 413);
}

/** HTTP 400: a web tracking request has too many bytes or logs. */
export function tooLarge(detail: string): ServiceError {
  return new ServiceError('PostBodyTooLarge', 'Logs must be less than or equal to 3 MB and 4096 entries.', 400, detail);
}

/** HTTP 400: the service does not know the compression. */
export function invalidCompression(type: string | undefined, detail?: string): ServiceError {
  return new ServiceError('InvalidCompressType', `x-log-compresstype ${type} is unsupported.`, 400, detail);
}

/** HTTP 400: the body cannot be decompressed. */
export function uncompressFailed(detail?: string): ServiceError {
  return new ServiceError('PostBodyUncompressError', 'Failed to decompress logs.', 400, detail);
}

/** The account in the names of resources. */
const ACCOUNT_ID = '1234567890123456';

/** Returns a ServiceError unchanged; any other value is a bug of the emulator and becomes HTTP 500. */
export function asServiceError(thrown: unknown): ServiceError {
  return thrown instanceof ServiceError
    ? thrown
    : new ServiceError('InternalServerError', `Emulator failed: ${thrown}`, 500);
}
