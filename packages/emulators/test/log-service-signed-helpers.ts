import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import protobuf from 'protobufjs';
import type { LogServiceCredentials, LogServiceEmulator } from '../src/index.js';
import { NOW, type RawResponse, send } from './log-service-helpers.js';

const require = createRequire(import.meta.url);
/** The official clients: requests of the tests are signed by their code. */
const V1Client = require('@alicloud/log');
const { default: Gateway } = require('@alicloud/gateway-sls');
const LogGroup = protobuf
  .loadSync(require.resolve('@alicloud/log').replace(/index\.js$/, 'lib/sls.proto'))
  .lookupType('sls.LogGroup');

export const LB_PATH = '/logstores/logs/shards/lb';
/** The emulator's fixed time in seconds. */
export const NOW_S: number = Math.floor(NOW / 1000);

export interface SignedRequest {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly version?: 'v1' | 'v4';
  /** Changes to the headers before the signature; undefined removes a header. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Changes to the headers after the signature; undefined removes a header. */
  readonly changed?: Readonly<Record<string, string | undefined>>;
  readonly credentials?: LogServiceCredentials;
  readonly region?: string;
  /** Epoch milliseconds. @default NOW */
  readonly time?: number;
  readonly rawSize?: number;
  /** The body that is sent, if it is not the signed one. */
  readonly sentBody?: string | Uint8Array;
}

/** Signs a request with an official client's code, and sends it. By default, a PutLogs with a Protobuf body. */
export async function sendSigned(
  emulator: LogServiceEmulator,
  body: string | Uint8Array,
  request: SignedRequest = {},
): Promise<RawResponse> {
  const { method = 'POST', path = LB_PATH, query = {}, version = 'v1', time = NOW, region = emulator.region } = request;
  const { credentials = credentialsOf(emulator), sentBody = body } = request;
  const bytes = Buffer.from(body as string);
  const headers = present({
    'content-type': 'application/x-protobuf',
    'x-log-apiversion': '0.6.0',
    'x-log-bodyrawsize': String(request.rawSize ?? bytes.length),
    host: new URL(emulator.url).host,
    'x-acs-security-token': credentials.securityToken,
    ...(version === 'v1' ? v1Headers(bytes, time) : v4Headers(bytes, time)),
    ...request.headers,
  });
  const { accessKeyId, accessKeySecret } = credentials;
  headers.authorization =
    version === 'v1'
      ? new V1Client({ ...credentials, region })._sign(method, path, query, headers, credentials)
      : await new Gateway().getAuthorizationV4(
          { configuration: { regionId: region }, request: { method, pathname: path, query, headers } },
          headers['x-log-date'],
          headers['x-log-content-sha256'],
          accessKeyId,
          accessKeySecret,
        );
  const suffix = new URLSearchParams(query).toString();
  return send(emulator, sentBody, {
    method,
    path: suffix ? `${path}?${suffix}` : path,
    headers: {
      'content-length': String(Buffer.byteLength(sentBody)),
      'content-type': undefined,
      'x-log-apiversion': undefined,
      'x-log-bodyrawsize': undefined,
      ...headers,
      ...request.changed,
    },
  });
}

/** The first credentials that the emulator accepts. */
export function credentialsOf({ env }: LogServiceEmulator): LogServiceCredentials {
  return {
    accessKeyId: env.ALIBABA_CLOUD_ACCESS_KEY_ID,
    accessKeySecret: env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
    ...(env.ALIBABA_CLOUD_SECURITY_TOKEN !== undefined && { securityToken: env.ALIBABA_CLOUD_SECURITY_TOKEN }),
  };
}

/** Sends a request without a body, or with a JSON body, for an operation on resources. */
export function call(
  emulator: LogServiceEmulator,
  line: string,
  body?: unknown,
  request: SignedRequest = {},
): Promise<RawResponse> {
  const [method = '', path = ''] = line.split(' ');
  const headers = { 'content-type': body === undefined ? undefined : 'application/json', ...request.headers };
  return sendSigned(emulator, body === undefined ? '' : JSON.stringify(body), { method, path, ...request, headers });
}

export interface TestLog {
  readonly Time?: number;
  readonly TimeNs?: number;
  readonly Contents?: readonly { readonly Key?: string; readonly Value?: string }[];
}

/** A log of the emulator's time. */
export function signedLog(message = 'hello', members: TestLog = {}): TestLog {
  return { Time: NOW_S, Contents: [{ Key: 'message', Value: message }], ...members };
}

/** A LogGroup, encoded by protobufjs. */
export function groupOf(Logs: readonly TestLog[], members: object = {}): Buffer {
  return Buffer.from(LogGroup.encode(LogGroup.create({ Logs, Source: 'host-1', ...members })).finish());
}

function v1Headers(body: Buffer, time: number): Record<string, string> {
  return {
    date: new Date(time).toUTCString(),
    'x-log-signaturemethod': 'hmac-sha1',
    ...(body.length > 0 && { 'content-md5': createHash('md5').update(body).digest('hex').toUpperCase() }),
  };
}

function v4Headers(body: Buffer, time: number): Record<string, string> {
  return {
    'x-log-date': new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, ''),
    'x-log-content-sha256': createHash('sha256').update(body).digest('hex'),
  };
}

function present(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
