import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import {
  type BrotliOptions,
  createBrotliDecompress,
  createUnzip,
  type ZlibOptions,
  constants as zlib,
} from 'node:zlib';
import type { HttpResponse } from './answer.js';
import { systemClock } from './system-clock.js';

/** Settings of {@link readResponse}. */
export interface ResponseSettings {
  readonly signal: AbortSignal;
  readonly proxy: string | undefined;
  /** The most that is kept of the body, also once it is decoded. */
  readonly maxBytes: number;
}

/** Reads as much of the body as comes in time: the status of a failure is worth more than a page that takes long. */
export async function readResponse(
  response: IncomingMessage,
  { signal, proxy, maxBytes }: ResponseSettings,
): Promise<HttpResponse> {
  const head = { ...headOf(response), proxy };
  const end = (): unknown => response.destroy();
  signal.addEventListener('abort', end, { once: true });
  const timer = Number(response.statusCode) < 300 ? undefined : systemClock.setTimer(end, MAX_PAGE_MS);
  timer?.unref();
  const raw = await collect(response, maxBytes);
  timer?.cancel();
  signal.removeEventListener('abort', end);
  const isWhole = raw.isWhole && response.complete;
  const decoder = decoderOf(response.headers['content-encoding'], isWhole);
  if (decoder === 'none') return { ...head, body: raw.bytes, complete: isWhole };
  // Decoding takes some turns, which nobody waits for after an abort.
  const decoded = decoder === 'unknown' || signal.aborted ? NOTHING : await collect(decoder.end(raw.bytes), maxBytes);
  return { ...head, body: decoded.bytes, complete: isWhole && decoded.isWhole };
}

/** Status and headers of a response. */
export function headOf({ statusCode = 0, headers }: IncomingMessage): Pick<HttpResponse, 'status' | 'headers'> {
  const values = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { status: statusCode, headers: Object.fromEntries(values) };
}

/** Responses to writes are small. A larger response comes from some other server. */
export const MAX_RESPONSE_BYTES: number = 1024 ** 2;

/** The page of a failure may take so long in all. */
const MAX_PAGE_MS = 4000;

/** Reads a stream up to its end, or as far as it comes, or to the limit: then it closes it. */
async function collect(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Collected> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isWhole = true;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) break;
    }
  } catch {
    // The status came, and what was read counts.
    isWhole = false;
  }
  const bytes = Buffer.concat(chunks).subarray(0, maxBytes);
  return { bytes, isWhole: isWhole && length <= maxBytes };
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
