import { addressOf } from '@logferry/core';
import type { WireBody } from './compress.js';
import type { HttpResponse } from './proof.js';
import { tellProgress } from './request-handler.js';

/** The member of the SDK's commands by which middleware is added to one of them. */
export interface Command {
  readonly middlewareStack: { add(middleware: unknown, options: object): void };
}

/** Makes the body on the wire from the body that the SDK made. */
export type BodyWriter = (made: Uint8Array) => Promise<WireBody>;

/** Request and response of a command, as they are on the wire: the last of several, if a client of the user's retries. */
export class Exchange {
  /** Host and port. */
  address: string | undefined;
  /** Bytes of the request's body; 0 if they are not known. */
  wireBytes = 0;
  response: HttpResponse | undefined;
  /** The error of a request, as the HTTP client threw it: the SDK puts another in its place once the signal is aborted. */
  failure: unknown;
  #isBegun = false;

  /** Whether the SDK began to make a request, and gave none to its HTTP client: then no byte was sent. */
  get isUnsent(): boolean {
    return this.#isBegun && this.address === undefined;
  }

  /** Replaces the body before the SDK measures and signs it. With the priority `low` after all other middleware. */
  rewrite({ middlewareStack }: Command, write: BodyWriter, priority: 'high' | 'low'): void {
    const middleware = (next: Handler) => async (args: Arguments) => {
      await rewriteBody(args.request, write);
      return next(args);
    };
    middlewareStack.add(middleware, { step: 'build', priority, name: 'logferryBody' });
  }

  /** Notes request and response. Our own client calls `onProgress` while it sends. */
  observe({ middlewareStack }: Command, onProgress?: () => void): void {
    const middleware = (next: Handler) => async (args: Arguments) => {
      this.address = addressOf(args.request);
      this.wireBytes = sizeOf(args.request.body);
      tellProgress(args.request, onProgress);
      try {
        const result = await next(args);
        this.response = result.response;
        return result;
      } catch (error) {
        this.failure = error;
        throw error;
      }
    };
    const begin = (next: Handler) => (args: Arguments) => {
      this.#isBegun = true;
      return next(args);
    };
    middlewareStack.add(begin, { step: 'initialize', priority: 'high', name: 'logferryBegin' });
    middlewareStack.add(middleware, { step: 'deserialize', priority: 'high', name: 'logferryExchange' });
  }
}

type Handler = (args: Arguments) => Promise<{ readonly response: HttpResponse }>;

interface Arguments {
  readonly request: SdkRequest;
}

interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly headers: Record<string, string>;
  body?: unknown;
}

/** Leaves a body alone that a middleware of the user's has compressed. */
async function rewriteBody(request: SdkRequest, write: BodyWriter): Promise<void> {
  const { headers } = request;
  const made = bytesOf(request.body);
  if (!made || headers['content-encoding'] !== undefined) return;
  const body = await write(made);
  request.body = body.bytes;
  if (body.encoding) headers['content-encoding'] = body.encoding;
  if (headers['content-length'] !== undefined) headers['content-length'] = String(body.bytes.length);
}

function sizeOf(body: unknown): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : (bytesOf(body)?.length ?? 0);
}

/** `undefined` for a stream. */
function bytesOf(body: unknown): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? body : undefined;
}
