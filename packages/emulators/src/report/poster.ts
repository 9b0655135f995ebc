import { Agent, request } from 'node:http';

const TIMEOUT_MS = 2000;

/** Posts JSON to a page without keeping the process alive. */
export interface Poster {
  /** Whether the page has not answered the last one yet. */
  isBusy(): boolean;
  post(body: string): void;
}

/** Makes a poster. It is silent when the page is not there. */
export function createPoster(url: URL): Poster {
  // The last report of a process does not wait for the one before.
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  let underWay = 0;
  return {
    isBusy: () => underWay > 0,
    post(body) {
      underWay++;
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const posting = request(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS });
      posting.on('socket', (socket) => socket.unref());
      posting.on('response', (response) => response.resume());
      posting.on('timeout', () => posting.destroy());
      // The page is not there, or went: the next report tries again.
      posting.on('error', () => {});
      posting.on('close', () => {
        underWay--;
      });
      posting.end(body);
    },
  };
}
