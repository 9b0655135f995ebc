import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/**
 * An untrusted key and certificate for localhost, valid for a hundred years: `openssl req -x509 -nodes -subj
 * /CN=localhost -days 36500 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -addext
 * subjectAltName=DNS:localhost,IP:127.0.0.1`
 */
export const certificateFile = fileURLToPath(new URL('localhost.pem', import.meta.url));

export interface Running {
  readonly url: string;
  /** Connections so far, in order. */
  readonly sockets: readonly Socket[];
}

/** A server for one test. */
export function serve(listener: RequestListener, scheme: 'http' | 'https' = 'http'): Promise<Running> {
  const pem = readFileSync(certificateFile);
  const server = scheme === 'http' ? createServer(listener) : createTlsServer({ key: pem, cert: pem }, listener);
  // Leaves unused connections to the client.
  server.keepAliveTimeout = 60_000;
  return run(server, scheme);
}

/** A TCP server for one test. */
export function serveTcp(onConnection: (socket: Socket) => void, scheme: 'http' | 'https' = 'http'): Promise<Running> {
  return run(createTcpServer({ pauseOnConnect: true }, onConnection), scheme);
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function run(server: Server, scheme: string): Promise<Running> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}
