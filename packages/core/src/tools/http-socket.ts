import type { ClientRequest, Agent as HttpAgent } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { STALLED } from './http-errors.js';
import { systemClock } from './system-clock.js';

/**
 * How long a connection may make no progress. Unused: less than servers wait before they close it, which is often 5 s.
 * Connecting: long enough for TCP to repeat a lost packet, after 1 and 3 s. Sending: as long.
 */
export const MAX_STILL_MS = 4000;

/**
 * From then on the connection passes on what it is given. What it has passed on is not known in time: of TLS, Node.js tells that in a
 * later turn than the one in which the service may have the request, and may have closed the connection.
 */
export function whenConnected(request: ClientRequest, connect: () => void): void {
  request.once('socket', (socket: Socket) => {
    if (request.reusedSocket) connect();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connect);
  });
}

/**
 * Lets the process end while the request is in flight. Even an unreferenced socket holds the process while it connects or
 * sends, so the time for either is limited. The lookup of an address cannot be aborted, and has limits of its own. `hostname` is the
 * host that the socket connects to.
 */
export function unreferenceSocket(request: ClientRequest, hostname: string): void {
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

/** The kept connections that serve no request. */
export class UnusedConnections {
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
