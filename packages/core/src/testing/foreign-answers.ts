import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A success by which some other server answers: a proxy, a login page, a health check, or a gateway. */
export type ForeignAnswer = keyof typeof ANSWERS;

const ANSWERS = {
  'an empty 200': [200, undefined, ''],
  'an empty 204': [204, undefined, ''],
  '{"status":"healthy"}': [200, 'application/json', '{"status":"healthy"}'],
  '{"errorCode":"Unauthorized"}': [200, 'application/json', '{"errorCode":"Unauthorized"}'],
  OK: [200, 'text/plain', 'OK'],
  'a page': [200, 'text/html', '<html><body>Welcome</body></html>'],
} as const;

export const FOREIGN_ANSWERS = Object.keys(ANSWERS) as readonly ForeignAnswer[];

/** A server that gives one answer to all requests. */
export interface ForeignServer {
  readonly url: string;
  /** `127.0.0.1:41234` */
  readonly host: string;
  close(): void;
}

export async function startForeignServer(answer: ForeignAnswer): Promise<ForeignServer> {
  const server = createServer((request, response) => {
    // Reads the request to its end, as a client may take an early answer for a broken connection.
    request.resume().once('end', () => respond(response, answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function respond(response: ServerResponse, answer: ForeignAnswer): void {
  const [status, type, body] = ANSWERS[answer];
  response.writeHead(status, type && { 'content-type': type }).end(body);
}
