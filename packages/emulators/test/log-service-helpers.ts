import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type LogServiceEmulator, type LogServiceEmulatorOptions, startLogService } from '../src/index.js';

/** The emulator's fixed time. */
export const NOW: number = Date.now();
export const PATH = '/logstores/logs/track';

/** An emulator whose clock stands at NOW. It ends with the test. */
export async function setUp(options: LogServiceEmulatorOptions = {}): Promise<LogServiceEmulator> {
  const emulator = await startLogService({ clock: () => NOW, ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  /** Besides those that a sound request without compression has; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly rawSize?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

/** Sends a body as it is. */
export async function send(
  emulator: LogServiceEmulator,
  body: string | Uint8Array,
  { method = 'POST', path = PATH, headers = {}, rawSize }: RawRequest = {},
): Promise<Answer> {
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-log-apiversion': '0.6.0',
    'x-log-bodyrawsize': String(rawSize ?? Buffer.byteLength(body)),
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  // A connection of its own: one that is kept may just be closing.
  const request = httpRequest(emulator.url, { agent: false, method, path, headers: all as Record<string, string> });
  const answered = once(request, 'response');
  request.write(body);
  request.end();
  const [response] = await answered;
  const answer = { status: response.statusCode, headers: response.headers, body: await text(response) };
  return { ...answer, ...(answer.headers['content-type'] === 'application/json' && JSON.parse(answer.body)) };
}

export interface LogGroup {
  readonly __topic__?: unknown;
  readonly __source__?: unknown;
  readonly __logs__?: unknown;
  readonly __tags__?: unknown;
  readonly [other: string]: unknown;
}

/** The text of a request of these logs, from source `host-1`. */
export function bodyOf(logs: unknown, members: LogGroup = {}): string {
  return JSON.stringify({ __source__: 'host-1', __logs__: logs, ...members });
}

/** Sends logs as they should be sent. */
export function put(
  emulator: LogServiceEmulator,
  logs: unknown,
  members: LogGroup = {},
  request: RawRequest = {},
): Promise<Answer> {
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
