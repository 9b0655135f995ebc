import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from './guard.js';
import type { Cursor, Hub } from './hub.js';

/** Of the batches to a browser. */
const INTERVAL_MS = 100;
/** Of the browser, after a broken connection. */
const RETRY_MS = 1000;
/** A browser has a few tabs; each holds a connection. */
const MAX_STREAMS = 32;

/** Counts the open streams of a page. */
export interface StreamCount {
  open: number;
}

/**
 * Sends what the page does not have yet, as server-sent events, until the browser goes. A browser that comes back after a broken
 * connection continues where it was. A slow one gets no batch before it has taken the last, and skips what is no longer kept then: the
 * server holds one batch for it.
 */
export function streamNews(hub: Hub, count: StreamCount, request: IncomingMessage, response: ServerResponse): void {
  if (count.open >= MAX_STREAMS) throw new Refusal(503, `The page is open ${MAX_STREAMS} times already`);
  const resumed = readCursor(hub, request.headers['last-event-id']);
  let cursor = resumed ?? hub.start();
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(`retry: ${RETRY_MS}\n`);
  response.write(eventOf(hub, cursor, { hello: { clouds: hub.settings(), isResumed: resumed !== undefined } }));
  const send = (): void => {
    if (response.writableNeedDrain) return;
    const { news, next } = hub.newsAfter(cursor);
    cursor = next;
    if (Object.keys(news).length > 0) response.write(eventOf(hub, cursor, news));
  };
  count.open++;
  const timer = setInterval(send, INTERVAL_MS);
  response.once('close', () => {
    count.open--;
    clearInterval(timer);
  });
  send();
}

function eventOf(hub: Hub, { records, requests, change, second }: Cursor, data: object): string {
  return `id: ${[hub.runId, requests, change, second, ...records].join(' ')}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The cursor of the last event that the browser got from this run of the server. */
function readCursor(hub: Hub, id: string | string[] | undefined): Cursor | undefined {
  const [runId, ...numbers] = String(id).split(' ');
  const [requests, change, second, ...records] = numbers.map(Number);
  if (runId !== hub.runId || numbers.some((text) => !/^\d+$/.test(text))) return undefined;
  if (requests === undefined || change === undefined || second === undefined) return undefined;
  return { requests, change, second, records };
}
