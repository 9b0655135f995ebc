import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type LogServiceEmulator, type LogServiceEmulatorOptions, startLogService } from '../src/index.js';

/** The emulator's fixed time. */
export const NOW: number = Date.now();
export const PATH = '/logstores/logs/track';

/** An emulator with a fixed clock. It closes after the test. */
export async function setUp(options: LogServiceEmulatorOptions = {}): Promise<LogServiceEmulator> {
  const emulator = await startLogService({ clock: () => NOW, strict: true, ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  /** Changes to the headers of a valid, uncompressed request; undefined removes a header. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly rawSize?: number;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

/** Sends a request with exactly this body. */
export async function send(
  emulator: LogServiceEmulator,
  body: string | Uint8Array,
  { method = 'POST', path = PATH, headers = {}, rawSize }: RawRequest = {},
): Promise<RawResponse> {
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-log-apiversion': '0.6.0',
    'x-log-bodyrawsize': String(rawSize ?? Buffer.byteLength(body)),
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  // A new connection, because a kept one may be closing.
  const request = httpRequest(emulator.url, { agent: false, method, path, headers: all as Record<string, string> });
  const responded = once(request, 'response');
  request.write(body);
  request.end();
  const [message] = await responded;
  const response = { status: message.statusCode, headers: message.headers, body: await text(message) };
  return { ...response, ...(response.headers['content-type'] === 'application/json' && JSON.parse(response.body)) };
}

export interface LogGroup {
  readonly __topic__?: unknown;
  readonly __source__?: unknown;
  readonly __logs__?: unknown;
  readonly __tags__?: unknown;
  readonly [other: string]: unknown;
}

/** The body of a request with these logs, from source `host-1`. */
export function bodyOf(logs: unknown, members: LogGroup = {}): string {
  return JSON.stringify({ __source__: 'host-1', __logs__: logs, ...members });
}

/** Sends logs in a valid request. */
export function put(
  emulator: LogServiceEmulator,
  logs: unknown,
  members: LogGroup = {},
  request: RawRequest = {},
): Promise<RawResponse> {
  return send(emulator, bodyOf(logs, members), request);
}

export function log(message = 'hello'): Record<string, string> {
  return { message };
}

export function logs(count: number, message = 'x'): Record<string, string>[] {
  return Array.from({ length: count }, () => log(message));
}

export function messagesIn(emulator: LogServiceEmulator): (string | undefined)[] {
  return emulator.events().map(({ fields }) => fields.message);
}
