import { createHttpClient, type HttpResponse, type ProxySetting } from '@logferry/core';

/**
 * The SDK's interface `HttpHandler`. Its own `NodeHttpHandler` keeps the process alive, with sockets and timers, while a
 * request is in flight.
 */
export interface RequestHandler {
  readonly metadata: { readonly handlerProtocol: string };
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ readonly response: SdkResponse }>;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): object;
  destroy(): void;
}

const progressOf = new WeakMap<object, () => void>();

/** Has the handler call `onProgress` after each piece of the request's body that was sent. */
export function tellProgress(request: object, onProgress: (() => void) | undefined): void {
  if (onProgress) progressOf.set(request, onProgress);
}

/** Makes the handler of one client. It serves our requests, and those of its sources of credentials: no streams and no queries. */
export function createRequestHandler(proxy: ProxySetting, maxResponseBytes?: number): RequestHandler {
  const http = createHttpClient({ proxy, maxResponseBytes });
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, options) {
      const { protocol, hostname, port, path, method, headers, body = '' } = request;
      // The SDK passes on the signal that `send` got. A source of credentials, which asks by this handler too, has none.
      const signal = (options?.abortSignal as AbortSignal | undefined) ?? new AbortController().signal;
      const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;
      const onProgress = progressOf.get(request);
      const { status, ...response } = await http.request({ url, method, headers, body, signal, onProgress });
      return { response: { statusCode: status, ...response } };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy: () => http.close(),
  };
}

/** The members of the SDK's `HttpRequest` that the handler reads. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array | string;
}

/** To the SDK a body that broke off is one that it cannot read: the error that it throws has status and headers. */
interface SdkResponse extends Omit<HttpResponse, 'status'> {
  readonly statusCode: number;
}
