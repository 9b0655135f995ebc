import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request whose body was read whole. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body was larger than {@link MAX_BODY_BYTES}: read to its end, but not kept. */
  readonly tooLarge: boolean;
  /** Aborted when the connection closes or the answer is sent. */
  readonly closed: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a server does with a request: it answers, resets the connection, or never answers. */
export type Reaction = HttpResponse | 'reset' | 'hang';

export interface HttpServer {
  /** Base address, without a slash at the end. */
  readonly url: string;
  /** Stops listening and destroys every open connection, hanging ones too. */
  close(): Promise<void>;
}

/** Most bytes of a body that are kept. A batch of 1 MiB takes at most 6 MiB of JSON escapes besides its envelope. */
export const MAX_BODY_BYTES: number = 16 * 1024 * 1024;

/** Serves `handle` on the address; port 0 takes a free one. Rejects when the port is taken. */
export async function listen(
  address: { readonly host: string; readonly port: number },
  handle: (request: HttpRequest) => Promise<Reaction>,
): Promise<HttpServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    serve(request, response, handle).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Longer than a client keeps an idle connection in a test, so that no client meets a connection that is just closing. */
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
