import { request as requestHttp } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions, request as requestHttps } from 'node:https';
import { isIP, isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { unreferenceSocket } from './http-socket.js';
import { type ForwardProxy, proxyRefusal } from './proxy.js';

/**
 * The agent for `https:` URLs behind a proxy: the proxy connects to the host, by its method CONNECT, and sees only TLS. The agents on npm
 * keep the process alive while the proxy is silent, go on after an abort, and take the answer of the proxy for that of the service.
 */
export class TunnelAgent extends Agent {
  readonly #proxy: ForwardProxy;

  constructor(proxy: ForwardProxy, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(options: RequestOptions, callback?: ConnectionCallback): undefined {
    const { host, port, lookup, tunnelSignal } = options as RequestOptions & Partial<TunnelOptions>;
    const address = `${isIPv6(String(host)) ? `[${host}]` : host}:${port}`;
    openTunnel(this.#proxy, address, { lookup, signal: tunnelSignal })
      .then((socket) => super.createConnection({ ...options, socket } as RequestOptions) as Duplex)
      .then(
        (stream) => callback?.(null, stream),
        (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
      );
    return undefined;
  }
}

/** What a request tells a {@link TunnelAgent}. Node.js keeps the option `signal` to itself. */
export interface TunnelOptions {
  /** Ends the attempt to connect. */
  readonly tunnelSignal: AbortSignal;
}

/** The options by which a request to a proxy is made. */
export function proxyAddress({ hostname, port, protocol }: ForwardProxy): RequestOptions {
  // Node.js would take the name for the certificate from the header "host", which names the target.
  const servername = isIP(hostname) ? '' : hostname;
  return { hostname, port, ...(protocol === 'https:' && { servername }) };
}

type ConnectionCallback = (error: Error | null, stream: Duplex) => void;

/** Resolves with the connection to a host that the proxy has made. */
function openTunnel(
  proxy: ForwardProxy,
  address: string,
  { lookup, signal }: { readonly lookup: RequestOptions['lookup']; readonly signal: AbortSignal | undefined },
): Promise<Socket> {
  const make = proxy.protocol === 'https:' ? requestHttps : requestHttp;
  const connect = make({
    ...proxyAddress(proxy),
    ...(lookup && { lookup }),
    method: 'CONNECT',
    path: address,
    headers: { host: address, ...proxy.headers },
    agent: false,
  });
  const abort = (): unknown => connect.destroy(abortError(signal?.reason));
  signal?.addEventListener('abort', abort, { once: true });
  const answer = new Promise<Socket>((resolve, reject) => {
    connect.once('connect', ({ statusCode = 0, statusMessage }, socket: Socket) => {
      // Nobody else listens before TLS begins.
      socket.on('error', () => {});
      if (statusCode >= 200 && statusCode < 300) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(proxyRefusal(`CONNECT ${address}`, statusCode, statusMessage));
    });
    connect.on('error', reject);
  });
  unreferenceSocket(connect, proxy.hostname);
  if (signal?.aborted) abort();
  connect.end();
  // The connection serves further requests, which have signals of their own.
  return answer.finally(() => signal?.removeEventListener('abort', abort));
}

function abortError(cause: unknown): Error {
  return Object.assign(new Error('The operation was aborted', { cause }), { name: 'AbortError', code: 'ABORT_ERR' });
}
