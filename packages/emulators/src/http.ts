import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request with its complete body. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** True if the body exceeds {@link MAX_BODY_BYTES}; `body` is empty then. */
  readonly tooLarge: boolean;
  /** Aborts when the connection closes, and when the response is complete. */
  readonly closed: AbortSignal;
}

/** A complete response. The server adds `Content-Length`. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The server's reaction to a request: a response, a connection reset, or no response ever. */
export type Reaction = HttpResponse | 'reset' | 'hang';

/** Serves a request itself and returns true, or leaves it to the others and returns false. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A server that listens. */
export interface HttpServer {
  /** Base address without a trailing slash: `"http://127.0.0.1:41234"`. */
  readonly url: string;
  /** Closes the connections without a request. */
  closeIdleConnections(): void;
  /** Stops listening and destroys every connection, including those of hanging requests. */
  close(): Promise<void>;
}

/** Largest body, in bytes. A batch of 1 MiB needs at most 6 MiB if JSON escapes every character, plus its envelope. */
export const MAX_BODY_BYTES: number = 16 * 1024 * 1024;

/** Serves requests with `handle`, but for those that `intercept` takes. Port 0 takes a free port. Rejects if the port is taken. */
export async function listen(
  address: { readonly host: string; readonly port: number },
  handle: (request: HttpRequest) => Promise<Reaction>,
  intercept: Interceptor = () => false,
): Promise<HttpServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (intercept(request, response)) return;
    serve(request, response, handle).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  // Clients cannot connect to an address that stands for all on every system.
  const target = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address.host] ?? address.host;
  const host = target.includes(':') ? `[${target}]` : target;
  return {
    url: `http://${host}:${port}`,
    closeIdleConnections: () => server.closeIdleConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** HTTP 200 with one JSON object per line. Only the emulators have this: the services require a signature to read. */
export function linesResponse(
  records: readonly object[],
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/x-ndjson; charset=utf-8' },
    body: records.map((record) => `${JSON.stringify(record)}\n`).join(''),
  };
}

/** Longer than clients in tests keep an idle connection, so that no client sends on a connection that is closing. */
const KEEP_ALIVE_MS = 300_000;

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: HttpRequest) => Promise<Reaction>,
): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  const reaction = await handle({
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(chunks),
    tooLarge: bytes > MAX_BODY_BYTES,
    closed: closed.signal,
  });
  if (reaction === 'hang') return;
  if (reaction === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  response.writeHead(reaction.status, {
    ...reaction.headers,
    'content-length': String(Buffer.byteLength(reaction.body)),
  });
  response.end(reaction.body);
}
