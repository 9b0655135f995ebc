import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';

/** Makes HTTP requests that do not keep the process alive: whoever waits for one has to. */
export interface HttpClient {
  /** One request on one connection: nothing is repeated, no redirection followed. Rejects when no answer came. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes all connections. The next request opens a new one. */
  close(): void;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Gives the request up, by an error with the name `AbortError`. There is no other limit to the wait for an answer. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Record<string, string>;
  /** What came of the body, up to 1 MiB. */
  readonly body: Uint8Array;
  /** False: the body broke off, or was larger. */
  readonly complete: boolean;
}

/** Starts without a connection. Connections are kept for further requests. */
export function createHttpClient(): HttpClient {
  const settings = { keepAlive: true, timeout: MAX_STILL_MS };
  const agents = [new HttpAgent(settings), new HttpsAgent(settings)] as const;
  return {
    request: ({ url, body, ...options }) =>
      new Promise((resolve, reject) => {
        const target = new URL(url);
        const request =
          target.protocol === 'https:'
            ? requestHttps(target, { ...options, agent: agents[1] })
            : requestHttp(target, { ...options, agent: agents[0] });
        request.once('response', (response) => {
          // Answered before all was sent: the caller may use the memory of the body again.
          const stop = (): unknown => request.writableFinished || request.destroy();
          resolve(readResponse(response).finally(stop));
        });
        request.on('error', reject);
        // An answer that changes the protocol ends in neither.
        request.once('close', () => reject(new Error('the connection was closed')));
        release(request, target.hostname);
        request.end(body);
      }),
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}

/**
 * Reads the header `Retry-After`, seconds or a date, for the option `retryAfterMs` of `DeliveryError`.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Of a request that could not be sent to its end: connecting, or the connection, stood still for too long. */
const STALLED = 'ERR_STALLED';

/**
 * Error codes of the operating system, of Node.js' fetch and of {@link createHttpClient} after which the service cannot
 * have got the request.
 */
export const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
  STALLED,
]);

/**
 * How long a connection may stand still: unused, where it has to be less than servers wait (often five seconds), or else a
 * request would meet one that is being closed; while it is made, where a packet that is lost is repeated after one and three
 * seconds; and while it sends.
 */
const MAX_STILL_MS = 4000;

/** Answers of log services are small; whatever is larger comes from something else. */
const MAX_RESPONSE_BYTES = 1024 ** 2;

/**
 * Lets the process end although the request is in flight. While it connects or sends, even an unreferenced socket holds the
 * process, so neither may stand still for long. The lookup of an address cannot be given up, and has limits of its own.
 */
function release(request: ClientRequest, hostname: string): void {
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

async function readResponse(response: IncomingMessage): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      bytes += chunk.length;
      // Closes the connection.
      if (bytes > MAX_RESPONSE_BYTES) break;
    }
  } catch {
    // It broke off, but the status is an answer.
  }
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).subarray(0, MAX_RESPONSE_BYTES),
    complete: response.complete && bytes <= MAX_RESPONSE_BYTES,
  };
}
