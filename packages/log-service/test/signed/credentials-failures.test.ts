import { get } from 'node:http';
import { inspect } from 'node:util';
import { DeliveryError } from '@logferry/core';
import { VirtualClock } from '@logferry/core/testing';
import { expect, it } from 'vitest';
import { createCredentialsSource } from '../../src/signed/credentials.js';
import type { LogServiceCredentials } from '../../src/signed/credentials-option.js';
import { startServer } from '../support/servers.js';

const SECRET = 'hunter2hunter2';
const KEY = { accessKeyId: 'LTAItest', accessKeySecret: SECRET };

const failureOf = (credentials: unknown): Promise<DeliveryError> =>
  createCredentialsSource(credentials as LogServiceCredentials)
    .get()
    .then(
      () => expect.fail('there is a key'),
      (error) => error,
    );

const sdkError = (code: string, statusCode: number): Error =>
  Object.assign(new Error(`${code}: request was refused`), { code, statusCode });

it.each<[string, string, unknown]>([
  ['a broken connection', 'NETWORK', Object.assign(new Error('fetch failed'), { cause: { code: 'ECONNRESET' } })],
  ['a time-out', 'TIMEOUT', new DOMException('too late', 'TimeoutError')],
  ['a DeliveryError', 'THROTTLED', new DeliveryError('THROTTLED', 'the vault is busy')],
  ['a rate limit of STS', 'UNAVAILABLE', sdkError('Throttling.User', 400)],
  ['a failure of STS', 'UNAVAILABLE', sdkError('ServiceUnavailable', 503)],
  ['a refusal of STS', 'AUTH', sdkError('NoPermission', 403)],
  ['any other error', 'AUTH', new Error('the vault is shut')],
  ['a text', 'AUTH', 'the vault is shut'],
  ['nothing', 'AUTH', undefined],
  ['an object without a prototype', 'AUTH', Object.create(null)],
])('after %s of a function, a batch fails with %s', async (_, code, error) => {
  const failures = [
    await failureOf(() => Promise.reject(error)),
    await failureOf(() => {
      throw error;
    }),
  ];
  for (const failure of failures) {
    expect(DeliveryError.is(failure)).toBe(true);
    expect(failure).toMatchObject({ code, ambiguous: false });
  }
});

it.each<[string, unknown, string]>([
  ['nothing', undefined, 'their accessKeyId has to be a string that is not empty'],
  ['null', null, 'their accessKeyId has to be a string that is not empty'],
  ['an empty object', {}, 'their accessKeyId has to be a string that is not empty'],
  ['a text', SECRET, 'their accessKeyId has to be a string that is not empty'],
  ['no secret', { accessKeyId: 'LTAItest' }, 'their accessKeySecret has to be a string that is not empty'],
  ['a line end', { ...KEY, accessKeySecret: `${SECRET}\n` }, 'their accessKeySecret has to be a string without blanks'],
  ['a token of bytes', { ...KEY, securityToken: Buffer.from(SECRET) }, 'their securityToken has to be a string'],
  [
    'a text as the expiration',
    { ...KEY, expiration: '2999-01-01T00:00:00Z' },
    'their expiration has to be a valid Date',
  ],
  ['an invalid date', { ...KEY, expiration: new Date('x') }, 'their expiration has to be a valid Date'],
  [
    'a key that has ended',
    { ...KEY, expiration: new Date('2020-01-01') },
    'they had ended at 2020-01-01T00:00:00.000Z, by the clock of this machine, when they were given',
  ],
])('a function that gives %s is a failure of AUTH, which shows no key', async (_, given, text) => {
  const failure = await failureOf(() => given);
  expect(failure).toMatchObject({ code: 'AUTH', ambiguous: false });
  expect(failure.message).toContain(`no Alibaba Cloud credentials (${text}`);
  expect(failure.message).toMatch(/\): the function of the option "credentials" has to give them$/);
  expect(inspect(failure, { depth: 10 })).not.toContain(SECRET);
});

it('a function whose server answers 503 fails for now, whatever error it makes of that', async () => {
  const { target } = await startServer(() => ({ status: 503 }));
  const ask = (): Promise<never> =>
    new Promise((_, reject) => {
      get(target.endpoint, (response) => response.resume().once('end', () => reject(new Error('no key'))));
    });
  expect(await failureOf(ask)).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /^no Alibaba Cloud credentials for now: 127.0.0.1:\d+ answered HTTP 503 \(no key\)$/,
    ),
  });
});

it('compares the expiration with the clock that it is given', async () => {
  const clock = new VirtualClock();
  const expiration = new Date(clock.now() + 60_000);
  expect(await createCredentialsSource(() => ({ ...KEY, expiration }), { clock }).get()).toEqual(KEY);
});
