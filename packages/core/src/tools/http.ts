import dns from 'node:dns';
import { type ClientRequest, Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { HttpResponse } from './answer.js';
import { markProgress, markUnsent, STALLED } from './http-errors.js';
import { headOf, readResponse } from './http-response.js';
import { type LookupAll, Lookups } from './lookup.js';
import { sharedState } from './shared-state.js';
import { afterReading, systemClock } from './system-clock.js';

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

/**
 * Makes a client. Opens no connection yet; keeps connections for further requests for up to 4 s. `lookup` takes the place of
 * `dns.lookup` in a test.
 */
export function createHttpClient({ lookup }: { readonly lookup?: LookupAll } = {}): HttpClient {
  const lookups = lookup ? new Lookups(lookup) : threadLookups;
  const settings = { keepAlive: true, timeout: MAX_STILL_MS };
  const agents = [new HttpAgent(settings), new HttpsAgent(settings)] as const;
  const connections = new UnusedConnections(agents);
  return {
    request: ({ url, body, onProgress, ...others }) =>
      new Promise((resolve, reject) => {
        connections.closeStale();
        const bytes = typeof body === 'string' ? Buffer.from(body) : body;
        const headers = { 'content-length': String(bytes.length), ...others.headers };
        const lookup: LookupFunction = (...args) => lookups.lookup(...args, others.signal);
        const { request, hostname } = makeRequest(url, { ...others, headers, lookup }, agents);
        let isConnected = false;
        whenConnected(request, () => {
          isConnected = true;
        });
        request.once('response', (response) => {
          // If the response came before all was sent: the caller may reuse the memory of the body.
          const stop = (): unknown => request.writableFinished || request.destroy();
          resolve(readResponse(response, others.signal).finally(stop));
        });
        // The response that switches protocols.
        request.once('upgrade', (response, socket) => {
          socket.destroy();
          resolve({ ...headOf(response), body: new Uint8Array(), complete: true });
        });
        request.on('error', (error) => {
          const { reusedSocket: isReused, writableEnded: isHandedOver } = request;
          if (!isConnected) lookups.connectionFailed(hostname);
          // The server may have closed the others as well.
          if (isReused) connections.closeAll();
          markProgress(error, { phase: isConnected && isHandedOver ? 'waiting' : 'sending', isReused });
          reject(error);
        });
        unreferenceSocket(request, hostname);
        sendBody(request, bytes, onProgress);
      }),
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}

/**
 * How long a connection may make no progress. Unused: less than servers wait before they close it, which is often 5 s.
 * Connecting: long enough for TCP to repeat a lost packet, after 1 and 3 s. Sending: as long.
 */
const MAX_STILL_MS = 4000;

/** Throws for a request that cannot be made: for its URL, or a header. */
function makeRequest(
  url: string,
  options: Pick<HttpRequest, 'method' | 'headers' | 'signal'> & { readonly lookup: LookupFunction },
  [http, https]: readonly [HttpAgent, HttpsAgent],
): { readonly request: ClientRequest; readonly hostname: string } {
  try {
    const target = new URL(url);
    const request =
      target.protocol === 'https:'
        ? requestHttps(target, { ...options, agent: https })
        : requestHttp(target, { ...options, agent: http });
    return { request, hostname: target.hostname };
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

/**
 * From then on the connection passes on what it is given. What it has passed on is not known in time: of TLS, Node.js tells that in a
 * later turn than the one in which the service may have the request, and may have closed the connection.
 */
function whenConnected(request: ClientRequest, connect: () => void): void {
  request.once('socket', (socket: Socket) => {
    if (request.reusedSocket) connect();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connect);
  });
}

/** The kept connections that serve no request. */
class UnusedConnections {
  readonly #agents: readonly HttpAgent[];
  /** In epoch milliseconds. */
  readonly #freeSinceMs = new WeakMap<Socket, number>();

  constructor(agents: readonly HttpAgent[]) {
    this.#agents = agents;
    for (const agent of agents) agent.on('free', (socket) => void this.#freeSinceMs.set(socket, systemClock.now()));
  }

  /**
   * Closes those whose limit is over, and whose timer has not fired, since the process was frozen: a request on a connection that is
   * gone for the network may get no response, and no error either. By the wall clock, as the monotonic one may stand still in a frozen
   * machine; where the wall clock was set, this costs a new connection.
   */
  closeStale(): void {
    const nowMs = systemClock.now();
    for (const socket of this.#all) {
      const unusedMs = nowMs - (this.#freeSinceMs.get(socket) ?? nowMs);
      if (unusedMs < 0 || unusedMs > MAX_STILL_MS) socket.destroy();
    }
  }

  closeAll(): void {
    for (const socket of this.#all) socket.destroy();
  }

  get #all(): readonly Socket[] {
    return this.#agents.flatMap(({ freeSockets }) => Object.values(freeSockets).flatMap((sockets) => sockets ?? []));
  }
}

/**
 * Lets the process end while the request is in flight. Even an unreferenced socket holds the process while it connects or
 * sends, so the time for either is limited. The lookup of an address cannot be aborted, and has limits of its own.
 */
function unreferenceSocket(request: ClientRequest, hostname: string): void {
  request.once('socket', (socket: Socket) => {
    const limit = (): unknown => socket.setTimeout(MAX_STILL_MS);
    if (!socket.connecting) {
      socket.unref();
      limit();
      return;
    }
    socket.once('connect', () => socket.unref());
    if (isIP(hostname.replace(/^\[|\]$/g, ''))) limit();
    else socket.setTimeout(0).once('lookup', limit);
  });
  request.once('finish', () => request.socket?.setTimeout(0));
  request.on('timeout', () => {
    const message = `cannot send to ${hostname}: no progress for ${MAX_STILL_MS} ms`;
    request.destroy(Object.assign(new Error(message), { code: STALLED }));
  });
}
