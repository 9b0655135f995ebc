import dns from 'node:dns';
import { type ClientRequest, Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import type { HttpResponse } from './answer.js';
import { markProgress, markUnsent } from './http-errors.js';
import { headOf, MAX_RESPONSE_BYTES, readResponse } from './http-response.js';
import { MAX_STILL_MS, UnusedConnections, unreferenceSocket, whenConnected } from './http-socket.js';
import { type LookupAll, Lookups } from './lookup.js';
import { type ForwardProxy, type ProxySetting, proxyChooser, proxyRefusal } from './proxy.js';
import { sharedState } from './shared-state.js';
import { afterReading } from './system-clock.js';
import { proxyAddress, TunnelAgent, type TunnelOptions } from './tunnel.js';

/** Makes HTTP requests that do not keep the process alive. Code that waits for a response has to do that itself. */
export interface HttpClient {
  /**
   * Makes one request on one connection. Repeats nothing and follows no redirection. Rejects with the error of the connection
   * if no response came: {@link noAnswer} classifies it, and knows how far the request came.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes all connections. The next request opens a new connection. */
  close(): void;
}

/** A request of an {@link HttpClient}. */
export interface HttpRequest {
  /** `http:` or `https:`. */
  readonly url: string;
  /** `"POST"`, for example. */
  readonly method: string;
  /** Values by name. The client adds `host`, `connection` and the length of the body. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they are, or a text as UTF-8. */
  readonly body: Uint8Array | string;
  /** Aborts the request with an `AbortError`, or ends the body of the response. Nothing else limits the wait for a response. */
  readonly signal: AbortSignal;
  /** Called after each piece of the body that was sent: of 64 KiB at first, then of up to 512 KiB. Not called for the last one. */
  readonly onProgress?: (() => void) | undefined;
}

/**
 * The look-ups of this thread, of all copies of this package. `dns.lookup` is read for each: an application may have replaced it by
 * one with a memory.
 */
const threadLookups = sharedState('lookups', () => new Lookups((...args) => dns.lookup(...args)));

/** Settings of {@link createHttpClient}. */
export interface HttpClientOptions {
  /**
   * The URL of a proxy for all requests, with user name and password if it wants them; `false` for none.
   * @default by the environment: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`
   */
  readonly proxy?: ProxySetting;
  /** Takes the place of `dns.lookup` in a test. @default `dns.lookup` */
  readonly lookup?: LookupAll | undefined;
  /** The most that is kept of a response's body: for a client that reads logs. @default 1_048_576 */
  readonly maxResponseBytes?: number | undefined;
}

/** Makes a client. Opens no connection yet; keeps connections for further requests for up to 4 s. */
export function createHttpClient({
  proxy: setting,
  lookup,
  maxResponseBytes: maxBytes = MAX_RESPONSE_BYTES,
}: HttpClientOptions = {}): HttpClient {
  const lookups = lookup ? new Lookups(lookup) : threadLookups;
  const chooseProxy = proxyChooser(setting);
  const routes = new Map<string, Route>();
  const routeVia = (proxy: ForwardProxy | undefined): Route => {
    // With the login: a new one has to open connections of its own.
    const key = JSON.stringify(proxy ?? '');
    const route = routes.get(key) ?? createRoute(proxy);
    routes.set(key, route);
    return route;
  };
  return {
    async request({ url, body, onProgress, ...others }) {
      const target = parseUrl(url);
      const chosen = chooseProxy(target);
      const route = routeVia(chosen instanceof Promise ? await chosen : chosen);
      return new Promise((resolve, reject) => {
        const bytes = typeof body === 'string' ? Buffer.from(body) : body;
        const headers = { 'content-length': String(bytes.length), ...others.headers };
        const lookup: LookupFunction = (...args) => lookups.lookup(...args, others.signal);
        const { proxy, connections } = route;
        connections.closeStale();
        const request = makeRequest(target, { ...others, headers, lookup }, route);
        const { hostname } = proxy ?? target;
        let isConnected = false;
        whenConnected(request, () => {
          isConnected = true;
        });
        const fail = (error: Error, phase: 'sending' | 'waiting'): void => {
          markProgress(error, { phase, isReused: request.reusedSocket, proxy: proxy?.label });
          reject(error);
        };
        request.once('response', (response) => {
          // If the response came before all was sent: the caller may reuse the memory of the body.
          const stop = (): unknown => request.writableFinished || request.destroy();
          // In a tunnel only the service can answer a request.
          if (response.statusCode === 407 && proxy && target.protocol === 'http:') {
            request.destroy();
            fail(proxyRefusal(`${others.method} ${target.origin}`, 407, response.statusMessage), 'sending');
          } else
            resolve(readResponse(response, { signal: others.signal, proxy: proxy?.label, maxBytes }).finally(stop));
        });
        // The response that switches protocols.
        request.once('upgrade', (response, socket) => {
          socket.destroy();
          resolve({ ...headOf(response), proxy: proxy?.label, body: new Uint8Array(), complete: true });
        });
        request.on('error', (error) => {
          if (!isConnected) lookups.connectionFailed(hostname);
          // The server may have closed the others as well.
          if (request.reusedSocket) connections.closeAll();
          fail(error, isConnected && request.writableEnded ? 'waiting' : 'sending');
        });
        unreferenceSocket(request, hostname);
        sendBody(request, bytes, onProgress);
      });
    },
    close() {
      for (const { agents } of routes.values()) for (const agent of agents) agent.destroy();
    },
  };
}

/** The connections by one proxy, or by none. */
interface Route {
  readonly proxy: ForwardProxy | undefined;
  /** For `http:` and `https:` URLs. */
  readonly agents: readonly [HttpAgent, HttpsAgent];
  /** Theirs. */
  readonly connections: UnusedConnections;
}

function createRoute(proxy: ForwardProxy | undefined): Route {
  const settings = { keepAlive: true, timeout: MAX_STILL_MS };
  const plain = proxy?.protocol === 'https:' ? new HttpsAgent(settings) : new HttpAgent(settings);
  const agents = [plain, proxy ? new TunnelAgent(proxy, settings) : new HttpsAgent(settings)] as const;
  return { proxy, agents, connections: new UnusedConnections(agents) };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch (error) {
    markUnsent(error);
    throw error;
  }
}

/** Throws for a request that cannot be made: for its URL, or a header. */
function makeRequest(
  target: URL,
  options: Pick<HttpRequest, 'method' | 'headers' | 'signal'> & { readonly lookup: LookupFunction },
  { proxy, agents: [http, https] }: Route,
): ClientRequest {
  try {
    if (target.protocol === 'https:') {
      const tunnel: TunnelOptions = { tunnelSignal: options.signal };
      return requestHttps(target, { ...options, ...tunnel, agent: https });
    }
    if (!proxy) return requestHttp(target, { ...options, agent: http });
    // https://www.rfc-editor.org/rfc/rfc9112#name-absolute-form
    const { origin, pathname, search, host } = target;
    const headers = { host, ...options.headers, ...proxy.headers };
    const make = proxy.protocol === 'https:' ? requestHttps : requestHttp;
    const { auth } = urlToHttpOptions(target);
    return make({
      ...options,
      ...proxyAddress(proxy),
      ...(auth !== undefined && auth !== null && { auth }),
      headers,
      path: `${origin}${pathname}${search}`,
      agent: http,
    });
  } catch (error) {
    markUnsent(error);
    throw error;
  }
}

/** The first piece of a body. Each further one has four times the size, up to the limit: each costs a write, and some turns to read. */
const FIRST_PIECE_BYTES = 64 * 1024;
const MAX_PIECE_BYTES = 512 * 1024;

/**
 * Sends the body in pieces, one after another, so that progress shows: Node.js sends what waits as a whole. Before each
 * further piece what came is read: a server may refuse the request early and close the connection, and a write that meets that discards
 * the response.
 */
function sendBody(request: ClientRequest, body: Uint8Array, onProgress: (() => void) | undefined): void {
  let sentBytes = 0;
  let pieceBytes = FIRST_PIECE_BYTES;
  const sendNext = (): void => {
    if (request.destroyed) return;
    const piece = body.subarray(sentBytes, sentBytes + pieceBytes);
    sentBytes += piece.length;
    pieceBytes = Math.min(MAX_PIECE_BYTES, pieceBytes * 4);
    if (sentBytes === body.length) request.end(piece);
    else
      request.write(piece, (error) => {
        if (error || request.destroyed) return;
        onProgress?.();
        afterReading(sendNext);
      });
  };
  sendNext();
}
