import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv4 } from 'node:net';
import type { Interceptor } from '../http.js';
import { type Asset, assetPaths, readAsset, readPage } from './assets.js';
import { checkOrigin, Refusal, readJson } from './guard.js';
import type { Hub } from './hub.js';
import { readLedgerReport } from './ledger-report.js';
import { type StreamCount, streamNews } from './stream.js';
import type { SwitchChange } from './switches.js';

/** Path of the page on its server. */
export const PAGE_PATH = '/_logferry/';

const MAX_SWITCH_BYTES = 4096;
const MAX_REPORT_BYTES = 256 * 1024;

const HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Address of the page of a server. */
export function pageUrlOf({ url }: { readonly url: string }): string {
  return `${url}${PAGE_PATH}`;
}

/** Throws a TypeError unless the host, if there is one, is reachable from this machine only: the page has no password. */
export function checkLoopback(caller: string, host: string = 'localhost'): void {
  if (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))) return;
  throw new TypeError(`${caller}: page: expected a loopback host such as "127.0.0.1", got "${host}"`);
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/**
 * Serves the page of a hub below its path, and leaves all other requests. Requests wait until the hub is ready: a browser that has the
 * page of an earlier run open asks before all servers listen.
 */
export function createPageRoutes(hub: Hub, ready: Promise<void> = Promise.resolve()): Interceptor {
  const assets = assetPaths();
  const streams: StreamCount = { open: 0 };
  const routes: Readonly<Record<string, Handler>> = {
    'GET ': async (_, response) => {
      const { policy, ...page } = await readPage();
      sendAsset(response, page, { 'content-security-policy': policy });
    },
    'GET stream': (request, response) => streamNews(hub, streams, request, response),
    'POST faults': async (request, response) => {
      const { cloud, change } = Object(await readJson(request, MAX_SWITCH_BYTES));
      hub.changeSwitch(cloud, change as SwitchChange | undefined);
      respond(response, 204);
    },
    'POST report': async (request, response) => {
      hub.report(readLedgerReport(await readJson(request, MAX_REPORT_BYTES)));
      respond(response, 204);
    },
  };

  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (path !== PAGE_PATH.slice(0, -1) && !path.startsWith(PAGE_PATH)) return false;
    serve(path.slice(PAGE_PATH.length), request, response).catch((error) => refuse(request, response, error));
    return true;
  };

  async function serve(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [header, value] of Object.entries(HEADERS)) response.setHeader(header, value);
    checkOrigin(request);
    await ready;
    if (request.method !== 'GET' && request.method !== 'POST') throw new Refusal(405, 'Expected GET or POST');
    const asset = request.method === 'GET' ? assets.get(/^assets\/(.+)$/.exec(name)?.[1] ?? '') : undefined;
    if (asset !== undefined) return sendAsset(response, await readAsset(asset));
    const line = `${request.method} ${name}`;
    if (!Object.hasOwn(routes, line)) throw new Refusal(404, 'The page has no such file');
    await routes[line]?.(request, response);
  }
}

function sendAsset(response: ServerResponse, { type, content }: Asset, headers: Record<string, string> = {}): void {
  response.writeHead(200, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(content) });
  response.end(content);
}

function refuse(request: IncomingMessage, response: ServerResponse, error: Error): void {
  if (response.headersSent) {
    request.destroy();
    return;
  }
  // What is left of a body that nobody reads ends with the connection.
  response.setHeader('connection', 'close');
  if (error instanceof Refusal) respond(response, error.status, error.message);
  else if (error instanceof TypeError) respond(response, 400, error.message);
  else respond(response, 500, `The page failed: ${error.message}`);
}

function respond(response: ServerResponse, status: number, message?: string): void {
  response.writeHead(status, message === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' });
  response.end(message);
}
