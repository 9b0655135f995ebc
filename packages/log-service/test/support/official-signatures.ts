import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { AccessKey } from '../../src/signed/access-key.js';

/** A request, as a client is about to send it or as a server received it. */
export interface SentRequest {
  readonly method: string;
  /** The full URL. */
  readonly url: string;
  /** Values by name in lower case. Those that belong to the signature are ignored. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array | undefined;
}

/**
 * The header `authorization` that Alibaba Cloud's own clients send with a request: of version 4 by `@alicloud/gateway-sls` if there is
 * a region, else of version 1 by `@alicloud/log`. In a query they differ from the SDKs for Go and Java, which `signRequest` follows:
 * the first leaves the marks `!'()*` as they are, the second sorts `a-b=1` before `a=1`.
 */
export async function officialAuthorization(
  request: SentRequest,
  key: AccessKey,
  { region, dateMs }: { readonly region: string | undefined; readonly dateMs: number },
): Promise<string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (!OF_THE_SIGNATURE.has(name)) headers[name] = String(value);
  }
  return region === undefined
    ? version1(request, headers, key, dateMs)
    : version4(request, headers, key, region, dateMs);
}

const OF_THE_SIGNATURE: ReadonlySet<string> = new Set([
  'authorization',
  'content-md5',
  'date',
  'host',
  'x-acs-security-token',
  'x-log-content-sha256',
  'x-log-date',
  'x-log-signaturemethod',
]);

const require = createRequire(import.meta.url);

/** The package has no types. */
const LogClient: new (
  key: AccessKey,
) => {
  _sign(
    method: string,
    path: string,
    queries: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    key: AccessKey,
  ): string;
} = require('@alicloud/log');

/** Sets the headers as the client's method `_request` does. */
function version1(
  { method, url, body }: SentRequest,
  ownHeaders: Readonly<Record<string, string>>,
  key: AccessKey,
  dateMs: number,
): string {
  const { pathname, searchParams } = new URL(url);
  const headers = {
    ...ownHeaders,
    ...(body && { 'content-md5': createHash('md5').update(body).digest('hex').toUpperCase() }),
    ...(key.securityToken && { 'x-acs-security-token': key.securityToken }),
    date: new Date(dateMs).toUTCString(),
    'x-log-signaturemethod': 'hmac-sha1',
  };
  return new LogClient(key)._sign(method, pathname, Object.fromEntries(searchParams), headers, key);
}

type Gateway = import('@alicloud/gateway-sls').default;
const GatewayClient = require('@alicloud/gateway-sls').default as new () => Gateway;

/** The client sets all headers itself. */
async function version4(
  { method, url, body }: SentRequest,
  headers: Readonly<Record<string, string>>,
  key: AccessKey,
  region: string,
  dateMs: number,
): Promise<string> {
  const { pathname, searchParams, host } = new URL(url);
  const request = {
    action: 'Any',
    method,
    pathname,
    query: Object.fromEntries(searchParams),
    headers: { ...headers } as Record<string, string>,
    // The client takes no other bytes.
    body: body && Buffer.from(body),
    reqBodyType: 'binary',
    signatureVersion: 'v4',
    userAgent: '',
    credential: { getCredential: async () => key },
  };
  const client = new GatewayClient();
  client.getDateISO8601 = async () => new Date(dateMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const context = { request, configuration: { regionId: region, endpoint: host } };
  type Arguments = Parameters<Gateway['modifyRequest']>;
  await client.modifyRequest(context as unknown as Arguments[0], {} as Arguments[1]);
  return request.headers.authorization ?? '';
}
