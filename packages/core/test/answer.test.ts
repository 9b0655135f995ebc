import { describe, expect, it } from 'vitest';
import { classifyAnswer, type DeliveryCode, DeliveryError, describeAnswer, readAnswer } from '../src/index.js';

const plain = { status: 400, requestId: undefined, errorName: '' };

it.each<[status: number, code: DeliveryCode, ambiguous: boolean]>([
  [101, 'MISCONFIGURED', false],
  [200, 'MISCONFIGURED', true],
  [302, 'MISCONFIGURED', false],
  [400, 'MISCONFIGURED', false],
  [401, 'AUTH', false],
  [403, 'AUTH', false],
  [404, 'MISCONFIGURED', false],
  [407, 'AUTH', false],
  [408, 'TIMEOUT', true],
  [413, 'TOO_LARGE', false],
  [422, 'MISCONFIGURED', false],
  [429, 'THROTTLED', false],
  [500, 'UNAVAILABLE', true],
  [599, 'UNAVAILABLE', true],
])('HTTP %d stands for %s with every service', (status, code, ambiguous) => {
  expect(classifyAnswer({ ...plain, status })).toEqual({ code, ambiguous });
});

it.each<[status: number, named: DeliveryCode, code: DeliveryCode, ambiguous: boolean]>([
  [400, 'INVALID', 'INVALID', false],
  [404, 'NOT_FOUND', 'NOT_FOUND', false],
  [403, 'THROTTLED', 'THROTTLED', false],
  [503, 'THROTTLED', 'THROTTLED', false],
  [400, 'UNAVAILABLE', 'UNAVAILABLE', true],
  [400, 'TIMEOUT', 'TIMEOUT', true],
  [429, 'INVALID', 'THROTTLED', false],
  [500, 'INVALID', 'UNAVAILABLE', true],
  [200, 'INVALID', 'MISCONFIGURED', true],
])('HTTP %d with a name that means %s stands for %s', (status, named, code, ambiguous) => {
  expect(classifyAnswer({ ...plain, status }, named)).toEqual({ code, ambiguous });
});

it("the service's own success that is damaged may pass, and may have stored the batch", () => {
  const answer = { ...plain, status: 200, requestId: 'request-1' };
  expect(classifyAnswer(answer)).toEqual({ code: 'UNAVAILABLE', ambiguous: true });
  expect(classifyAnswer({ ...answer, errorName: 'Odd' })).toEqual({ code: 'MISCONFIGURED', ambiguous: true });
});

describe('reading a response', () => {
  const page = new TextEncoder().encode('<html>\n  <h1>Bad Gateway</h1>');

  it('takes names and text of the service, or the beginning of the body in one line', () => {
    const headers = { 'x-request': 'request-1' };
    const readError = (body: string) => (body.startsWith('{') ? JSON.parse(body) : undefined);
    const format = { requestIdHeader: 'x-request', readError };
    const answer = readAnswer({ status: 400, headers, body: '{"name":"Odd","text":"the\\ntext"}' }, format);
    expect(answer).toEqual({
      status: 400,
      requestId: 'request-1',
      errorName: 'Odd',
      text: 'the text',
      retryAfterMs: undefined,
    });
    expect(describeAnswer(answer)).toBe('HTTP 400 Odd: the text');
    expect(describeAnswer(readAnswer({ status: 502, headers, body: page }, format))).toBe('HTTP 502: Bad Gateway');
    expect(readAnswer({ status: 502, headers, body: 'x'.repeat(1000) }).text).toHaveLength(200);
    expect(describeAnswer(readAnswer({ status: 502, headers: new Headers() }))).toBe('HTTP 502');
  });

  it('reads the beginning of a page only, whatever it is made of', () => {
    expect(readAnswer({ status: 502, headers: {}, body: '<'.repeat(2 ** 20) }).text).toBe('<'.repeat(200));
    expect(readAnswer({ status: 502, headers: {}, body: `<p>${'x'.repeat(5000)}</p>` }).text).toBe('x'.repeat(200));
  });

  it('takes the target of a redirection, without its query', () => {
    const headers = new Headers({ location: 'http://login.example/page?token=secret#x' });
    expect(describeAnswer(readAnswer({ status: 302, headers, body: page }))).toBe(
      'HTTP 302: redirects to http://login.example/page',
    );
  });

  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

  it.each<
    [what: string, retryAfter: string | undefined, date: string | undefined, from: number | undefined, to: number]
  >([
    ['seconds', '7', undefined, 7000, 7000],
    ['an absent header', undefined, undefined, undefined, 0],
    ['an invalid value', 'soon', undefined, undefined, 0],
    ['a date that has passed', inSeconds(-1000), undefined, 0, 0],
    ['a date, by our clock', inSeconds(3600), undefined, 3_590_000, 3_600_000],
    ['a date, by a Date that cannot be read', inSeconds(3600), 'now', 3_590_000, 3_600_000],
    ["a date, by the response's own clock", inSeconds(22), inSeconds(20), 2000, 2000],
    ["a date of a clock that is behind, by the response's own", inSeconds(-3598), inSeconds(-3600), 2000, 2000],
  ])('reads Retry-After: %s', (_what, retryAfter, date, from, to) => {
    const { retryAfterMs } = readAnswer({ status: 503, headers: { 'retry-after': retryAfter, date } });
    if (from === undefined) expect(retryAfterMs).toBeUndefined();
    expect(retryAfterMs ?? 0).toBeGreaterThanOrEqual(from ?? 0);
    expect(retryAfterMs ?? 0).toBeLessThanOrEqual(to);
  });
});

it('the text of a delivery error is one line', () => {
  expect(new DeliveryError('NETWORK', 'first\n  second\r\nthird\u2028').message).toBe('first second third');
  expect(new DeliveryError('NETWORK', ' one  line ').message).toBe(' one  line ');
});
