import { expect, it } from 'vitest';
import { addressOf, ClockCheck, codeOfStatus, noAnswer } from '../src/index.js';

it.each([
  [401, 'AUTH'],
  [403, 'AUTH'],
  [407, 'AUTH'],
  [408, 'TIMEOUT'],
  [413, 'TOO_LARGE'],
  [429, 'THROTTLED'],
  [500, 'UNAVAILABLE'],
  [599, 'UNAVAILABLE'],
])('HTTP %d has the code %s with every service', (status, code) => {
  expect(codeOfStatus(status)).toBe(code);
});

it.each([200, 302, 400, 404, 405, 422])('HTTP %d has no general code: the destination decides', (status) => {
  expect(codeOfStatus(status)).toBeUndefined();
});

const failed = (members: object, cause?: unknown): Error => Object.assign(new Error('failed', { cause }), members);

it.each<[what: string, error: unknown, code: string, ambiguous: boolean]>([
  ['a refused connection', failed({ code: 'ECONNREFUSED' }), 'NETWORK', false],
  ['a refused connection in a cause', failed({}, failed({}, failed({ code: 'ECONNREFUSED' }))), 'NETWORK', false],
  ['a reset connection', failed({ code: 'ECONNRESET' }), 'NETWORK', true],
  ['a reset connection with the name TimeoutError', failed({ code: 'EPIPE', name: 'TimeoutError' }), 'NETWORK', true],
  ['a timeout of undici', failed({}, failed({ code: 'UND_ERR_HEADERS_TIMEOUT' })), 'TIMEOUT', true],
  ['a timeout by a signal', new DOMException('late', 'TimeoutError'), 'TIMEOUT', true],
  ['an abort', new DOMException('aborted', 'AbortError'), 'TIMEOUT', true],
  ['an error without a code', new TypeError('odd'), 'UNAVAILABLE', true],
  ['a string', 'odd', 'UNAVAILABLE', true],
  ['nothing', undefined, 'UNAVAILABLE', true],
])('a request without a response that failed with %s is classified', (_what, error, code, ambiguous) => {
  expect(noAnswer(error)).toMatchObject({ code, ambiguous });
});

it('a request without a response is a timeout when its signal is aborted, with any error', () => {
  const { signal } = new AbortController();
  expect(noAnswer(failed({ code: 'ECONNREFUSED' }), signal)).toMatchObject({ code: 'NETWORK' });
  expect(noAnswer(failed({ code: 'ECONNREFUSED' }), AbortSignal.abort())).toMatchObject({
    code: 'TIMEOUT',
    ambiguous: true,
  });
});

it('the reason of a missing response names the error and its causes', () => {
  const cause = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(noAnswer(new TypeError('fetch failed', { cause })).reason).toBe('fetch failed: ECONNREFUSED');
  expect(noAnswer('odd').reason).toBe('odd');
  const endless = new Error('again');
  endless.cause = endless;
  expect(noAnswer(endless).reason).toBe('again: again: again: again: again');
});

it.each([
  ['https://logs.us-east-1.amazonaws.com/', 'logs.us-east-1.amazonaws.com:443'],
  ['http://localhost', 'localhost:80'],
  ['http://[::1]:8080/x', '[::1]:8080'],
])('the address of %s is %s', (url, address) => {
  expect(addressOf(new URL(url))).toBe(address);
});

it('a wrong clock is one fault, from 5 minutes on, until it was right again', () => {
  const clock = new ClockCheck();
  const told = [0, 299_999, 300_000, 900_000, 0, -3_600_000].map((ms) => clock.faultOf(ms, 'Loki')?.message);
  expect(told.map((text) => text !== undefined)).toEqual([false, false, true, false, false, true]);
  expect(told[2]).toMatch(
    /^the clock of this machine is 5 minutes behind the clock of Loki, .*: set it, by NTP for example$/,
  );
  expect(told[5]).toContain('60 minutes ahead of the clock of Loki');
});
