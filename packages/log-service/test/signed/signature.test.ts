import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { full } from '../../../../forms.js';
import type { AccessKey } from '../../src/signed/access-key.js';
import { percentEncoded } from '../../src/signed/canonical.js';
import { signRequest, type UnsignedRequest } from '../../src/signed/signature.js';
import { authorizationV1 } from '../../src/signed/signature-v1.js';
import { authorizationV4 } from '../../src/signed/signature-v4.js';
import { officialAuthorization } from '../support/official-signatures.js';

const HOST = 'https://shop.cn-hangzhou.log.aliyuncs.com';
const SENT_MS = Date.UTC(2026, 10, 22, 20, 45, 53, 999);
const key: AccessKey = { accessKeyId: 'mockAccessKeyID', accessKeySecret: 'mockAccessKeySecret' };
const md5 = (body: Uint8Array) => createHash('md5').update(body).digest('hex').toUpperCase();
const sha256 = (body: string | Uint8Array) => createHash('sha256').update(body).digest('hex');

const putLogs: UnsignedRequest = {
  method: 'POST',
  url: `${HOST}/logstores/web/shards/lb`,
  headers: {
    'content-type': 'application/x-protobuf',
    'x-log-apiversion': '0.6.0',
    'x-log-bodyrawsize': '1234',
    'x-log-compresstype': 'lz4',
  },
  body: Buffer.from('the compressed bytes'),
};

/** https://github.com/aliyun/aliyun-log-go-sdk/blob/210ae4b/signature_test.go */
describe('version 1 gives the signatures of the tests of the Go SDK', () => {
  const headers = {
    'x-log-apiversion': '0.6.0',
    'x-log-signaturemethod': 'hmac-sha1',
    date: 'Mon, 3 Jan 2010 08:33:47 GMT',
  };

  it('for a request without a body', () => {
    const url = new URL(`${HOST}/logstores`);
    expect(authorizationV1({ method: 'GET', url, headers: { ...headers, 'x-log-bodyrawsize': '0' } }, key)).toBe(
      'LOG mockAccessKeyID:Rwm6cTKzoti4HWoe+GKcb6Kv07E=',
    );
  });

  it('for a request with a body', () => {
    // A LogGroupList in Protocol Buffers.
    const body = Buffer.from(
      '0a320a1e08f8b2939e0512160a07546573744b6579120b54657374436f6e74656e741a00220e31302e3233302e3230312e313137',
      'hex',
    );
    const url = new URL(`${HOST}/logstores/app_log`);
    const withBody = {
      ...headers,
      'x-log-bodyrawsize': '50',
      'content-type': 'application/x-protobuf',
      'content-md5': md5(body),
      'content-length': '50',
    };
    expect(authorizationV1({ method: 'GET', url, headers: withBody }, key)).toBe(
      'LOG mockAccessKeyID:87xQWqFaOSewqRIma8kPjGYlXHc=',
    );
  });
});

/** https://github.com/aliyun/aliyun-log-nodejs-sdk/blob/58e9164/test/unit.test.js */
describe('version 1 gives the signatures of the tests of the Node.js SDK', () => {
  const nodeKey: AccessKey = {
    accessKeyId: 'bq2sjzesjmo86kq35behupbq',
    accessKeySecret: '4fdO2fTDDnZPU/L7CHNdemB2Nsk=',
  };
  const posted = {
    date: 'Mon, 09 Nov 2015 06:03:03 GMT',
    'x-log-apiversion': '0.6.0',
    'x-log-signaturemethod': 'hmac-sha1',
    'content-md5': '1DD45FA4A70A9300CC9FE7305AF2C494',
    'content-length': '52',
    'content-type': 'application/x-protobuf',
    'x-log-bodyrawsize': '50',
    'x-log-compresstype': 'lz4',
  };
  const url = new URL(`${HOST}/logstores/test-logstore`);

  it('for a query with an empty value', () => {
    const request: UnsignedRequest = {
      method: 'GET',
      url: `${HOST}/logstores?size=1000&logstoreName=&offset=0`,
      headers: { 'x-log-apiversion': '0.6.0' },
      body: undefined,
    };
    const dateMs = Date.UTC(2015, 10, 9, 6, 11, 16);
    expect(signRequest(request, nodeKey, { region: undefined, dateMs })).toEqual({
      'x-log-apiversion': '0.6.0',
      'x-log-signaturemethod': 'hmac-sha1',
      date: 'Mon, 09 Nov 2015 06:11:16 GMT',
      authorization: 'LOG bq2sjzesjmo86kq35behupbq:jEYOTCJs2e88o+y5F4/S5IsnBJQ=',
    });
  });

  it('for a compressed body', () => {
    expect(authorizationV1({ method: 'POST', url, headers: posted }, nodeKey)).toBe(
      'LOG bq2sjzesjmo86kq35behupbq:XWLGYHGg2F2hcfxWxMLiNkGki6g=',
    );
  });

  it('for a temporary key', () => {
    const temporary = {
      accessKeyId: 'STS.NSNYgJ2KUoYaEuDrNazRLg2a6',
      accessKeySecret: '56Xqw2THF5vTHTNkGWR6uGRKXToKWMi2eLFjppPNV8RR',
    };
    const token =
      'CAISiwJ1q6Ft5B2yfSjIr5D7Et3+35R02JuKR1P1lk40dt1giPfK1Dz2IHhLdXNrAuEXs/w0mmBQ7v8TlqZdVplOWU3Da+B364xK7Q75jHw5B0zwv9I+k5SANTW5KXyShb3/AYjQSNfaZY3eCTTtnTNyxr3XbCirW0ffX7SClZ9gaKZ8PGD6F00kYu1bPQx/ssQXGGLMPPK2SH7Qj3HXEVBjt3gX6wo9y9zmnZHNukGH3QOqkbVM9t6rGPX+MZkwZqUYesyuwel7epDG1CNt8BVQ/M909vccpmad5YrMUgQJuEvWa7KNo8caKgJmI7M3AbBFp/WlyKMn5raOydSrkE8cePtSVynP+g0hR0dZ+YgagAEFdb+5rO1e+OZ3kcmPKF5Zh2Sni+vF1qzKA/SElND5koQQV6uvVCweKnfzCPMKjY0OXWmfgtcwOTyJ4ABGsTGnILzBNRD/+Gdqe7wclZrj0aDUkTdFf8k7SudZuO9KOPBe8mS3pJoMs1p67mWA/J4Wn0dottbprb5EQOBRxUC6bw==';
    const headers = { ...posted, 'x-acs-security-token': token };
    expect(authorizationV1({ method: 'POST', url, headers }, temporary)).toBe(
      'LOG STS.NSNYgJ2KUoYaEuDrNazRLg2a6:G3R03b6PwVI+zUaLtqezsBDL/j8=',
    );
  });
});

/**
 * https://github.com/aliyun/aliyun-log-go-sdk/blob/210ae4b/signature_v4_test.go, and the same in the tests of the SDKs for Java
 * and Python.
 */
describe('version 4 gives the signatures of the tests of the Go SDK', () => {
  const BODY = 'adasd= -asd zcas';
  const QUERY = '?+abc=efg&+agc+=&=efg&A-bc=eFg';
  const HEADERS = { hello: 'world', 'hello-Text': 'a12X- ', 'x-log-test': 'het123', 'x-acs-ppp': 'dds' };
  const LONG_QUERY = `${QUERY}&abs-ij*asd/vc=a~js%2Bd+ada&a+abAas123/vc=a~jdad+a2ADFs%2Bd+ada`;

  it.each([
    [
      'headers, query and body',
      { method: 'POST', path: `/logstores${QUERY}`, headers: HEADERS, body: BODY, region: 'cn-hangzhou' },
      'a98f5632e93836e63839cd836a54055f480020a9364ca944e2d34f2eb9bf1bed',
    ],
    [
      'a body only',
      { method: 'POST', path: '/logstores', headers: {}, body: BODY, region: 'cn-shanghai' },
      '8a10a5e723cb2e75964816de660b2c16a58af8bc0261f7f0722d832468c76ce8',
    ],
    [
      'no body',
      { method: 'POST', path: `/logstores${QUERY}`, headers: HEADERS, body: '', region: 'cn-hangzhou' },
      '5a66d8f8051983e0e9d08e0f960ef9252ef971eead5bb5c7acec8617a2eb2701',
    ],
    [
      'no body, and another method',
      { method: 'GET', path: `/logstores${QUERY}`, headers: HEADERS, body: '', region: 'cn-hangzhou' },
      'd92741852500791d662a8d469ff61627c0559ecd86c3f59b7bf6772b6c62666a',
    ],
    [
      'marks in path and query',
      {
        method: 'POST',
        path: `/logstores/hello/a+*~bb/cc${LONG_QUERY}`,
        headers: HEADERS,
        body: BODY,
        region: 'cn-hangzhou',
      },
      '2c204068e961a8813a6bcf7ac422f7fa6e9bf9a5da493e0165dfe100854d18ff',
    ],
  ])('for %s', (_, { method, path, headers, body, region }, signature) => {
    const goKey = { accessKeyId: 'acsddda21dsd', accessKeySecret: 'zxasdasdasw2' };
    const parts = {
      method,
      url: new URL(HOST + path),
      headers: { ...headers, 'x-log-date': '20220808T032330Z', 'x-log-content-sha256': sha256(body) },
    };
    expect(authorizationV4(parts, goKey, region)).toBe(
      `SLS4-HMAC-SHA256 Credential=acsddda21dsd/20220808/${region}/sls/aliyun_v4_request,Signature=${signature}`,
    );
  });
});

/** https://github.com/aliyun/aliyun-log-go-sdk/blob/210ae4b/signature_v4_test.go */
it.each([
  ['123abc!@#$%^&*()-=_+ ~|\\/', '123abc%21%40%23%24%25%5E%26%2A%28%29-%3D_%2B%20~%7C%5C%2F'],
  [
    '!@#$%^&*()=-+ ~./_[()]%20你好\0\u0111❤😓',
    '%21%40%23%24%25%5E%26%2A%28%29%3D-%2B%20~.%2F_%5B%28%29%5D%2520%E4%BD%A0%E5%A5%BD%00%C4%91%E2%9D%A4%F0%9F%98%93',
  ],
])('encodes %j as the Go SDK does', (text, encoded) => {
  expect(percentEncoded(text)).toBe(encoded);
});

/** https://github.com/aliyun/aliyun-log-java-sdk/blob/1279e96/src/test/java/com/aliyun/openservices/log/http/signer/SlsV1SignerTest.java */
it.each([
  ['20', '7215EE9C7D9DC229D2921A40E899EC5F'],
  ['6b6c3338797353016b64220a0964736938', '802EAEB3D5AC8CBE65934997C0B83E4B'],
  ['6b6c3338797353016b64220a090864736938', '04568016387F3BF053211F01CF55E52E'],
  ['6b6c33387973530001896b64220a090864736938', '344676963785D56724F5B8228F9B2B69'],
])('hashes the body %s as the Java SDK does', (hex, contentMd5) => {
  const request = { ...putLogs, body: Buffer.from(hex, 'hex') };
  expect(signRequest(request, key, { region: undefined, dateMs: SENT_MS })).toHaveProperty('content-md5', contentMd5);
});

describe('a signed request', () => {
  it('of version 1 has the headers of the Go SDK', () => {
    expect(signRequest(putLogs, key, { region: undefined, dateMs: SENT_MS })).toEqual({
      ...putLogs.headers,
      'content-md5': md5(Buffer.from('the compressed bytes')),
      date: 'Sun, 22 Nov 2026 20:45:53 GMT',
      'x-log-signaturemethod': 'hmac-sha1',
      authorization: expect.stringMatching(/^LOG mockAccessKeyID:[\w+/]{27}=$/),
    });
  });

  it('of version 4 has the headers of the Go SDK, and none of version 1', () => {
    expect(signRequest(putLogs, key, { region: 'cn-hangzhou', dateMs: SENT_MS })).toEqual({
      ...putLogs.headers,
      'x-log-content-sha256': sha256('the compressed bytes'),
      'x-log-date': '20261122T204553Z',
      authorization: expect.stringMatching(
        /^SLS4-HMAC-SHA256 Credential=mockAccessKeyID\/20261122\/cn-hangzhou\/sls\/aliyun_v4_request,Signature=[\da-f]{64}$/,
      ),
    });
  });

  it.each([undefined, 'cn-hangzhou'])('carries the token of a temporary key, and signs it (region %s)', (region) => {
    const sign = (securityToken: string | undefined) =>
      signRequest(putLogs, { ...key, securityToken }, { region, dateMs: SENT_MS });
    expect(sign('one')).toHaveProperty('x-acs-security-token', 'one');
    expect(sign('one').authorization).not.toBe(sign('two').authorization);
    expect(sign('')).toEqual(sign(undefined));
    expect(sign('')).not.toHaveProperty('x-acs-security-token');
  });
});

describe('Alibaba Cloud’s own clients', () => {
  const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019+/=.-'), minLength: 1, maxLength: 40 });
  const accessKey = fc.record({
    accessKeyId: token,
    accessKeySecret: fc.oneof(token, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })),
    securityToken: fc.option(token, { nil: undefined }),
  });
  const segment = fc.string({ unit: fc.constantFrom(...'abz019-_.~+*'), minLength: 1, maxLength: 12 });
  // The clients sort, and encode, marks in the query in different ways.
  const name = fc.string({ unit: fc.constantFrom(...'abcXYZ_'), minLength: 1, maxLength: 8 });
  const value = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[!'()*]/g, ''));
  const request: fc.Arbitrary<UnsignedRequest> = fc.record({
    method: fc.constantFrom('POST', 'GET', 'PUT', 'DELETE'),
    url: fc
      .tuple(
        fc.constantFrom(HOST, 'http://127.0.0.1:8080', 'https://logs.example.com:443', 'http://[::1]:80'),
        fc.array(segment, { maxLength: 4 }),
        fc.dictionary(name, value, { maxKeys: 5 }),
      )
      .map(([origin, path, query]) => {
        const search = new URLSearchParams(query).toString();
        return `${origin}/${path.join('/')}${search && `?${search}`}`;
      }),
    headers: fc
      .tuple(
        fc.dictionary(
          fc.constantFrom(
            'x-log-compresstype',
            'x-log-hashkey',
            'x-log-a',
            'x-log-a-b',
            'x-acs-x',
            'user-agent',
            'accept',
          ),
          fc.string({ unit: fc.constantFrom(...'aB1 ;=,/'), maxLength: 10 }),
        ),
        fc.option(fc.constantFrom('application/x-protobuf', 'application/json'), { nil: undefined }),
        fc.nat(),
      )
      .map(([headers, contentType, rawSize]) => ({
        ...headers,
        'x-log-apiversion': '0.6.0',
        'x-log-bodyrawsize': String(rawSize),
        ...(contentType !== undefined && { 'content-type': contentType }),
      })),
    body: fc.option(fc.uint8Array({ maxLength: 500 }), { nil: undefined }),
  });
  const dateMs = fc.integer({ min: 0, max: Date.UTC(2099, 11, 31) });

  it.each([
    ['1', fc.constant(undefined)],
    ['4', fc.constantFrom('cn-hangzhou', 'ap-southeast-1', 'cn-shanghai-finance-1')],
  ])('sign any request by version %s with the same signature', async (_, regions) => {
    await fc.assert(
      fc.asyncProperty(request, accessKey, regions, dateMs, async (unsigned, someKey, region, sentMs) => {
        const options = { region, dateMs: sentMs };
        const headers = signRequest(unsigned, someKey, options);
        expect(headers.authorization).toBe(await officialAuthorization(unsigned, someKey, options));
        // A server that received the signed request comes to the same result.
        const received = { ...unsigned, headers: { ...headers, host: new URL(unsigned.url).host } };
        expect(headers.authorization).toBe(await officialAuthorization(received, someKey, options));
      }),
      { numRuns: full ? 5000 : 200 },
    );
  });

  it('sign with the same key for each day, region and secret', async () => {
    const dayMs = 24 * 60 * 60 * 1000;
    const variants = [key, { ...key, accessKeySecret: 'other' }].flatMap((each) =>
      ['cn-hangzhou', 'cn-beijing'].flatMap((region) =>
        Array.from({ length: 10 }, (_, days) => [each, { region, dateMs: SENT_MS + days * dayMs }] as const),
      ),
    );
    for (const [each, options] of [...variants, ...variants.reverse()]) {
      expect(signRequest(putLogs, each, options).authorization).toBe(
        await officialAuthorization(putLogs, each, options),
      );
    }
  });

  it.each([undefined, 'cn-hangzhou'])('sign another request with another signature (region %s)', async (region) => {
    const options = { region, dateMs: SENT_MS };
    const { authorization } = signRequest(putLogs, key, options);
    expect(await officialAuthorization(putLogs, key, options)).toBe(authorization);
    const others: UnsignedRequest[] = [
      { ...putLogs, method: 'PUT' },
      { ...putLogs, url: `${HOST}/logstores/web2/shards/lb` },
      { ...putLogs, url: `${putLogs.url}?key=1` },
      { ...putLogs, headers: { ...putLogs.headers, 'x-log-bodyrawsize': '1235' } },
      { ...putLogs, headers: { ...putLogs.headers, 'content-type': 'application/json' } },
      { ...putLogs, body: Buffer.from('other compressed bytes') },
    ];
    for (const other of others) expect(await officialAuthorization(other, key, options)).not.toBe(authorization);
    const otherKey = { ...key, accessKeySecret: 'mockAccessKeySecreT' };
    expect(await officialAuthorization(putLogs, otherKey, options)).not.toBe(authorization);
    expect(await officialAuthorization(putLogs, key, { region, dateMs: SENT_MS + 1000 })).not.toBe(authorization);
  });
});
