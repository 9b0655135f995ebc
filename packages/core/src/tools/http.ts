import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';

/** Makes HTTP requests that do not keep the process alive. Code that waits for a response has to do that itself. */
export interface HttpClient {
  /**
   * Makes one request on one connection. Repeats nothing and follows no redirection. Rejects with the error of the connection
   * if no response came: {@link noAnswer} classifies it.
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
  /** Aborts the request with an `AbortError`. Nothing else limits the wait for a response. */
  readonly signal: AbortSignal;
  /** Called after each piece of the body that was sent: of 64 KiB at first, then of up to 256 KiB. Not called for the last one. */
  readonly onProgress?: (() => void) | undefined;
}

/** A response of any status. */
export interface HttpResponse {
  /** The HTTP status: 200, for example. */
  readonly status: number;
  /** Values by name in lower case. A header that came several times has its values joined by commas. */
  readonly headers: Record<string, string>;
  /** The part of the body that came, up to 1 MiB. */
  readonly body: Uint8Array;
  /** False if the body broke off or was larger. */
  readonly complete: boolean;
}

/** Makes a client. Opens no connection yet; keeps connections for further requests for up to 4 s. */
export function createHttpClient(): HttpClient {
  const settings = { keepAlive: true, timeout: MAX_STILL_MS };
  const agents = [new HttpAgent(settings), new HttpsAgent(settings)] as const;
  return {
    request: ({ url, body, onProgress, ...others }) =>
      new Promise((resolve, reject) => {
        const target = new URL(url);
        const bytes = typeof body === 'string' ? Buffer.from(body) : body;
        const options = { ...others, headers: { 'content-length': String(bytes.length), ...others.headers } };
        const request =
          target.protocol === 'https:'
            ? requestHttps(target, { ...options, agent: agents[1] })
            : requestHttp(target, { ...options, agent: agents[0] });
        request.once('response', (response) => {
          // If the response came before all was sent: the caller may reuse the memory of the body.
          const stop = (): unknown => request.writableFinished || request.destroy();
          resolve(readResponse(response).finally(stop));
        });
        request.on('error', reject);
        // A response that switches protocols emits neither event.
        request.once('close', () => reject(new Error('the connection was closed')));
        unreferenceSocket(request, target.hostname);
        sendBody(request, bytes, onProgress);
      }),
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}

/**
 * Reads a header `Retry-After`, in seconds or as a date, for the option `retryAfterMs` of `DeliveryError`.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 *
 * @returns milliseconds from now, at least 0; `undefined` if the header is absent or not valid
 */
export function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Code of the error for a request that was not sent completely: connecting, or sending, made no progress for too long. */
const STALLED = 'ERR_STALLED';

/**
 * Codes of errors after which the service cannot have received the request: of the operating system, of Node.js' `fetch`
 * and of {@link createHttpClient}. Any other code is ambiguous.
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
 * How long a connection may make no progress. Unused: less than servers wait before they close it, which is often 5 s.
 * Connecting: long enough for TCP to repeat a lost packet, after 1 and 3 s. Sending: as long.
 */
const MAX_STILL_MS = 4000;

/** Responses of log services are small. A larger response comes from some other server. */
const MAX_RESPONSE_BYTES = 1024 ** 2;

/** The first piece of a body. Each further one has twice the size, up to the last of these: a write costs some CPU time. */
const FIRST_PIECE_BYTES = 64 * 1024;
const MAX_PIECE_BYTES = 256 * 1024;

/** Sends the body in pieces, one after another, so that progress shows: Node.js sends what waits as a whole. */
function sendBody(request: ClientRequest, body: Uint8Array, onProgress: (() => void) | undefined): void {
  let sentBytes = 0;
  let pieceBytes = FIRST_PIECE_BYTES;
  const sendNext = (): void => {
    const piece = body.subarray(sentBytes, sentBytes + pieceBytes);
    sentBytes += piece.length;
    pieceBytes = Math.min(MAX_PIECE_BYTES, pieceBytes * 2);
    if (sentBytes === body.length) request.end(piece);
    else
      request.write(piece, (error) => {
        if (error || request.destroyed) return;
        onProgress?.();
        sendNext();
      });
  };
  sendNext();
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
    // The body broke off, but the status came.
  }
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).subarray(0, MAX_RESPONSE_BYTES),
    complete: response.complete && bytes <= MAX_RESPONSE_BYTES,
  };
}
