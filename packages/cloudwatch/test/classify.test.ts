import { DeliveryError } from '@logferry/core';
import { expect, it, vi } from 'vitest';
import { toDeliveryError } from '../src/classify.js';

const attempt = 'PutLogEvents to "shop", stream "web"';

/** An error as the SDK throws it. */
function sdkError(name: string, rest: Readonly<Record<string, unknown>> = {}): Error {
  return Object.assign(new Error('text that decides nothing'), { name, ...rest });
}

function answered(name: string, httpStatusCode: number, rest: Readonly<Record<string, unknown>> = {}): Error {
  return sdkError(name, { $metadata: { httpStatusCode, requestId: 'request-1' }, ...rest });
}

function unanswered(code: string, name = 'Error'): Error {
  return sdkError(name, { code, $metadata: { attempts: 1 } });
}

it.each<[what: string, error: unknown, code: string, ambiguous: boolean]>([
  ['throttling, which comes with HTTP 400', answered('ThrottlingException', 400), 'THROTTLED', false],
  ['throttling without the suffix', answered('Throttling', 400), 'THROTTLED', false],
  ['throttling of older kind', answered('RequestLimitExceeded', 400), 'THROTTLED', false],
  ['too many requests', answered('TooManyRequestsException', 400), 'THROTTLED', false],
  ['HTTP 429 of whatever name', answered('Whatever', 429), 'THROTTLED', false],
  ['throttling with HTTP 503', answered('ThrottlingException', 503), 'THROTTLED', false],
  ['an unavailable service', answered('ServiceUnavailableException', 503), 'UNAVAILABLE', true],
  ['an internal failure', answered('InternalFailure', 500), 'UNAVAILABLE', true],
  ['HTML with HTTP 502', answered('SyntaxError', 502), 'UNAVAILABLE', true],
  ['HTML with HTTP 200', answered('SyntaxError', 200), 'UNAVAILABLE', true],
  ['a redirection', answered('SyntaxError', 302), 'UNAVAILABLE', true],
  ['a conflicting operation', answered('OperationAbortedException', 400), 'UNAVAILABLE', false],
  ['expired credentials', answered('ExpiredTokenException', 400), 'AUTH', false],
  ['unknown credentials', answered('UnrecognizedClientException', 400), 'AUTH', false],
  ['a wrong signature', answered('InvalidSignatureException', 400), 'AUTH', false],
  ['a missing permission', answered('AccessDeniedException', 400), 'AUTH', false],
  ['a missing signature', answered('MissingAuthenticationTokenException', 400), 'AUTH', false],
  ['credentials that cannot be had', sdkError('CredentialsProviderError'), 'AUTH', false],
  ['HTTP 403 of whatever name', answered('Whatever', 403), 'AUTH', false],
  ['HTTP 401 with HTML', answered('SyntaxError', 401), 'AUTH', false],
  ['a proxy that wants credentials', answered('SyntaxError', 407), 'AUTH', false],
  ['a missing stream', answered('ResourceNotFoundException', 400), 'NOT_FOUND', false],
  ['an exhausted quota', answered('LimitExceededException', 400), 'MISCONFIGURED', false],
  ['a server that is not CloudWatch Logs', answered('SyntaxError', 404), 'MISCONFIGURED', false],
  ['a server that does not know the operation', answered('UnknownOperationException', 400), 'MISCONFIGURED', false],
  ['a request that is too large', answered('SyntaxError', 413), 'TOO_LARGE', false],
  ['an invalid parameter', answered('InvalidParameterException', 400), 'INVALID', false],
  ['a validation error', answered('ValidationException', 400), 'INVALID', false],
  ['a serialization error', answered('SerializationException', 400), 'INVALID', false],
  ['any other 4xx', answered('Whatever', 418), 'MISCONFIGURED', false],
  ['HTTP 400 with HTML, as a proxy answers', answered('SyntaxError', 400), 'MISCONFIGURED', false],
  ['a key of KMS that is switched off', answered('KMSInvalidStateException', 400), 'MISCONFIGURED', false],
  ['throttling by another name', answered('ProvisionedThroughputExceededException', 400), 'THROTTLED', false],
  ['a failure of the service with a status of 4xx', answered('ServiceUnavailableException', 400), 'UNAVAILABLE', true],
  ['a request that took too long', answered('RequestTimeoutException', 400), 'TIMEOUT', true],
  ['a server that waited too long', answered('SyntaxError', 408), 'TIMEOUT', true],
  [
    'a clock that the SDK corrected',
    answered('InvalidSignatureException', 400, { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
    'AGAIN',
    false,
  ],
  [
    'throttling while the clock is wrong',
    answered('ThrottlingException', 400, { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
    'THROTTLED',
    false,
  ],
  [
    'an invalid parameter while the clock is wrong',
    answered('InvalidParameterException', 400, { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
    'INVALID',
    false,
  ],
  [
    'a server error while the clock is wrong',
    answered('InternalFailure', 500, { $metadata: { httpStatusCode: 500, clockSkewCorrected: true } }),
    'UNAVAILABLE',
    true,
  ],
  ['a refused connection', unanswered('ECONNREFUSED'), 'NETWORK', false],
  ['an unknown host', unanswered('ENOTFOUND'), 'NETWORK', false],
  ['a name server that fails', unanswered('EAI_AGAIN'), 'NETWORK', false],
  ['a reset connection', unanswered('ECONNRESET'), 'NETWORK', true],
  ['a reset connection that the SDK calls a timeout', unanswered('ECONNRESET', 'TimeoutError'), 'NETWORK', true],
  ['a broken pipe', unanswered('EPIPE'), 'NETWORK', true],
  ['a connection that timed out', unanswered('ETIMEDOUT'), 'NETWORK', true],
  ['a wrong certificate', unanswered('CERT_HAS_EXPIRED'), 'NETWORK', true],
  ['a timeout of the SDK', sdkError('TimeoutError'), 'TIMEOUT', true],
  ['an aborted request', sdkError('AbortError'), 'TIMEOUT', true],
  ['an error of no known kind', new TypeError('x'), 'UNAVAILABLE', true],
  ['no error at all', undefined, 'UNAVAILABLE', true],
  ['a thrown string', 'x', 'UNAVAILABLE', true],
])('classifies %s', (_what, error, code, ambiguous) => {
  expect(toDeliveryError(error, attempt)).toMatchObject({ code, ambiguous });
});

it('never classifies by $retryable', () => {
  const error = answered('InvalidParameterException', 400, { $retryable: { throttling: true } });
  expect(toDeliveryError(error, attempt).code).toBe('INVALID');
});

it('says what was tried, what came of it, and keeps the cause and the request id', () => {
  const cause = answered('AccessDeniedException', 400);
  const error = toDeliveryError(cause, attempt);
  expect(error.message).toBe(
    'PutLogEvents to "shop", stream "web": HTTP 400 AccessDeniedException: text that decides nothing ' +
      '(check the credentials and their IAM permissions)',
  );
  expect(error).toMatchObject({ cause, requestId: 'request-1' });
});

it('says the code of an error without a message', () => {
  const error = Object.assign(new AggregateError([]), { name: 'Error', code: 'ECONNREFUSED' });
  expect(toDeliveryError(error, attempt).message).toBe('PutLogEvents to "shop", stream "web": ECONNREFUSED');
});

it('passes a delivery error on as it is', () => {
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
  const error = answered('ServiceUnavailableException', 503, { $response: { headers: { 'retry-after': header } } });
  expect(toDeliveryError(error, attempt).retryAfterMs).toBe(retryAfterMs);
  vi.useRealTimers();
});
