import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { checkSignature } from '../src/log-service/signature.js';
import { messagesIn, NOW, type RawResponse, send, setUp } from './log-service-helpers.js';
import {
  call,
  credentialsOf,
  groupOf,
  LB_PATH,
  type SignedRequest,
  sendSigned,
  signedLog,
} from './log-service-signed-helpers.js';

const BODY = groupOf([signedLog()]);
const MINUTE_MS = 60_000;
const VERSIONS = ['v1', 'v4'] as const;
const { default: Gateway } = createRequire(import.meta.url)('@alicloud/gateway-sls');

/** The vectors of https://github.com/aliyun/aliyun-log-go-sdk/blob/210ae4b/signature_test.go and signature_v4_test.go. */
describe('a published signature is accepted:', () => {
  const MOCK = { accessKeyId: 'mockAccessKeyID', accessKeySecret: 'mockAccessKeySecret' };
  const DATE = 'Mon, 3 Jan 2010 08:33:47 GMT';
  const emulatorOf = () =>
    setUp({ credentials: MOCK, logstores: ['app_log'], clock: () => Date.parse('2010-01-03T08:33:47Z') });
  const headersOf = (signature: string) => ({
    date: DATE,
    'x-log-apiversion': '0.6.0',
    'x-log-signaturemethod': 'hmac-sha1',
    authorization: `LOG mockAccessKeyID:${signature}`,
  });

  it('version 1, without a body', async () => {
    const headers = { ...headersOf('Rwm6cTKzoti4HWoe+GKcb6Kv07E='), 'content-type': undefined };
    const response = await send(await emulatorOf(), '', { method: 'GET', path: '/logstores', headers });
    expect(response).toMatchObject({ status: 200 });
    expect(JSON.parse(response.body)).toEqual({ count: 1, total: 1, logstores: ['app_log'] });
  });

  it('version 1, with a body', async () => {
    const group = groupOf([{ Time: 1_405_409_656, Contents: [{ Key: 'TestKey', Value: 'TestContent' }] }], {
      Topic: '',
      Source: '10.230.201.117',
    });
    // A LogGroupList: one field with the LogGroup.
    const body = Buffer.concat([Buffer.from([0x0a, group.length]), group]);
    expect(body).toHaveLength(52);
    const headers = {
      ...headersOf('87xQWqFaOSewqRIma8kPjGYlXHc='),
      'content-type': 'application/x-protobuf',
      'content-md5': createHash('md5').update(body).digest('hex').toUpperCase(),
    };
    const request = { method: 'GET', path: '/logstores/app_log', rawSize: 50, headers };
    expect(await send(await emulatorOf(), body, request)).toMatchObject({ status: 200 });
  });

  const PARAMETERS = { ' abc': 'efg', ' agc ': '', '': 'efg', 'A-bc': 'eFg' };
  const MORE = { ...PARAMETERS, 'abs-ij*asd/vc': 'a~js+d ada', 'a abAas123/vc': 'a~jdad a2ADFs+d ada' };
  const HEADERS = { hello: 'world', 'x-log-test': 'het123', 'x-acs-ppp': 'dds' };
  const TEXT = 'adasd= -asd zcas';
  it.each([
    [
      'POST',
      '/logstores',
      PARAMETERS,
      HEADERS,
      TEXT,
      'cn-hangzhou',
      'a98f5632e93836e63839cd836a54055f480020a9364ca944e2d34f2eb9bf1bed',
    ],
    [
      'POST',
      '/logstores',
      {},
      {},
      TEXT,
      'cn-shanghai',
      '8a10a5e723cb2e75964816de660b2c16a58af8bc0261f7f0722d832468c76ce8',
    ],
    [
      'POST',
      '/logstores',
      PARAMETERS,
      HEADERS,
      '',
      'cn-hangzhou',
      '5a66d8f8051983e0e9d08e0f960ef9252ef971eead5bb5c7acec8617a2eb2701',
    ],
    [
      'GET',
      '/logstores',
      PARAMETERS,
      HEADERS,
      '',
      'cn-hangzhou',
      'd92741852500791d662a8d469ff61627c0559ecd86c3f59b7bf6772b6c62666a',
    ],
    [
      'POST',
      '/logstores/hello/a+*~bb/cc',
      MORE,
      HEADERS,
      TEXT,
      'cn-hangzhou',
      '2c204068e961a8813a6bcf7ac422f7fa6e9bf9a5da493e0165dfe100854d18ff',
    ],
  ])('version 4, case %#', async (method, path, parameters, headers, text, region, signature) => {
    const body = Buffer.from(text);
    const request = {
      method,
      url: `${path}?${new URLSearchParams(parameters as Record<string, string>)}`,
      headers: {
        ...headers,
        'x-log-date': '20220808T032330Z',
        'x-log-content-sha256': createHash('sha256').update(body).digest('hex'),
        authorization: `SLS4-HMAC-SHA256 Credential=acsddda21dsd/20220808/${region}/sls/aliyun_v4_request,Signature=${signature}`,
      },
      body,
      tooLarge: false,
      closed: new AbortController().signal,
    };
    const credentials = [{ accessKeyId: 'acsddda21dsd', accessKeySecret: 'zxasdasdasw2' }];
    const check = () =>
      checkSignature(request, { credentials, region }, Date.parse('2022-08-08T03:23:30Z'), (departure) => {
        throw departure;
      });
    expect(check).not.toThrow();
    request.url += '&a=b';
    expect(check).toThrow(`Signature ${signature} not matched.`);
  });
});

describe.each(VERSIONS)('a signature of version %s', (version) => {
  const put = async (request: SignedRequest = {}, options = {}): Promise<RawResponse & { violations: unknown }> => {
    const emulator = await setUp(options);
    const response = await sendSigned(emulator, BODY, { version, ...request });
    expect(messagesIn(emulator)).toEqual(response.status === 200 ? ['hello'] : []);
    return { ...response, violations: emulator.stats().violations };
  };
  const MISMATCH = {
    status: 401,
    errorCode: 'SignatureNotMatch',
    errorMessage: expect.stringMatching(/^Signature \S+ not matched\.$/),
  };

  it('is accepted from the official client', async () => {
    expect(await put()).toMatchObject({ status: 200, body: '', violations: [] });
  });

  it('covers the query', async () => {
    const query = { type: 'log', from: '1', to: '2', query: 'a b: "c+d" 订单/*~' };
    const emulator = await setUp();
    const request = { version, query };
    expect(await call(emulator, 'GET /logstores/logs', undefined, request)).toMatchObject({ status: 200 });
  });

  it('may be up to 15 minutes from the service’s time, in both directions', async () => {
    for (const minutes of [-15, 15]) {
      const time = Math.floor(NOW / 1000) * 1000 + minutes * MINUTE_MS + (minutes < 0 ? 1000 : 0);
      expect(await put({ time })).toMatchObject({ status: 200 });
    }
  });

  it.each([-16, 16])('of a request that is %i minutes from the service’s time is refused', async (minutes) => {
    const response = await put({ time: NOW + minutes * MINUTE_MS });
    expect(response).toMatchObject({
      status: 400,
      errorCode: 'RequestTimeExpired',
      errorMessage: expect.stringMatching(/^Request time .+ has been expired while server time is .+\.$/),
      violations: [],
    });
    expect(response.headers.date).toBe(new Date(NOW).toUTCString());
  });

  it('with an unknown access key is refused, which is not a violation', async () => {
    expect(await put({ credentials: { accessKeyId: 'other', accessKeySecret: 'x' } })).toMatchObject({
      status: 401,
      errorCode: 'InvalidAccessKeyId',
      errorMessage: 'The access key id you provided is invalid: other.',
      violations: [],
    });
  });

  it('with a wrong secret is refused', async () => {
    const { accessKeyId } = credentialsOf(await setUp());
    expect(await put({ credentials: { accessKeyId, accessKeySecret: 'wrong' } })).toMatchObject({
      ...MISMATCH,
      violations: [{ logstore: 'logs', error: 'SignatureNotMatch' }],
    });
  });

  it('of another body is refused', async () => {
    const sentBody = groupOf([signedLog('HELLO')]);
    expect(await put({ sentBody })).toMatchObject({
      ...MISMATCH,
      violations: [
        {
          message: expect.stringMatching(
            /not matched\.: (Content-MD5|x-log-content-sha256) is \w+, but the body has \w+$/,
          ),
        },
      ],
    });
  });

  it.each([
    ['x-log-bodyrawsize', '1'],
    ['x-log-anything', 'added'],
    ['x-acs-anything', 'added'],
    ['content-type', 'application/json'],
  ])('of another %s is refused', async (name, value) => {
    expect(await put({ changed: { [name]: value } })).toMatchObject(MISMATCH);
  });

  it('does not cover other headers', async () => {
    expect(await put({ changed: { 'user-agent': 'other', accept: 'text/html' } })).toMatchObject({ status: 200 });
  });

  it.each([
    ['authorization', 'Missing http extend header key : authorization.'],
    version === 'v1'
      ? ['date', 'Missing http extend header key : x-log-date.']
      : ['x-log-date', 'Missing http extend header key : x-log-date.'],
    version === 'v1'
      ? ['x-log-signaturemethod', 'Missing http extend header key : x-log-signaturemethod.']
      : ['x-log-content-sha256', 'Missing http extend header key : x-log-content-sha256.'],
  ])('needs the header %s', async (name, errorMessage) => {
    const response = await put({ changed: { [name]: undefined } });
    expect(response).toMatchObject({ status: 400, errorCode: 'MissingParameter', errorMessage });
  });

  it.each(['yesterday', '2026-11-27T08:00:00Z', 'Mon, 99 Jan 2010 08:33:47 GMT', '20261340T000000Z'])(
    'with the time %s is refused',
    async (time) => {
      expect(await put({ changed: { [version === 'v1' ? 'date' : 'x-log-date']: time } })).toMatchObject({
        status: 400,
        errorCode: 'InvalidRequestTime',
        errorMessage: `Request time ${time} not follow RFC822 spec.`,
      });
    },
  );

  it.each(['LOG', 'LOG id', 'LOG :signature', 'Basic abc', 'SLS4-HMAC-SHA256 Credential=id,Signature=0'])(
    'in the header "%s" is refused',
    async (authorization) => {
      expect(await put({ changed: { authorization } })).toMatchObject({
        status: 400,
        errorCode: 'ParameterInvalid',
        errorMessage: `Http extend authorization : ${authorization} pair is invalid.`,
      });
    },
  );

  it('is needed before a logstore is looked up, and before the body is read', async () => {
    const emulator = await setUp();
    const wrong = { version, credentials: { accessKeyId: 'other', accessKeySecret: 'x' } };
    expect(await sendSigned(emulator, 'x', { ...wrong, path: '/logstores/none/shards/lb' })).toMatchObject({
      errorCode: 'InvalidAccessKeyId',
    });
    expect(await sendSigned(emulator, 'x', { version, path: '/logstores/none/shards/lb' })).toMatchObject({
      status: 404,
      errorCode: 'LogStoreNotExist',
    });
  });
});

describe('a signature of version 1', () => {
  it('may use HMAC with SHA-256, which is tolerated', async () => {
    for (const strict of [true, false]) {
      const emulator = await setUp({ strict });
      const { accessKeyId, accessKeySecret } = credentialsOf(emulator);
      const headers: Record<string, string> = {
        date: new Date(NOW).toUTCString(),
        'x-log-apiversion': '0.6.0',
        'x-log-signaturemethod': 'hmac-sha256',
      };
      headers.authorization = await new Gateway().getAuthorization(
        '/logstores',
        'GET',
        {},
        headers,
        accessKeyId,
        accessKeySecret,
      );
      const response = await send(emulator, '', {
        method: 'GET',
        path: '/logstores',
        headers: { ...headers, 'content-type': undefined, 'x-log-bodyrawsize': undefined },
      });
      expect(response.status).toBe(strict ? 400 : 200);
      expect(emulator.stats()[strict ? 'violations' : 'tolerated']).toEqual([
        { error: 'ParameterInvalid', message: 'x-log-signaturemethod: hmac-sha256 pair is invalid.' },
      ]);
    }
  });

  it('may not use another hash function', async () => {
    const emulator = await setUp({ strict: false });
    const headers = { 'x-log-signaturemethod': 'hmac-md5' };
    expect(await sendSigned(emulator, BODY, { headers })).toMatchObject({
      status: 400,
      errorCode: 'ParameterInvalid',
      errorMessage: 'x-log-signaturemethod: hmac-md5 pair is invalid.',
    });
  });

  it('covers x-log-date in the place of Date', async () => {
    const emulator = await setUp();
    const ok = { date: undefined, 'x-log-date': new Date(NOW).toUTCString() };
    // The official client knows no x-log-date: sign the time as Date, and send it under the other name.
    expect(await sendSigned(emulator, BODY, { changed: ok })).toMatchObject({ status: 200 });
    const both = { date: new Date(0).toUTCString(), 'x-log-date': new Date(NOW).toUTCString() };
    expect(await sendSigned(emulator, BODY, { changed: both })).toMatchObject({ status: 200 });
    expect(
      await sendSigned(emulator, BODY, { changed: { ...both, 'x-log-date': new Date(NOW + 1000).toUTCString() } }),
    ).toMatchObject({ status: 401, errorCode: 'SignatureNotMatch' });
  });

  it('needs Content-MD5 in upper case; a body without it is tolerated', async () => {
    const strict = await setUp();
    const headers = { 'content-md5': undefined };
    expect(await sendSigned(strict, BODY, { headers })).toMatchObject({
      status: 400,
      errorCode: 'MissingParameter',
      errorMessage: 'Missing http extend header key : content-md5.',
    });
    const emulator = await setUp({ strict: false });
    expect(await sendSigned(emulator, BODY, { headers })).toMatchObject({ status: 200 });
    expect(emulator.stats().tolerated).toMatchObject([{ error: 'MissingParameter' }]);
    const lowerCase = { 'content-md5': createHash('md5').update(BODY).digest('hex') };
    expect(await sendSigned(emulator, BODY, { headers: lowerCase })).toMatchObject({ errorCode: 'SignatureNotMatch' });
  });
});

describe('a signature of version 4', () => {
  const put = async (request: SignedRequest, options = {}): Promise<RawResponse> =>
    sendSigned(await setUp(options), BODY, { version: 'v4', ...request });

  it('is for the server’s region', async () => {
    expect(await put({}, { region: 'cn-hangzhou' })).toMatchObject({ status: 200 });
    expect(await put({ region: 'us-east-1' }, { region: 'cn-hangzhou' })).toMatchObject({
      errorCode: 'SignatureNotMatch',
    });
  });

  it('has the date of the request in its scope', async () => {
    const emulator = await setUp();
    const authorization = `SLS4-HMAC-SHA256 Credential=${credentialsOf(emulator).accessKeyId}/20000101/${emulator.region}/sls/aliyun_v4_request,Signature=${'0'.repeat(64)}`;
    await sendSigned(emulator, BODY, { version: 'v4', changed: { authorization } });
    expect(emulator.stats().violations).toEqual([
      {
        logstore: 'logs',
        error: 'SignatureNotMatch',
        message: `Signature ${'0'.repeat(64)} not matched.: the scope's date is 20000101`,
      },
    ]);
  });

  it('covers the host', async () => {
    const emulator = await setUp();
    const changed = { host: 'local.localhost' };
    expect(await sendSigned(emulator, BODY, { version: 'v4', changed })).toMatchObject({
      errorCode: 'SignatureNotMatch',
    });
    expect(await sendSigned(emulator, BODY, { version: 'v1', changed })).toMatchObject({ status: 200 });
  });

  it('does not cover x-log-meta-*, other than version 1', async () => {
    const changed = { 'x-log-meta-a': 'b' };
    expect(await put({ changed })).toMatchObject({ status: 200 });
    expect(await put({ changed, version: 'v1' })).toMatchObject({ errorCode: 'SignatureNotMatch' });
  });

  it('needs no Content-MD5, but a wrong one is refused', async () => {
    expect(await put({ changed: { 'content-md5': 'ABC' } })).toMatchObject({ errorCode: 'SignatureNotMatch' });
  });
});

describe('a security token', () => {
  const STS = { accessKeyId: 'STS.key', accessKeySecret: 'secret', securityToken: 'token-1' };
  const INVALID = {
    status: 401,
    errorCode: 'Unauthorized',
    errorMessage: 'The security token you provided is invalid',
  };
  const EXPIRED = { ...INVALID, errorMessage: 'The security token you provided has expired' };

  it.each(VERSIONS)('is signed (version %s)', async (version) => {
    const emulator = await setUp({ credentials: STS });
    expect(emulator.env).toEqual({
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'STS.key',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret',
      ALIBABA_CLOUD_SECURITY_TOKEN: 'token-1',
    });
    expect(await sendSigned(emulator, BODY, { version })).toMatchObject({ status: 200 });
  });

  it('that is missing, wrong or superfluous is refused, which is not a violation', async () => {
    const { securityToken: _, ...pair } = STS;
    const emulator = await setUp({ credentials: STS });
    expect(await sendSigned(emulator, BODY, { credentials: pair })).toMatchObject(INVALID);
    expect(await sendSigned(emulator, BODY, { credentials: { ...STS, securityToken: 'x' } })).toMatchObject(INVALID);
    emulator.credentials(pair);
    expect(await sendSigned(emulator, BODY, { credentials: STS })).toMatchObject(INVALID);
    expect(emulator.stats()).toMatchObject({ violations: [], accepted: 0 });
  });

  it('expires by the emulator’s clock', async () => {
    let now = NOW;
    const expiration = new Date(NOW + MINUTE_MS);
    const emulator = await setUp({ credentials: { ...STS, expiration }, clock: () => now });
    expect(await sendSigned(emulator, BODY)).toMatchObject({ status: 200 });
    now = expiration.getTime() - 1;
    expect(await sendSigned(emulator, BODY)).toMatchObject({ status: 200 });
    now = expiration.getTime();
    expect(await sendSigned(emulator, BODY)).toMatchObject(EXPIRED);
    expect(emulator.stats().violations).toEqual([]);
  });
});

describe('credentials()', () => {
  it('replaces the accepted credentials, of which there may be several', async () => {
    const emulator = await setUp();
    const old = credentialsOf(emulator);
    const [first, second] = [
      { accessKeyId: 'one', accessKeySecret: 'a' },
      { accessKeyId: 'two', accessKeySecret: 'b', securityToken: 'c' },
    ];
    emulator.credentials([first, second]);
    expect(emulator.env).toEqual({ ALIBABA_CLOUD_ACCESS_KEY_ID: 'one', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'a' });
    const statuses: number[] = [];
    for (const credentials of [first, second, old]) {
      statuses.push((await sendSigned(emulator, BODY, { credentials })).status);
    }
    expect(statuses).toEqual([200, 200, 401]);
  });

  it.each([
    [[], 'credentials: expected an array that is not empty, got an empty array'],
    [{ accessKeyId: '', accessKeySecret: 'x' }, 'credentials.accessKeyId: expected a string that is not empty, got ""'],
    [[{ accessKeyId: 'x' }], 'credentials[0].accessKeySecret: expected a string that is not empty, got undefined'],
  ])('refuses %o and keeps the old ones, like the option', async (wrong, message) => {
    const credentials = wrong as never;
    await expect(setUp({ credentials })).rejects.toThrow(new TypeError(`startLogService: ${message}`));
    const emulator = await setUp();
    expect(() => emulator.credentials(credentials)).toThrow(new TypeError(message));
    expect(await sendSigned(emulator, BODY)).toMatchObject({ status: 200 });
  });
});

it('a request without a signature is refused by all operations but web tracking', async () => {
  const emulator = await setUp();
  for (const line of [
    `POST ${LB_PATH}`,
    'POST /logstores',
    'POST /logstores/logs/index',
    'GET /logstores',
    'GET /logstores/logs',
    'GET /logstores/logs/index',
  ]) {
    const [method = '', path = ''] = line.split(' ');
    expect(await send(emulator, '{}', { method, path }), line).toMatchObject({
      status: 400,
      errorCode: 'MissingParameter',
    });
  }
});
