import { DeliveryError } from '@logferry/core';
import { expect, it, vi } from 'vitest';
import { toDeliveryError } from '../src/classify.js';

const attempt = { operation: 'PutLogEvents', target: 'to "shop", stream "web"', address: '127.0.0.1:443' };

/** An error as the SDK throws it. */
function sdkError(name: string, rest: Readonly<Record<string, unknown>> = {}): Error {
  return Object.assign(new Error('text that decides nothing'), { name, ...rest });
}

function responded(name: string, httpStatusCode: number, rest: Readonly<Record<string, unknown>> = {}): Error {
  const $fault = httpStatusCode < 500 ? 'client' : 'server';
  return sdkError(name, { $metadata: { httpStatusCode, requestId: 'request-1' }, $fault, ...rest });
}

/** Of a server that gives no request id. */
function foreign(name: string, httpStatusCode: number): Error {
  return sdkError(name, { $metadata: { httpStatusCode } });
}

function noResponse(code: string, name = 'Error'): Error {
  return sdkError(name, { code, $metadata: { attempts: 1 } });
}

it.each<[what: string, error: unknown, code: string, ambiguous: boolean]>([
  ['throttling, which comes with HTTP 400', responded('ThrottlingException', 400), 'THROTTLED', false],
  ['throttling without the suffix', responded('Throttling', 400), 'THROTTLED', false],
  ['throttling of an older API', responded('RequestLimitExceeded', 400), 'THROTTLED', false],
  ['too many requests', responded('TooManyRequestsException', 400), 'THROTTLED', false],
  ['HTTP 429 with any name', responded('Whatever', 429), 'THROTTLED', false],
  ['throttling with HTTP 503', responded('ThrottlingException', 503), 'THROTTLED', false],
  ['an unavailable service', responded('ServiceUnavailableException', 503), 'UNAVAILABLE', true],
  ['an internal failure', responded('InternalFailure', 500), 'UNAVAILABLE', true],
  ['HTML with HTTP 502', responded('SyntaxError', 502), 'UNAVAILABLE', true],
  ['HTML with HTTP 200', foreign('SyntaxError', 200), 'MISCONFIGURED', true],
  [
    'a damaged body with HTTP 200 and a request id',
    responded('SyntaxError', 200, { $fault: undefined }),
    'UNAVAILABLE',
    true,
  ],
  ['a redirection', foreign('SyntaxError', 302), 'MISCONFIGURED', false],
  ['a conflicting operation', responded('OperationAbortedException', 400), 'UNAVAILABLE', false],
  ['expired credentials', responded('ExpiredTokenException', 400), 'AUTH', false],
  ['unknown credentials', responded('UnrecognizedClientException', 400), 'AUTH', false],
  ['a wrong signature', responded('InvalidSignatureException', 400), 'AUTH', false],
  ['a missing permission', responded('AccessDeniedException', 400), 'AUTH', false],
  ['a missing signature', responded('MissingAuthenticationTokenException', 400), 'AUTH', false],
  ['credentials that no provider finds', sdkError('CredentialsProviderError'), 'AUTH', false],
  ['HTTP 403 with any name', responded('Whatever', 403), 'AUTH', false],
  ['HTTP 401 with HTML', responded('SyntaxError', 401), 'AUTH', false],
  ['a proxy that wants credentials', responded('SyntaxError', 407), 'AUTH', false],
  ['a missing stream', responded('ResourceNotFoundException', 400), 'NOT_FOUND', false],
  ['an exhausted quota', responded('LimitExceededException', 400), 'MISCONFIGURED', false],
  ['a server that is not CloudWatch Logs', responded('SyntaxError', 404), 'MISCONFIGURED', false],
  ['a server that does not know the operation', responded('UnknownOperationException', 400), 'MISCONFIGURED', false],
  ['a request that is too large', responded('SyntaxError', 413), 'TOO_LARGE', false],
  ['an invalid parameter', responded('InvalidParameterException', 400), 'INVALID', false],
  ['a validation error', responded('ValidationException', 400), 'INVALID', false],
  ['a serialization error', responded('SerializationException', 400), 'INVALID', false],
  ['any other 4xx', responded('Whatever', 418), 'MISCONFIGURED', false],
  ['HTTP 400 with HTML, as a proxy answers', responded('SyntaxError', 400), 'MISCONFIGURED', false],
  ['a KMS key that is disabled', responded('KMSInvalidStateException', 400), 'MISCONFIGURED', false],
  ['throttling by another name', responded('ProvisionedThroughputExceededException', 400), 'THROTTLED', false],
  ['a failure of the service with a status of 4xx', responded('ServiceUnavailableException', 400), 'UNAVAILABLE', true],
  ['a request that took too long', responded('RequestTimeoutException', 400), 'TIMEOUT', true],
  ['a server that waited too long', responded('SyntaxError', 408), 'TIMEOUT', true],
  [
    'a clock that the SDK corrected',
    responded('InvalidSignatureException', 400, { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
    'AGAIN',
    false,
  ],
  [
    'a missing permission while the clock is wrong',
    responded('AccessDeniedException', 400, { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
    'AUTH',
    false,
  ],
  [
    'throttling while the clock is wrong',
    responded('ThrottlingException', 400, { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
    'THROTTLED',
    false,
  ],
  [
    'an invalid parameter while the clock is wrong',
    responded('InvalidParameterException', 400, { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
    'INVALID',
    false,
  ],
  [
    'a server error while the clock is wrong',
    responded('InternalFailure', 500, { $metadata: { httpStatusCode: 500, clockSkewCorrected: true } }),
    'UNAVAILABLE',
    true,
  ],
  ['a refused connection', noResponse('ECONNREFUSED'), 'NETWORK', false],
  ['an unknown host', noResponse('ENOTFOUND'), 'NETWORK', false],
  ['a name server that fails', noResponse('EAI_AGAIN'), 'NETWORK', false],
  ['a reset connection', noResponse('ECONNRESET'), 'NETWORK', true],
  ['a reset connection that the SDK calls a timeout', noResponse('ECONNRESET', 'TimeoutError'), 'NETWORK', true],
  ['a broken pipe', noResponse('EPIPE'), 'NETWORK', true],
  ['a connection that timed out', noResponse('ETIMEDOUT'), 'NETWORK', true],
  ['a wrong certificate', noResponse('CERT_HAS_EXPIRED'), 'MISCONFIGURED', false],
  ['a header that cannot be sent', noResponse('ERR_INVALID_CHAR'), 'MISCONFIGURED', false],
  ['a code that nobody knows', noResponse('ERR_ODD'), 'UNAVAILABLE', true],
  ['a timeout of the SDK', sdkError('TimeoutError'), 'TIMEOUT', true],
  ['an aborted request', sdkError('AbortError'), 'TIMEOUT', true],
  ['an error without name and code', new TypeError('x'), 'UNAVAILABLE', true],
  ['no error at all', undefined, 'UNAVAILABLE', true],
  ['a thrown string', 'x', 'UNAVAILABLE', true],
])('classifies %s', (_what, error, code, ambiguous) => {
  expect(toDeliveryError(error, attempt)).toMatchObject({ code, ambiguous });
});

it('never classifies by $retryable', () => {
  const error = responded('InvalidParameterException', 400, { $retryable: { throttling: true } });
  expect(toDeliveryError(error, attempt).code).toBe('INVALID');
});

it('names the operation and the error, and keeps the cause and the request id', () => {
  const cause = responded('AccessDeniedException', 400);
  const error = toDeliveryError(cause, attempt);
  expect(error.message).toBe(
    'PutLogEvents to "shop", stream "web", at 127.0.0.1:443: HTTP 400 AccessDeniedException: text that decides nothing ' +
      '(check the credentials, and that IAM allows them logs:PutLogEvents)',
  );
  expect(error).toMatchObject({ cause, requestId: 'request-1' });
});

it('names the code of an error without a message', () => {
  const error = Object.assign(new AggregateError([]), { name: 'Error', code: 'ECONNREFUSED' });
  expect(toDeliveryError(error, attempt).message).toMatch(
    /^PutLogEvents to "shop", stream "web", at 127\.0\.0\.1:443: ECONNREFUSED \(check region and endpoint, /,
  );
});

it.each<[what: string, error: Error, operation: string, remedy: string]>([
  [
    'expired credentials',
    responded('ExpiredTokenException', 400),
    'CreateLogStream',
    'IAM allows them logs:CreateLogStream',
  ],
  [
    'a new group',
    responded('AccessDeniedException', 400),
    'CreateLogGroup',
    'logs:CreateLogGroup, with tags also logs:TagResource',
  ],
  [
    'a wrong signature',
    responded('InvalidSignatureException', 400),
    'PutLogEvents',
    'check the clock of this machine, the region, the cred',
  ],
  ['a proxy', foreign('SyntaxError', 407), 'PutLogEvents', 'a proxy wants credentials'],
  ['a page', foreign('SyntaxError', 200), 'PutLogEvents', 'some other server answers: check the endpoint'],
  ['a quota', responded('LimitExceededException', 400), 'CreateLogGroup', 'raise the quota of the account'],
  ['a reset connection', noResponse('ECONNRESET'), 'PutLogEvents', 'the network lets requests to it through'],
])('says what to do about %s', (_what, error, operation, remedy) => {
  expect(toDeliveryError(error, { ...attempt, operation }).message).toContain(remedy);
});

it('returns a delivery error unchanged', () => {
  const error = new DeliveryError('MISCONFIGURED', 'no region');
  expect(toDeliveryError(error, attempt)).toBe(error);
});

it.each([
  ['7', 7000],
  ['0', 0],
  ['Tue, 14 Nov 2023 22:13:25 GMT', 5000],
  ['Tue, 14 Nov 2023 22:13:15 GMT', 0],
  ['soon', undefined],
])('reads Retry-After: %s', (header, retryAfterMs) => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  const error = responded('ServiceUnavailableException', 503, { $response: { headers: { 'retry-after': header } } });
  expect(toDeliveryError(error, attempt).retryAfterMs).toBe(retryAfterMs);
  vi.useRealTimers();
});
