import type { ClientRequest } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { STALLED } from './http-errors.js';

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
