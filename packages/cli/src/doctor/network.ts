import {
  createHttpClient,
  type ForwardProxy,
  type HttpClient,
  type HttpResponse,
  noAnswer,
  proxyChooser,
} from '@logferry/core';
import type { Cloud } from './clouds/cloud.js';

/** What came of the one request that shows how the service is reached. */
export type Reached =
  | { readonly response: HttpResponse; readonly receivedAtMs: number }
  | { readonly error: unknown; readonly reason: string; readonly blame: 'proxy' | 'connection' };

/** The way to the service: each part of it is found out once. */
export class Network {
  readonly #cloud: Cloud;
  readonly #http: HttpClient;
  #reached: Promise<Reached> | undefined;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#http = createHttpClient({ proxy: cloud.proxy });
  }

  async url(): Promise<URL> {
    return new URL(await this.#cloud.url());
  }

  /** The proxy that requests go through. Rejects if a variable of the environment is no URL. */
  async proxy(): Promise<ForwardProxy | undefined> {
    return proxyChooser(this.#cloud.proxy)(await this.url());
  }

  /** Makes the request, by the first call. */
  reach(signal: AbortSignal): Promise<Reached> {
    this.#reached ??= this.#request(signal);
    return this.#reached;
  }

  close(): void {
    this.#http.close();
  }

  async #request(signal: AbortSignal): Promise<Reached> {
    const { path, requestHeaders } = this.#cloud.probe;
    const url = new URL(await this.url());
    url.pathname = url.pathname.replace(/\/$/, '') + path;
    try {
      const headers = { ...PREFLIGHT, 'access-control-request-headers': requestHeaders };
      const response = await this.#http.request({ url: url.href, method: 'OPTIONS', headers, body: '', signal });
      return { response, receivedAtMs: Date.now() };
    } catch (error) {
      const hasProxy = (await this.proxy().catch(() => undefined)) !== undefined;
      const { reason } = noAnswer(error);
      return { error, reason, blame: hasProxy && !isTlsError(error) ? 'proxy' : 'connection' };
    }
  }
}

const PREFLIGHT = { origin: 'https://logferry.invalid', 'access-control-request-method': 'POST' } as const;

/** TLS begins once the proxy has made the connection. */
export function isTlsError(error: unknown): boolean {
  const { code = '', message = '' } = Object(error) as { readonly code?: string; readonly message?: string };
  return /^ERR_(SSL|TLS)|CERT|SIGNATURE|ISSUER|^EPROTO/.test(code) || /before secure TLS connection/.test(message);
}
