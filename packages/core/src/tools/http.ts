import dns from 'node:dns';
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Transform } from 'node:stream';
import {
  type BrotliOptions,
  createBrotliDecompress,
  createUnzip,
  type ZlibOptions,
  constants as zlib,
} from 'node:zlib';
import { markProgress, markUnsent, STALLED } from './http-errors.js';
import { type LookupAll, Lookups } from './lookup.js';
import { sharedState } from './shared-state.js';
import { systemClock } from './system-clock.js';

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

/** A response of any status. */
export interface HttpResponse {
  /** The HTTP status: 200, for example. */
  readonly status: number;
  /** Values by name in lower case. A header that came several times has its values joined by commas. */
  readonly headers: Record<string, string>;
  /** The part of the body that came, up to 1 MiB, without its `Content-Encoding` (gzip, deflate or br). */
  readonly body: Uint8Array;
  /** False if the body broke off, took longer than 4 s (from status 300 on), was larger, or has another encoding: then it is empty. */
  readonly complete: boolean;
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
  return {
    request: ({ url, body, onProgress, ...others }) =>
      new Promise((resolve, reject) => {
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
          if (isReused) closeUnused(agents);
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

/** Responses of log services are small. A larger response comes from some other server. */
const MAX_RESPONSE_BYTES = 1024 ** 2;

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

/** The first piece of a body. Each further one has four times the size, up to the last of these: a write costs some CPU time, and reading before it some turns. */
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

/** Calls back once this process has read what its connections have: the end of a turn in which something was written may come before. */
function afterReading(callback: () => void): void {
  systemClock.defer(() => systemClock.defer(callback));
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

function closeUnused(agents: readonly HttpAgent[]): void {
  for (const { freeSockets } of agents)
    for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
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

function headOf({ statusCode = 0, headers }: IncomingMessage): Pick<HttpResponse, 'status' | 'headers'> {
  const values = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { status: statusCode, headers: Object.fromEntries(values) };
}

/** Reads as much of the body as comes in time: the status of a failure is worth more than a page that takes long. */
async function readResponse(response: IncomingMessage, signal: AbortSignal): Promise<HttpResponse> {
  const end = (): unknown => response.destroy();
  signal.addEventListener('abort', end, { once: true });
  const timer = Number(response.statusCode) < 300 ? undefined : systemClock.setTimer(end, MAX_STILL_MS);
  timer?.unref();
  const raw = await collect(response);
  timer?.cancel();
  signal.removeEventListener('abort', end);
  const isWhole = raw.isWhole && response.complete;
  const decoder = decoderOf(response.headers['content-encoding'], isWhole);
  if (decoder === 'none') return { ...headOf(response), body: raw.bytes, complete: isWhole };
  // Decoding takes some turns, which nobody waits for after an abort.
  const decoded = decoder === 'unknown' || signal.aborted ? NOTHING : await collect(decoder.end(raw.bytes));
  return { ...headOf(response), body: decoded.bytes, complete: isWhole && decoded.isWhole };
}

/** Reads a stream up to its end, or as far as it comes, or to the limit: then it closes it. */
async function collect(stream: AsyncIterable<Buffer>): Promise<Collected> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isWhole = true;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_RESPONSE_BYTES) break;
    }
  } catch {
    // The status came, and what was read counts.
    isWhole = false;
  }
  const bytes = Buffer.concat(chunks).subarray(0, MAX_RESPONSE_BYTES);
  return { bytes, isWhole: isWhole && length <= MAX_RESPONSE_BYTES };
}

interface Collected {
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

const NOTHING: Collected = { bytes: Buffer.alloc(0), isWhole: false };

/** A body that broke off is decoded as far as it came. One that ended has to end in its encoding, too. */
const UNZIP_PART: ZlibOptions = { finishFlush: zlib.Z_SYNC_FLUSH };
const BROTLI_PART: BrotliOptions = { finishFlush: zlib.BROTLI_OPERATION_FLUSH };

/** A proxy may compress the response though the request allows nothing of the kind. */
function decoderOf(encoding: string | undefined, isWhole: boolean): Transform | 'none' | 'unknown' {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case 'identity':
    case '':
      return 'none';
    case 'gzip':
    case 'x-gzip':
    case 'deflate':
      return createUnzip(isWhole ? {} : UNZIP_PART);
    case 'br':
      return createBrotliDecompress(isWhole ? {} : BROTLI_PART);
    default:
      return 'unknown';
  }
}
