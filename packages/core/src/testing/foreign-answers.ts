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

/** A server that gives one answer to all requests, and has one address. */
export interface ForeignServer {
  readonly url: string;
  /** `127.0.0.1:41234` */
  readonly host: string;
  close(): void;
}

export function startForeignServer(answer: ForeignAnswer): Promise<ForeignServer> {
  const [status, type, body] = ANSWERS[answer];
  return startServer((response) => response.writeHead(status, type && { 'content-type': type }).end(body));
}

/** A refusal of a proxy that says how long to wait. */
export interface Refusal {
  readonly status: number;
  /** `Retry-After` in seconds, or as a date of a clock that runs so far ahead of ours. */
  readonly retryAfter: { readonly seconds: number; readonly byClockAheadMs?: number };
  /** Whether the page breaks off after its first 20 of 500 bytes. */
  readonly breaksOff: boolean;
}

export function startRefusingServer({ status, retryAfter, breaksOff }: Refusal): Promise<ForeignServer> {
  const { seconds, byClockAheadMs } = retryAfter;
  const page = '<html>'.padEnd(500, 'x');
  return startServer((response) => {
    const theirNowMs = Date.now() + (byClockAheadMs ?? 0);
    const date = new Date(theirNowMs).toUTCString();
    const until = new Date(theirNowMs + seconds * 1000).toUTCString();
    const headers = { date, 'retry-after': byClockAheadMs === undefined ? String(seconds) : until };
    response.writeHead(status, { ...headers, 'content-length': page.length, 'content-type': 'text/html' });
    if (breaksOff) response.write(page.slice(0, 20), () => response.destroy());
    else response.end(page);
  });
}

async function startServer(respond: (response: ServerResponse) => unknown): Promise<ForeignServer> {
  const server = createServer((request, response) => {
    // Reads the request to its end, as a client may take an early answer for a broken connection.
    request.resume().once('end', () => respond(response));
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
