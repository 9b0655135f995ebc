import { expect, it } from 'vitest';
import { addressOf, ClockCheck, markUnsent, noAnswer } from '../src/index.js';

const failed = (members: object, cause?: unknown): Error => Object.assign(new Error('failed', { cause }), members);

it.each<[what: string, error: unknown, code: string, ambiguous: boolean]>([
  ['a refused connection', failed({ code: 'ECONNREFUSED' }), 'NETWORK', false],
  ['a refused connection in a cause', failed({}, failed({}, failed({ code: 'ECONNREFUSED' }))), 'NETWORK', false],
  ['a reset connection', failed({ code: 'ECONNRESET' }), 'NETWORK', true],
  ['a reset connection with the name TimeoutError', failed({ code: 'EPIPE', name: 'TimeoutError' }), 'NETWORK', true],
  ['a timeout of undici', failed({}, failed({ code: 'UND_ERR_HEADERS_TIMEOUT' })), 'TIMEOUT', true],
  ['a timeout by a signal', new DOMException('late', 'TimeoutError'), 'TIMEOUT', true],
  ['an abort', new DOMException('aborted', 'AbortError'), 'TIMEOUT', true],
  ['a connection that timed out', failed({ code: 'ETIMEDOUT' }), 'NETWORK', true],
  ['a code of OpenSSL', failed({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), 'NETWORK', true],
  ['a response that is not HTTP', failed({ code: 'HPE_INVALID_CONSTANT' }), 'NETWORK', true],
  ['a name server that fails', failed({ code: 'EAI_FAIL' }), 'NETWORK', false],
  ['no file descriptor', failed({ code: 'EMFILE' }), 'UNAVAILABLE', false],
  ['no local port', failed({ code: 'EADDRNOTAVAIL' }), 'UNAVAILABLE', false],
  ['a header with a line end', failed({ code: 'ERR_INVALID_CHAR' }), 'MISCONFIGURED', false],
  ['a URL without a scheme', failed({ code: 'ERR_INVALID_URL' }), 'MISCONFIGURED', false],
  ['a protocol that is not HTTP', failed({ code: 'ERR_INVALID_PROTOCOL' }), 'MISCONFIGURED', false],
  ['a user without a home', failed({ code: 'ERR_SYSTEM_ERROR' }), 'MISCONFIGURED', false],
  ['an untrusted certificate', failed({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'MISCONFIGURED', false],
  ['a certificate for another name', failed({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'MISCONFIGURED', false],
  ['a code that nobody knows', failed({ code: 'ERR_ODD' }), 'UNAVAILABLE', true],
  [
    'a known code in a cause of an unknown one',
    failed({ code: 'ERR_ODD' }, failed({ code: 'EMFILE' })),
    'UNAVAILABLE',
    false,
  ],
  ['an error without a code', new TypeError('odd'), 'UNAVAILABLE', true],
  ['a string', 'odd', 'UNAVAILABLE', true],
  ['nothing', undefined, 'UNAVAILABLE', true],
  ['an object without a prototype', Object.create(null), 'UNAVAILABLE', true],
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

it('a request that could not be made is a wrong setting, unless the code of its error says more', () => {
  for (const [error, code] of [
    [new TypeError('odd'), 'MISCONFIGURED'],
    [failed({ code: 'ERR_ODD' }), 'MISCONFIGURED'],
    [failed({ code: 'EMFILE' }), 'UNAVAILABLE'],
    [failed({ code: 'ECONNRESET' }), 'NETWORK'],
    [new DOMException('late', 'AbortError'), 'TIMEOUT'],
  ] as const) {
    markUnsent(error);
    expect(noAnswer(new Error('wrapped', { cause: error }).cause)).toMatchObject({ code, ambiguous: false });
  }
  for (const value of ['text', undefined, Object.freeze(new Error('frozen'))]) {
    markUnsent(value);
    expect(noAnswer(value)).toMatchObject({ code: 'UNAVAILABLE', ambiguous: true });
  }
});

it('the reason of a missing response is one line, and says what to do about a certificate and a limit', () => {
  const each = [
    failed({ message: 'connect ECONNREFUSED ::1:1' }),
    failed({ message: 'connect ECONNREFUSED 127.0.0.1:1' }),
  ];
  const refused = Object.assign(new AggregateError(each), { code: 'ECONNREFUSED' });
  expect(noAnswer(refused).reason).toBe('connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1');
  expect(noAnswer(new AggregateError([failed({ code: 'ECONNREFUSED' })]))).toMatchObject({ code: 'NETWORK' });
  expect(noAnswer(new Error('first\n  second')).reason).toBe('first second');
  expect(noAnswer(failed({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })).reason).toContain('NODE_EXTRA_CA_CERTS');
  expect(noAnswer(failed({ code: 'CERT_HAS_EXPIRED' })).reason).toContain('the certificate of the server');
  expect(noAnswer(failed({ code: 'EMFILE' })).reason).toContain('ulimit -n');
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
